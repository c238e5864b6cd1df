/** The kernels' categorical head against the plain functions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kernels from '../../src/kernels/categorical.ts'
import * as plain from '../../src/learn/distributions.ts'
import { seededRandom } from '../../src/util/random.ts'

interface Result {
  readonly logPolicy: Float32Array
  readonly logProbs: Float32Array
  readonly entropies: Float32Array
  readonly dLogits: Float32Array
}

function run(maths: typeof kernels | typeof plain, logits: Float32Array, classes: number, dEntropy: number): Result {
  const n = logits.length / classes
  const random = seededRandom('categorical', n)
  const actions = Int32Array.from({ length: n }, () => random.below(classes))
  const dLogProbs = Float32Array.from({ length: n }, () => 2 * random.uniform() - 1)
  const result = {
    logPolicy: new Float32Array(n * classes),
    logProbs: new Float32Array(n),
    entropies: new Float32Array(n),
    dLogits: new Float32Array(n * classes),
  }
  maths.categoricalLogProbs(logits, classes, actions, result.logPolicy, result.logProbs, result.entropies)
  maths.categoricalGradient(result.logPolicy, classes, actions, result.entropies, dLogProbs, dEntropy, result.dLogits)
  return result
}

function close(found: Result, expected: Result, tolerance: number): void {
  for (const name of ['logPolicy', 'logProbs', 'entropies', 'dLogits'] as const) {
    for (const [i, value] of expected[name].entries()) {
      const same = Object.is(value, found[name][i]) || Math.abs(value - found[name][i]!) <= tolerance * Math.max(1, Math.abs(value))
      assert.ok(same, `${name}[${i}] is ${found[name][i]}, not ${value}`)
    }
  }
}

for (const [n, classes] of [
  [1, 1],
  [1, 2],
  [3, 2],
  [4, 6],
  [7, 3],
  [257, 18],
  [512, 4],
  [513, 2],
  [1100, 5],
] as const) {
  test(`${n} rows of ${classes} classes: what plain functions give`, () => {
    const random = seededRandom('logits', n)
    const logits = Float32Array.from({ length: n * classes }, () => 20 * random.uniform() - 10)
    close(run(kernels, logits, classes, -0.01 / n), run(plain, logits, classes, -0.01 / n), 1e-6)
  })
}

test('a uniform policy: known numbers', () => {
  const { logProbs, entropies, dLogits } = run(kernels, new Float32Array(8), 4, 0)
  for (const value of logProbs) assert.ok(Math.abs(value + Math.log(4)) < 1e-6)
  for (const value of entropies) assert.ok(Math.abs(value - Math.log(4)) < 1e-6)
  for (const row of [dLogits.subarray(0, 4), dLogits.subarray(4)]) assert.ok(Math.abs(row.reduce((sum, d) => sum + d)) < 1e-6)
})

test('masked classes and far logits keep everything finite', () => {
  const logits = Float32Array.of(0, -Infinity, 1, 100, -100, 0, -1e30, 5, 5)
  close(run(kernels, logits, 3, 0.1), run(plain, logits, 3, 0.1), 1e-6)
  const { entropies, dLogits } = run(kernels, logits, 3, 0.1)
  assert.ok(entropies.every(Number.isFinite) && dLogits.every(Number.isFinite))
})

test('a logit that is no number makes its row no number, and only its own', () => {
  const logits = new Float32Array(12)
  logits[4] = Number.NaN
  const { logProbs, entropies } = run(kernels, logits, 2, 0)
  assert.deepEqual([...logProbs].map(Number.isNaN), [false, false, true, false, false, false])
  assert.deepEqual([...entropies].map(Number.isNaN), [false, false, true, false, false, false])
})

test('refuses arrays of wrong lengths', () => {
  const f = (length: number) => new Float32Array(length)
  assert.throws(() => kernels.categoricalLogProbs(f(5), 2, new Int32Array(3), f(6), f(3), f(3)), {
    code: 'shape',
    message: 'An array of 5 elements was given where 6 are needed.',
  })
  assert.throws(() => kernels.categoricalGradient(f(6), 2, new Int32Array(3), f(3), f(3), 0, f(5)), { code: 'shape' })
})
