import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/util/random.ts'

test('a forked stream is named by where it left the other, which goes on as if nobody had asked', () => {
  const [one, other] = [seededRandom('fork', 1), seededRandom('fork', 1)]
  const words = (random: { uint32(): number }) => Array.from({ length: 4 }, () => random.uint32())
  const forks = [one.fork('a'), one.fork('a'), one.fork('b')].map(words)
  assert.deepEqual(words(one), words(other))
  assert.deepEqual(forks[0], forks[1])
  assert.notDeepEqual(forks[0], forks[2])
  assert.notDeepEqual(words(one.fork('a')), forks[0])
})
