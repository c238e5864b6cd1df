import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ladder, ladderEpsilon, lowestThird, vanDerCorput } from '../../src/learn/epsilon.ts'
import { resolveHyperparameters } from '../../src/learn/hyperparameters.ts'
import { assertClose } from './helpers.ts'

/** What Ape-X takes where nothing else is said. */
const PAPER = resolveHyperparameters('apex', {})

test('the ladder of the paper for four and eight actors', () => {
  const paper = (count: number) => Array.from({ length: count }, (_, i) => ladderEpsilon(i / (count - 1), PAPER))
  assertClose(paper(4), [0.4, 0.0471556, 0.00555913, 0.00065536], 1e-6, 0)
  assertClose(paper(8), [0.4, 0.16, 0.064, 0.0256, 0.01024, 0.004096, 0.0016384, 0.00065536], 1e-12, 0)
})

test("van der Corput's sequence", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map(vanDerCorput), [0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875, 0.0625])
})

test('every peer spans the ladder from a place of its own', () => {
  for (let seed = 0; seed < 20; seed++) {
    const steps = [...ladder(8, seed, PAPER)].sort((a, b) => a - b)
    // Eight places one eighth apart: each epsilon is 0.4^(7/8) of the one above.
    for (let i = 1; i < 8; i++) assertClose([steps[i - 1]! / steps[i]!], [0.4 ** (7 / 8)], 1e-9, 0)
    assert.ok(steps[0]! < 0.4 ** 7 && steps[7]! > 0.4 ** (1 + 7 / 8))
  }
  assert.deepEqual(ladder(3, 1, PAPER), ladder(3, 1, PAPER))
  assert.notDeepEqual(ladder(3, 1, PAPER), ladder(3, 2, PAPER))
  assert.deepEqual(ladder(8, 5, PAPER).subarray(0, 3), ladder(3, 5, PAPER))
})

test('another ladder is another base and another exponent', () => {
  const shape = { epsilonBase: 0.5, epsilonExponent: 3 }
  assert.deepEqual(
    [0, 1 / 3, 2 / 3, 1].map((u) => ladderEpsilon(u, shape)),
    [0.5, 0.25, 0.125, 0.0625],
  )
  assert.deepEqual(ladder(4, 1, { ...shape, epsilonExponent: 0 }), Float64Array.of(0.5, 0.5, 0.5, 0.5))
})

test('the third that explores least, rounded up', () => {
  assert.deepEqual(lowestThird(Float64Array.of(0.4, 0.1, 0.3, 0.2)), Uint8Array.of(0, 1, 0, 1))
  assert.deepEqual(lowestThird(Float64Array.of(0.4)), Uint8Array.of(1))
  assert.deepEqual(lowestThird(Float64Array.of(0.1, 0.1, 0.2)), Uint8Array.of(1, 0, 0))
})
