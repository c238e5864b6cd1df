import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  discountsOf,
  explainedVariance,
  generalisedAdvantages,
  lambdaReturns,
  nStepReturns,
  standardise,
  type Trajectory,
} from '../../src/learn/returns.ts'
import { assertClose, columns, trajectoryOf } from './helpers.ts'

// The inputs and answers of rlax's tests (multistep_test.py).
const rlax = trajectoryOf({
  rewards: [
    [1, 0, -1, 0, 1],
    [0.5, 0.8, -0.7, 0, 2.1],
  ],
  discounts: [
    [0.5, 0.9, 1, 0.5, 0.8],
    [0.9, 0.5, 0.3, 0.8, 0.7],
  ],
  nextValues: [
    [3, 1, 5, -5, 3],
    [-1.7, 1.2, 2.3, 2.2, 2.7],
  ],
})
const discounted = columns([
  [1.315, 0.63, 0.7, 1.7, 3.4],
  [1.33592, 0.9288, 0.2576, 3.192, 3.99],
])

test('lambda returns of the reference', () => {
  const returns = new Float32Array(10)
  lambdaReturns(rlax, 0.75, returns)
  assertClose(
    returns,
    columns([
      [1.6460547, 0.72281253, 0.7375001, 0.6500001, 3.4],
      [0.7866317, 0.9913063, 0.1101501, 2.834, 3.99],
    ]),
  )
  lambdaReturns(rlax, 1, returns)
  assertClose(returns, discounted)
})

test('n-step returns of the reference', () => {
  const returns = new Float32Array(10)
  nStepReturns(rlax, 3, returns)
  assertClose(
    returns,
    columns([
      [2.8, -3.15, 0.7, 1.7, 3.4],
      [1.2155, 0.714, 0.2576, 3.192, 3.99],
    ]),
  )
  for (const n of [5, 6, 100]) {
    nStepReturns(rlax, n, returns)
    assertClose(returns, discounted)
  }
})

test('generalised advantages of the reference', () => {
  const trajectory = trajectoryOf({
    rewards: [
      [0, 0, 1, 0, -0.5],
      [0, 0, 0, 0, 1],
    ],
    discounts: [
      [0.99, 0.99, 0.99, 0.99, 0.99],
      [0.9, 0.9, 0.9, 0, 0.9],
    ],
    values: [
      [1, 4, -3, -2, -1],
      [-3, -2, -1, 0, 5],
    ],
    bootstrap: [-1, -1],
  })
  const expected: readonly [number, readonly number[], readonly number[]][] = [
    [1, [-1.45118, -4.4557, 2.5396, 0.5249, -0.49], [3, 2, 1, 0, -4.9]],
    [0.7, [-0.676979, -5.248167, 2.4846, 0.6704, -0.49], [2.2899, 1.73, 1, 0, -4.9]],
    [0.4, [0.567318731, -6.04212441664, 2.34312016, 0.81596, -0.49], [1.7248, 1.4592, 1, 0, -4.9]],
  ]
  const advantages = new Float32Array(10)
  const returns = new Float32Array(10)
  for (const [lambda, first, second] of expected) {
    generalisedAdvantages(trajectory, lambda, advantages, returns)
    assertClose(advantages, columns([first, second]), 0, 1e-3)
    assertClose(
      returns,
      advantages.map((advantage, i) => advantage + trajectory.values[i]!),
    )
  }
})

test('a truncated step bootstraps from its final observation and a terminated one does not; neither sees the next episode', () => {
  // One environment, three steps: the middle one ends its episode. gamma 0.5, the final observation is worth 8, everything else 0.
  const base = { steps: 3, environments: 1, rewards: Float32Array.of(1, 1, 1), values: new Float32Array(3) }
  const truncated: Trajectory = {
    ...base,
    discounts: Float32Array.of(0.5, 0.5, 0.5),
    truncated: Uint8Array.of(0, 1, 0),
    nextValues: Float32Array.of(0, 8, 100),
  }
  const terminated: Trajectory = { ...truncated, discounts: Float32Array.of(0.5, 0, 0.5), truncated: new Uint8Array(3) }
  const both: Trajectory = { ...terminated, truncated: truncated.truncated }
  const advantages = new Float32Array(3)
  const returns = new Float32Array(3)
  for (const [trajectory, expected] of [
    [truncated, [1 + 0.5 * 5, 1 + 0.5 * 8, 51]],
    [terminated, [1.5, 1, 51]],
    [both, [1.5, 1, 51]],
  ] as const) {
    generalisedAdvantages(trajectory, 1, advantages, returns)
    assertClose(returns, expected)
    lambdaReturns(trajectory, 1, returns)
    assertClose(returns, expected)
    nStepReturns(trajectory, 9, returns)
    assertClose(returns, expected)
  }
})

test('advantages with lambda 1 are n-step returns minus values', () => {
  const value = fc.double({ min: -10, max: 10, noNaN: true })
  const step = fc.record({ reward: value, value, nextValue: value, end: fc.constantFrom('none', 'none', 'terminated', 'truncated') })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const values = Float32Array.from(steps, (s) => s.value)
      const trajectory: Trajectory = {
        steps: steps.length,
        environments: 1,
        rewards: Float32Array.from(steps, (s) => s.reward),
        discounts: Float32Array.from(steps, (s) => (s.end === 'terminated' ? 0 : 0.9)),
        truncated: Uint8Array.from(steps, (s) => (s.end === 'truncated' ? 1 : 0)),
        values,
        nextValues: Float32Array.from(steps, (s, i) => (s.end === 'none' && i + 1 < steps.length ? values[i + 1]! : s.nextValue)),
      }
      const advantages = new Float32Array(steps.length)
      const returns = new Float32Array(steps.length)
      const nStep = new Float32Array(steps.length)
      generalisedAdvantages(trajectory, 1, advantages, returns)
      nStepReturns(trajectory, steps.length, nStep)
      assertClose(returns, nStep, 1e-5, 1e-4)
    }),
  )
})

test('discounts are zero where an episode terminated', () => {
  const discounts = new Float32Array(3)
  discountsOf(Uint8Array.of(0, 1, 0), 0.9, discounts)
  assertClose(discounts, [0.9, 0, 0.9])
})

test('standardising leaves mean 0 and deviation 1 (N - 1), and a single value alone', () => {
  const values = Float32Array.of(1, 2, 3)
  standardise(values)
  assertClose(values, [-1, 0, 1])
  const one = Float32Array.of(7)
  standardise(one)
  assertClose(one, [7])
})

test('explained variance', () => {
  const returns = Float32Array.of(1, 2, 3, 4)
  assert.equal(explainedVariance(returns, returns), 1)
  assert.equal(explainedVariance(new Float32Array(4), returns), 0)
  // Errors 0, 0, 0, 2 have variance 0.75, the returns 1.25.
  assertClose([explainedVariance(Float32Array.of(1, 2, 3, 2), returns)], [1 - 0.75 / 1.25])
  assert.ok(Number.isNaN(explainedVariance(returns, new Float32Array(4))))
})

test('a wrong length is refused', () => {
  assert.throws(() => lambdaReturns(rlax, 1, new Float32Array(9)), { code: 'shape' })
  assert.throws(() => nStepReturns({ ...rlax, steps: 4 }, 1, new Float32Array(8)), { code: 'shape' })
})
