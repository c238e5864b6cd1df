import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineNetwork } from '../../src/learn/engine.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { duelingNetwork } from '../../src/learn/networks.ts'
import { bestAction, doubleQTargets, duelingGradient, duelingValues, qLearningLoss } from '../../src/learn/q-losses.ts'
import { seededRandom } from '../../src/util/random.ts'
import { assertClose, flat } from './helpers.ts'

const zeros = (n: number) => new Float32Array(n)

test("rlax's Q-learning: the errors are 0 and 1", () => {
  const q_tm1 = flat([
    [1, 1, 0],
    [1, 2, 0],
  ])
  const q_t = flat([
    [0, 1, 0],
    [1, 2, 0],
  ])
  const targets = zeros(2)
  doubleQTargets(Float32Array.of(1, 1), Float32Array.of(0, 1), q_t, q_t, targets)
  const errors = zeros(2)
  qLearningLoss(q_tm1, Int32Array.of(0, 1), targets, Float32Array.of(1, 1), null, errors, zeros(6))
  assert.deepEqual(errors, Float32Array.of(0, 1))
})

test("rlax's double Q-learning: one network selects, the other values", () => {
  const values = flat([
    [99, 1, 98],
    [91, 2, 66],
  ])
  const selectors = flat([
    [2, 10, 1],
    [11, 20, 1],
  ])
  const targets = zeros(2)
  doubleQTargets(Float32Array.of(1, 1), Float32Array.of(0, 1), selectors, values, targets)
  assert.deepEqual(targets, Float32Array.of(1, 3))
  const errors = zeros(2)
  qLearningLoss(
    flat([
      [1, 1, 0],
      [1, 2, 0],
    ]),
    Int32Array.of(0, 1),
    targets,
    Float32Array.of(1, 1),
    null,
    errors,
    zeros(6),
  )
  assert.deepEqual(errors, Float32Array.of(0, 1))
})

test('the target of three steps: 1 + 0.99^2 * 2 + 0.99^3 * 5', () => {
  const targets = zeros(1)
  doubleQTargets(Float32Array.of(1 + 0.9801 * 2), Float32Array.of(0.970299), flat([[0, 1]]), flat([[8, 5]]), targets)
  assertClose(targets, [7.811695])
})

test('a discount of 0 lets nothing in, not even infinity', () => {
  const targets = zeros(1)
  doubleQTargets(Float32Array.of(3), Float32Array.of(0), flat([[0, 1]]), flat([[1, Number.POSITIVE_INFINITY]]), targets)
  assert.equal(targets[0], 3)
})

test('the best action is the first of equals, and some action where none is a number', () => {
  assert.equal(bestAction(Float32Array.of(9, 1, 3, 3, 2), 1, 4), 1)
  assert.equal(bestAction(Float32Array.of(Number.NaN, Number.NaN), 0, 2), 0)
})

test('dueling values: the advantages are taken against their mean', () => {
  const q = zeros(6)
  duelingValues(
    Float32Array.of(10, -1),
    flat([
      [1, 2, 6],
      [0, 0, 0],
    ]),
    q,
  )
  assert.deepEqual(q, Float32Array.of(8, 9, 13, -1, -1, -1))
})

test('losses by hand: weights, Huber beyond its threshold, squared without', () => {
  const q = flat([
    [1, 0],
    [0, 2],
    [0, 0],
  ])
  const actions = Int32Array.of(0, 1, 0)
  const targets = Float32Array.of(1.5, -1, 4)
  const weights = Float32Array.of(1, 0.5, 0.25)
  const errors = zeros(3)
  const dQ = zeros(6).fill(7)
  // 0.125 + 0.5 (3 - 0.5) + 0.25 (4 - 0.5)
  assertClose([qLearningLoss(q, actions, targets, weights, 1, errors, dQ)], [2.25 / 3])
  assert.deepEqual(errors, Float32Array.of(0.5, -3, 4))
  assertClose(dQ, [-0.5 / 3, 0, 0, 0.5 / 3, -0.25 / 3, 0])
  // 0.125 + 0.5 * 4.5 + 0.25 * 8
  assertClose([qLearningLoss(q, actions, targets, weights, null, errors, dQ)], [4.375 / 3])
  assertClose(dQ, [-0.5 / 3, 0, 0, 1.5 / 3, -1 / 3, 0])
})

test('a wrong length is refused', () => {
  assert.throws(() => duelingValues(zeros(2), zeros(6), zeros(5)), { code: 'shape' })
  assert.throws(() => duelingGradient(zeros(6), zeros(2), zeros(5)), { code: 'shape' })
  assert.throws(() => doubleQTargets(zeros(2), zeros(2), zeros(6), zeros(5), zeros(2)), { code: 'shape' })
  assert.throws(() => qLearningLoss(zeros(6), new Int32Array(2), zeros(3), zeros(2), 1, zeros(2), zeros(6)), { code: 'shape' })
})

const ROWS = 6
const ACTIONS = 3

/** Loss of a dueling network on a fixed batch, half of it beyond Huber's threshold; leaves the output gradients behind. */
function lossOf(network: EngineNetwork, arena: ReturnType<EngineNetwork['allocate']>, observations: Float32Array): number {
  const q = zeros(ROWS * ACTIONS)
  const dQ = zeros(ROWS * ACTIONS)
  network.forward(arena, observations, ROWS)
  duelingValues(network.output('value'), network.output('advantage'), q)
  const targets = Float32Array.of(5, 0.1, -4, 0.3, 7, -0.2)
  const weights = Float32Array.of(1, 0.5, 0.7, 0.9, 0.3, 0.6)
  const loss = qLearningLoss(q, Int32Array.of(0, 1, 2, 2, 1, 0), targets, weights, 1, zeros(ROWS), dQ)
  duelingGradient(dQ, network.outputGradient('value'), network.outputGradient('advantage'))
  return loss
}

test('gradients of the loss through a network agree with finite differences', async () => {
  const engine = await createEngine('wasm', { deterministic: true })
  const layer = { kind: 'dense', units: 7, activation: 'tanh' } as const
  const bound = Float32Array.of(1, 1, 1)
  const observed = { kind: 'box', shape: [3], low: bound, high: bound } as const
  const spec = duelingNetwork({ torso: [layer], head: [layer] }, observed, { kind: 'discrete', n: ACTIONS })
  const network = engine.build(spec, ROWS)
  const random = seededRandom('gradients')
  const values = (n: number, size: number) => Float32Array.from({ length: n }, () => size * (2 * random.uniform() - 1))
  const parameters = values(network.parameterCount, 0.7)
  const observations = values(ROWS * 3, 1)
  const arena = network.allocate()
  const gradientArena = network.allocate()
  network.write(arena, parameters)
  lossOf(network, arena, observations)
  network.backward(arena, observations, ROWS, gradientArena)
  const gradient = zeros(network.parameterCount)
  network.read(gradientArena, gradient)

  const h = 4e-3
  for (let trial = 0; trial < 5; trial++) {
    const direction = values(network.parameterCount, 1)
    const lossAt = (distance: number) => {
      network.write(
        arena,
        parameters.map((value, i) => value + distance * direction[i]!),
      )
      return lossOf(network, arena, observations)
    }
    // Richardson's extrapolation of two central differences: the error is of the fourth order in h.
    const slope = (4 * (lossAt(h / 2) - lossAt(-h / 2))) / (3 * h) - (lossAt(h) - lossAt(-h)) / (6 * h)
    const expected = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0)
    assertClose([expected], [slope], 1e-3, 1e-5)
  }
  network.dispose()
})
