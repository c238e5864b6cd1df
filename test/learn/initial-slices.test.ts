import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeOver } from '../../src/learn/initial-slices.ts'
import type { Slice } from '../../src/ports/learner.ts'

const SLICES: readonly Slice[] = [
  { name: 'dense1/kernel', shape: [2, 2], offset: 0, length: 4 },
  { name: 'dense1/bias', shape: [2], offset: 4, length: 2 },
  { name: 'logits/kernel', shape: [2, 1], offset: 6, length: 2 },
  { name: 'toString', shape: [1], offset: 8, length: 1 },
]
const INITIAL = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)

test('slices of the same name and shape are taken over; the rest are named with the reason and stay', () => {
  const { parameters, taken, left } = takeOver(SLICES, INITIAL, {
    'dense1/kernel': { shape: [2, 2], data: Float32Array.of(10, 20, 30, 40) },
    'dense1/bias': { shape: [2], data: Float32Array.of(Number.NaN, 0) },
    'logits/kernel': { shape: [2, 3], data: new Float32Array(6) },
    other: { shape: [1], data: new Float32Array(1) },
  })
  assert.deepEqual(parameters, Float32Array.of(10, 20, 30, 40, 5, 6, 7, 8, 9))
  assert.deepEqual(taken, ['dense1/kernel'])
  assert.deepEqual(left, ['dense1/bias (not finite)', 'logits/kernel (2x3 there, 2x1 here)', 'toString (not there)'])
  assert.deepEqual(INITIAL[0], 1)
})
