/**
 * Losses of actor-critic algorithms as pure functions over a batch of n samples. Each returns a mean over the batch and writes its derivative
 * by the policy's log-probabilities or by the values into an array of the caller; `distributions` carries those on to the network's outputs.
 * A wrong length throws GrapevineError `shape`. Nothing is allocated.
 */
import { exp } from '../util/maths.ts'
import { requireLength } from './shapes.ts'

/**
 * Policy-gradient loss -mean(A log pi(a|s)); advantages are constants. Writes dL/d(log pi) [n]. All arrays [n].
 * [Williams 1992; Mnih et al. 2016, arXiv 1602.01783]
 */
export function policyGradientLoss(logProbs: Float32Array, advantages: Float32Array, dLogProbs: Float32Array): number {
  const n = logProbs.length
  requireLength('advantages', advantages, n)
  requireLength('dLogProbs', dLogProbs, n)
  let sum = 0
  for (let i = 0; i < n; i++) {
    const advantage = advantages[i]!
    sum -= advantage * logProbs[i]!
    dLogProbs[i] = -advantage / n
  }
  return sum / n
}

/** Mean squared error mean((R - v)^2); targets are constants. Writes coefficient * dL/dv [n]. All arrays [n]. */
export function valueLoss(values: Float32Array, returns: Float32Array, coefficient: number, dValues: Float32Array): number {
  const n = values.length
  requireLength('returns', returns, n)
  requireLength('dValues', dValues, n)
  const scale = (2 * coefficient) / n
  let sum = 0
  for (let i = 0; i < n; i++) {
    const error = values[i]! - returns[i]!
    sum += error * error
    dValues[i] = scale * error
  }
  return sum / n
}

/** What `clippedSurrogateLoss` found; one object, reused. */
export interface SurrogateStatistics {
  loss: number
  /** Mean of (ratio - 1) - log ratio, the low-variance estimate of KL(old, new). [Schulman, "Approximating KL divergence"] */
  approximateKl: number
  /** Fraction of samples whose ratio left [1 - epsilon, 1 + epsilon]. */
  clipFraction: number
}

/**
 * PPO's clipped surrogate mean(max(-A ratio, -A clip(ratio, 1 - epsilon, 1 + epsilon))) with ratio = exp(logProbs - oldLogProbs).
 * Writes dL/d(log pi) [n], 0 where the clipped branch is the larger. All arrays [n]. [Schulman et al. 2017, arXiv 1707.06347]
 */
export function clippedSurrogateLoss(
  logProbs: Float32Array,
  oldLogProbs: Float32Array,
  advantages: Float32Array,
  epsilon: number,
  dLogProbs: Float32Array,
  statistics: SurrogateStatistics,
): void {
  const n = logProbs.length
  requireLength('oldLogProbs', oldLogProbs, n)
  requireLength('advantages', advantages, n)
  requireLength('dLogProbs', dLogProbs, n)
  let loss = 0
  let kl = 0
  let outside = 0
  for (let i = 0; i < n; i++) {
    const logRatio = logProbs[i]! - oldLogProbs[i]!
    const ratio = exp(logRatio)
    const advantage = advantages[i]!
    const plain = -advantage * ratio
    const clipped = -advantage * Math.min(Math.max(ratio, 1 - epsilon), 1 + epsilon)
    loss += Math.max(plain, clipped)
    dLogProbs[i] = plain >= clipped ? plain / n : 0
    kl += ratio - 1 - logRatio
    if (Math.abs(ratio - 1) > epsilon) outside++
  }
  statistics.loss = loss / n
  statistics.approximateKl = kl / n
  statistics.clipFraction = outside / n
}

/**
 * PPO's clipped value loss mean(max((v - R)^2, (vOld + clip(v - vOld, -epsilon, epsilon) - R)^2)). Writes coefficient * dL/dv [n].
 * All arrays [n]. [Schulman's implementation; "The 37 implementation details of PPO", 9]
 */
export function clippedValueLoss(
  values: Float32Array,
  oldValues: Float32Array,
  returns: Float32Array,
  epsilon: number,
  coefficient: number,
  dValues: Float32Array,
): number {
  const n = values.length
  requireLength('oldValues', oldValues, n)
  requireLength('returns', returns, n)
  requireLength('dValues', dValues, n)
  const scale = (2 * coefficient) / n
  let sum = 0
  for (let i = 0; i < n; i++) {
    const old = oldValues[i]!
    const moved = values[i]! - old
    const error = values[i]! - returns[i]!
    const clippedError = old + Math.min(Math.max(moved, -epsilon), epsilon) - returns[i]!
    if (error * error >= clippedError * clippedError) {
      sum += error * error
      dValues[i] = scale * error
    } else {
      sum += clippedError * clippedError
      // The clipped branch is the larger and constant in v: outside the range nothing pulls.
      dValues[i] = 0
    }
  }
  return sum / n
}
