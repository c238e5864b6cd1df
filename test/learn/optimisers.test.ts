import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OptimiserSpec } from '../../src/learn/engine.ts'
import { clipGlobalNorm, momentKinds, optimiserStep } from '../../src/learn/optimisers.ts'

/** One parameter, from 1, with gradient 2 and then -1, at learning rate 0.1: its values after each step, worked out by hand. */
const byHand: readonly [string, OptimiserSpec, readonly [number, number]][] = [
  // v: 2, then 0.5 * 2 - 1 = 0
  ['SGD with momentum 0.5', { kind: 'sgd', momentum: 0.5 }, [0.8, 0.8]],
  // s: 0.25 * 4 = 1, then 0.75 * 1 + 0.25 * 1 = 1; steps 0.2 / sqrt(1 + 3) and -0.1 / sqrt(1 + 3)
  ['RMSprop, epsilon inside', { kind: 'rmsprop', decay: 0.75, epsilon: 3, epsilonInside: true }, [0.9, 0.95]],
  // steps 0.2 / (1 + 3) and -0.1 / (1 + 3)
  ['RMSprop, epsilon outside', { kind: 'rmsprop', decay: 0.75, epsilon: 3, epsilonInside: false }, [0.95, 0.975]],
  // m: 1, 0, corrected 2, 0; v: 2, 1.5, corrected 4, 2; the first step is 0.1 * 2 / (2 + 2), the second 0
  ['Adam', { kind: 'adam', beta1: 0.5, beta2: 0.5, epsilon: 2 }, [0.95, 0.95]],
  // before each step the parameter shrinks by 0.1 * 0.5 of itself: 0.95 - 0.05, then 0.95 * 0.9
  ['AdamW', { kind: 'adamw', beta1: 0.5, beta2: 0.5, epsilon: 2, weightDecay: 0.5 }, [0.9, 0.855]],
]
for (const [name, spec, expected] of byHand) {
  test(`${name}, two steps by hand`, () => {
    const moments = momentKinds(spec).map(() => new Float32Array(1))
    const parameters = Float32Array.of(1)
    const reached = [2, -1].map((gradient, index) => {
      optimiserStep(spec, moments, index + 1, parameters, Float32Array.of(gradient), 0.1)
      return parameters[0]!
    })
    for (const [index, value] of expected.entries()) assert.ok(Math.abs(reached[index]! - value) < 1e-7, `${reached} is not ${expected}`)
  })
}

test('clipping scales to the largest norm and returns the norm before', () => {
  const gradient = Float32Array.of(3, 4)
  assert.equal(clipGlobalNorm(gradient, 10), 5)
  assert.deepEqual([...gradient], [3, 4])
  assert.equal(clipGlobalNorm(gradient, null), 5)
  assert.equal(clipGlobalNorm(gradient, 2.5), 5)
  assert.deepEqual([...gradient], [1.5, 2])
  const infinite = Float32Array.of(Number.POSITIVE_INFINITY, 1)
  assert.equal(clipGlobalNorm(infinite, 1), Number.POSITIVE_INFINITY)
  assert.deepEqual([...infinite], [Number.POSITIVE_INFINITY, 1])
})
