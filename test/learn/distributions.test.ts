import assert from 'node:assert/strict'
import { test } from 'node:test'
import { likeliestCategorical, sampleCategorical, sampleGaussian } from '../../src/learn/distributions.ts'
import { seededRandom } from '../../src/util/random.ts'

test('categorical samples follow the probabilities and repeat with the seed', () => {
  const n = 40_000
  const probabilities = [0.5, 0.3, 0.15, 0.05]
  const logits = Float32Array.from({ length: 4 * n }, (_, i) => Math.log(probabilities[i % 4]!) + 3)
  const actions = new Int32Array(n)
  sampleCategorical(logits, 4, seededRandom(1), actions)
  const counts = [0, 0, 0, 0]
  for (const action of actions) counts[action]! += 1
  for (const [action, p] of probabilities.entries()) {
    const deviation = Math.sqrt(p * (1 - p) * n)
    assert.ok(Math.abs(counts[action]! - p * n) < 4 * deviation, `action ${action}: ${counts[action]}`)
  }
  const again = new Int32Array(n)
  sampleCategorical(logits, 4, seededRandom(1), again)
  assert.deepEqual(again, actions)
})

test('a certain action is always taken, and broken logits give a valid one', () => {
  const actions = new Int32Array(3)
  sampleCategorical(Float32Array.of(-1e5, 0, -1e5, Number.NaN, 1, 2, -1e5, -1e5, 0), 3, seededRandom(2), actions)
  assert.equal(actions[0], 1)
  assert.ok(actions[1]! >= 0 && actions[1]! < 3)
  assert.equal(actions[2], 2)
  likeliestCategorical(Float32Array.of(1, 3, 2, 5, 5, 0, 0, 0, 1), 3, actions)
  assert.deepEqual([...actions], [1, 0, 2])
})

test('Gaussian samples have the mean and deviation asked for', () => {
  const n = 20_000
  const mean = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : -2))
  const actions = new Float32Array(2 * n)
  sampleGaussian(mean, Float32Array.of(0, Math.log(0.1)), seededRandom(3), actions)
  for (const [k, m, s] of [
    [0, 1, 1],
    [1, -2, 0.1],
  ] as const) {
    const values = actions.filter((_, i) => i % 2 === k)
    const average = values.reduce((a, b) => a + b) / n
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - average) * (b - average), 0) / n)
    assert.ok(Math.abs(average - m) < (4 * s) / Math.sqrt(n), `mean ${average}`)
    assert.ok(Math.abs(deviation - s) < 0.02 * s, `deviation ${deviation}`)
  }
})

test('a mean without room for all actions is refused', () => {
  assert.throws(() => sampleGaussian(new Float32Array(1), new Float32Array(1), seededRandom(1), new Float32Array(2)), {
    code: 'shape',
    message: "The array 'mean' has 1 elements where at least 2 are needed.",
  })
})
