import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextRateFactor, type RateRule } from '../../src/average/rate.ts'

const rule: RateRule = { rule: 'sqrt', from: 1, cap: 3 }

/** The factor after each of these numbers of peers. */
function after(peers: readonly number[], chosen: RateRule | null = rule): number[] {
  let factor = 1
  return peers.map((count) => {
    factor = nextRateFactor(factor, count, chosen)
    return factor
  })
}

test('rises by a quarter at a time to the root of the peers, and stays', () => {
  const factors = after(Array(5).fill(4))
  assert.deepEqual(factors, [1.25, 1.5625, 1.953125, 2, 2])
})

test('falls at once', () => {
  const factors = after([...Array(20).fill(9), 4, 1, 9])
  assert.deepEqual(factors.slice(19), [3, 2, 1, 1.25])
})

test('never passes the cap, and begins to rise beyond `from` peers', () => {
  assert.equal(after(Array(30).fill(1_000)).at(-1), 3)
  assert.equal(after(Array(30).fill(4), { ...rule, from: 4 }).at(-1), 1)
  assert.equal(after(Array(30).fill(16), { ...rule, from: 4 }).at(-1), 2)
})

test('a crowd of a thousand that is there every other round moves it by a quarter', () => {
  const factors = after(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 1_000 : 1)))
  assert.equal(Math.max(...factors), 1.25)
})

test('is 1 without a rule and alone', () => {
  assert.deepEqual(after([8, 8, 8], null), [1, 1, 1])
  assert.deepEqual(after([1, 1, 1]), [1, 1, 1])
  assert.equal(nextRateFactor(2, Number.NaN, rule), 1)
})
