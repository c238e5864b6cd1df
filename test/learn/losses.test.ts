import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  categoricalGradient,
  categoricalLogProbs,
  gaussianEntropy,
  gaussianGradient,
  gaussianLogProbs,
} from '../../src/learn/distributions.ts'
import { clippedSurrogateLoss, clippedValueLoss, policyGradientLoss, type SurrogateStatistics, valueLoss } from '../../src/learn/losses.ts'
import { linearSchedule } from '../../src/learn/schedules.ts'
import { assertClose } from './helpers.ts'

// The inputs and answers of rlax's tests (policy_gradients_test.py); weights multiply the advantages and the entropies.
const logits = Float32Array.of(1, 1, 1, 2, 0, 0, -1, -2, -3)
const actions = Int32Array.of(0, 1, 2)
const advantages = Float32Array.of(0.3, 0.2, 0.1)
const weights = [-2, 2, 0]

function evaluate(values: Float32Array) {
  const logPolicy = new Float32Array(9)
  const logProbs = new Float32Array(3)
  const entropies = new Float32Array(3)
  categoricalLogProbs(values, 3, actions, logPolicy, logProbs, entropies)
  return { logPolicy, logProbs, entropies }
}

test('policy-gradient loss and entropies of the reference', () => {
  const { logProbs, entropies } = evaluate(logits)
  const weighted = advantages.map((advantage, i) => advantage * weights[i]!)
  const dLogProbs = new Float32Array(3)
  assertClose([policyGradientLoss(logProbs, weighted, dLogProbs)], [0.0788835111])
  assertClose(dLogProbs, [0.6 / 3, -0.4 / 3, 0])
  assertClose(entropies, [1.09861229, 0.66557268, 0.83239558])
  assertClose([-entropies.reduce((sum, entropy, i) => sum + entropy * weights[i]!, 0) / 3], [0.288693], 1e-5)
})

test('clipped surrogate loss of the reference', () => {
  const { logProbs } = evaluate(logits)
  const old = evaluate(Float32Array.of(1, 1, 1, 2, 0, 0, -3, -2, -1)).logProbs
  const ratios = logProbs.map((value, i) => Math.exp(value - old[i]!))
  assertClose(ratios, [1, 1, 0.13533528])
  const statistics: SurrogateStatistics = { loss: 0, approximateKl: 0, clipFraction: 0 }
  const dLogProbs = new Float32Array(3)
  clippedSurrogateLoss(logProbs, old, advantages, 0.2, dLogProbs, statistics)
  assertClose([statistics.loss], [-0.17117784])
  // The third ratio is below 0.8 with a positive advantage: the plain branch is the larger and still pulls it up.
  assertClose(dLogProbs, [-0.3 / 3, -0.2 / 3, (-0.1 * 0.13533528) / 3])
  assertClose([statistics.clipFraction, statistics.approximateKl], [1 / 3, (0.13533528 - 1 + 2) / 3])
  clippedSurrogateLoss(
    logProbs,
    old,
    advantages.map((advantage) => -advantage),
    0.2,
    dLogProbs,
    statistics,
  )
  assertClose([statistics.loss], [0.19333333])
  assertClose(dLogProbs, [0.3 / 3, 0.2 / 3, 0])
})

test('value losses by hand', () => {
  const values = Float32Array.of(1, 5, 2)
  const returns = Float32Array.of(3, 5, 1)
  const dValues = new Float32Array(3)
  assertClose([valueLoss(values, returns, 0.5, dValues)], [(4 + 0 + 1) / 3])
  assertClose(dValues, [-2 / 3, 0, 1 / 3])
  // Old values 0, 4.5, 2 and epsilon 0.5: the clipped predictions are 0.5, 5, 2 with errors -2.5, 0, 1.
  assertClose([clippedValueLoss(values, Float32Array.of(0, 4.5, 2), returns, 0.5, 0.5, dValues)], [(6.25 + 0 + 1) / 3])
  assertClose(dValues, [0, 0, 1 / 3])
})

/** Central differences of `loss` around `at`. */
function numericGradient(at: Float32Array, loss: (values: Float32Array) => number): number[] {
  const h = 1 / 256
  return Array.from(at, (_, i) => {
    const up = at.slice()
    const down = at.slice()
    up[i]! += h
    down[i]! -= h
    return (loss(up) - loss(down)) / (up[i]! - down[i]!)
  })
}

test('categorical gradients agree with finite differences', () => {
  const entropyWeight = 0.3
  const loss = (values: Float32Array) => {
    const { logProbs, entropies } = evaluate(values)
    return policyGradientLoss(logProbs, advantages, new Float32Array(3)) - (entropyWeight * entropies.reduce((a, b) => a + b)) / 3
  }
  const { logPolicy, logProbs, entropies } = evaluate(logits)
  const dLogProbs = new Float32Array(3)
  const dLogits = new Float32Array(9)
  policyGradientLoss(logProbs, advantages, dLogProbs)
  categoricalGradient(logPolicy, 3, actions, entropies, dLogProbs, -entropyWeight / 3, dLogits)
  assertClose(dLogits, numericGradient(logits, loss), 1e-3, 2e-5)
})

test('Gaussian log-density, entropy and gradients', () => {
  const mean = Float32Array.of(0, 1, -1, 0.5)
  const logStd = Float32Array.of(0, Math.log(2))
  const taken = Float32Array.of(1, 1, -1.5, 4)
  const logProbs = new Float32Array(2)
  gaussianLogProbs(mean, logStd, taken, logProbs)
  const logDensity = (z: number, std: number) => -0.5 * z * z - Math.log(std) - 0.5 * Math.log(2 * Math.PI)
  assertClose(logProbs, [logDensity(1, 1) + logDensity(0, 2), logDensity(-0.5, 1) + logDensity(1.75, 2)])
  assertClose([gaussianEntropy(logStd)], [Math.log(2) + Math.log(2 * Math.PI * Math.E)])

  const scores = Float32Array.of(0.7, -0.4)
  const entropyWeight = 0.3
  const loss = (m: Float32Array, s: Float32Array) => {
    const values = new Float32Array(2)
    gaussianLogProbs(m, s, taken, values)
    return policyGradientLoss(values, scores, new Float32Array(2)) - entropyWeight * gaussianEntropy(s)
  }
  const dLogProbs = new Float32Array(2)
  const dMean = new Float32Array(4)
  const dLogStd = new Float32Array(2)
  policyGradientLoss(logProbs, scores, dLogProbs)
  gaussianGradient(mean, logStd, taken, dLogProbs, -entropyWeight / 2, dMean, dLogStd)
  assertClose(
    dMean,
    numericGradient(mean, (m) => loss(m, logStd)),
    1e-3,
    1e-4,
  )
  assertClose(
    dLogStd,
    numericGradient(logStd, (s) => loss(mean, s)),
    1e-3,
    1e-4,
  )
})

test('extreme logits stay finite', () => {
  const { logProbs, entropies } = evaluate(Float32Array.of(1e4, -1e4, 0, -1e4, 1e4, 0, 0, 0, 3e4))
  assertClose(logProbs, [0, 0, 0])
  assertClose(entropies, [0, 0, 0])
})

test('a linear schedule ends at the horizon and stays', () => {
  assert.equal(linearSchedule(1, 0.2, 100, 0), 1)
  assertClose([linearSchedule(1, 0.2, 100, 50)], [0.6])
  assert.equal(linearSchedule(1, 0.2, 100, 100), 0.2)
  assert.equal(linearSchedule(1, 0.2, 100, 1e9), 0.2)
})
