import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainAveraging, outerStep } from '../../src/average/outer.ts'

test('rate 1 without momentum is plain averaging', () => {
  const delta = Float32Array.of(0.5, -2)
  outerStep({ learningRate: 1, momentum: 0 }, Float32Array.of(1, 1), Float32Array.of(3, 4), new Float32Array(2), delta)
  assert.deepEqual([...delta], [0.5, -2])
  assert.ok(isPlainAveraging({ learningRate: 1, momentum: 0 }))
  assert.ok(!isPlainAveraging({ learningRate: 1, momentum: 0.5 }))
})

test('two rounds of Nesterov momentum by hand', () => {
  const settings = { learningRate: 0.5, momentum: 0.5 }
  const velocity = new Float32Array(1)
  // From 8 our own updates led to 5, others pull by -1: after = 4, g = 4, v = 4, x = 8 - 0.5 (4 + 2) = 5.
  const first = Float32Array.of(-1)
  outerStep(settings, Float32Array.of(8), Float32Array.of(5), velocity, first)
  assert.equal(velocity[0], 4)
  assert.equal(5 + first[0]!, 5)
  // From 5 to 3: g = 2, v = 2 + 2 = 4, x = 5 - 0.5 (2 + 2) = 3.
  const second = Float32Array.of(0)
  outerStep(settings, Float32Array.of(5), Float32Array.of(3), velocity, second)
  assert.equal(velocity[0], 4)
  assert.equal(3 + second[0]!, 3)
})

test('wrong lengths are refused', () => {
  const two = new Float32Array(2)
  assert.throws(() => outerStep({ learningRate: 1, momentum: 0 }, two, two, new Float32Array(3), two), { code: 'shape' })
})
