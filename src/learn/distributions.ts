/**
 * Action distributions as pure functions over a batch: log-probabilities, entropies, their derivatives by the network's outputs, and samples.
 * Categorical over `classes` logits, and diagonal Gaussian with a mean per sample and one log standard deviation per action dimension.
 * All maths is our own, so equal inputs and an equal random stream give equal actions on every machine. Nothing is allocated.
 */
import type { Random } from '../ports/random.ts'
import { exp, log } from '../util/maths.ts'
import { standardNormal } from '../util/normal.ts'
import { requireLength, requireRoom } from './shapes.ts'

const HALF_LOG_TWO_PI = 0.9189385332046727

/**
 * Of `actions` [n] under softmax(logits [n, classes]): log-probabilities [n] and entropies [n] in nats; `logPolicy` [n, classes] receives the
 * log-softmax, which `categoricalGradient` needs.
 */
export function categoricalLogProbs(
  logits: Float32Array,
  classes: number,
  actions: Int32Array,
  logPolicy: Float32Array,
  logProbs: Float32Array,
  entropies: Float32Array,
): void {
  const n = logProbs.length
  requireLength('logits', logits, n * classes)
  requireLength('actions', actions, n)
  requireLength('logPolicy', logPolicy, n * classes)
  requireLength('entropies', entropies, n)
  for (let i = 0; i < n; i++) {
    const row = i * classes
    let largest = logits[row]!
    for (let j = 1; j < classes; j++) if (logits[row + j]! > largest) largest = logits[row + j]!
    let sum = 0
    let weighted = 0
    for (let j = 0; j < classes; j++) {
      const above = logits[row + j]! - largest
      const weight = exp(above)
      sum += weight
      if (weight > 0) weighted += weight * above
    }
    const logSum = log(sum)
    for (let j = 0; j < classes; j++) logPolicy[row + j] = logits[row + j]! - largest - logSum
    logProbs[i] = logPolicy[row + actions[i]!]!
    entropies[i] = logSum - weighted / sum
  }
}

/**
 * dL/d(logits) [n, classes] from dL/d(log-probability of the action taken) [n] and dL/d(entropy), the same for every sample:
 * d(log p_a)/dz_j = [j = a] - p_j; dH/dz_j = -p_j (log p_j + H).
 */
export function categoricalGradient(
  logPolicy: Float32Array,
  classes: number,
  actions: Int32Array,
  entropies: Float32Array,
  dLogProbs: Float32Array,
  dEntropy: number,
  dLogits: Float32Array,
): void {
  const n = dLogProbs.length
  requireLength('logPolicy', logPolicy, n * classes)
  requireLength('actions', actions, n)
  requireLength('entropies', entropies, n)
  requireLength('dLogits', dLogits, n * classes)
  for (let i = 0; i < n; i++) {
    const row = i * classes
    const dLogProb = dLogProbs[i]!
    const entropy = entropies[i]!
    for (let j = 0; j < classes; j++) {
      const logP = logPolicy[row + j]!
      const p = exp(logP)
      dLogits[row + j] = p > 0 ? -p * (dLogProb + dEntropy * (logP + entropy)) : 0
    }
    const taken = row + actions[i]!
    dLogits[taken] = dLogits[taken]! + dLogProb
  }
}

/** One action per row of `logits` [n, classes] into `actions` [n], by inverting the cumulative distribution; one uniform number per row. */
export function sampleCategorical(logits: Float32Array, classes: number, random: Random, actions: Int32Array): void {
  const n = actions.length
  requireLength('logits', logits, n * classes)
  for (let i = 0; i < n; i++) {
    const row = i * classes
    let largest = logits[row]!
    for (let j = 1; j < classes; j++) if (logits[row + j]! > largest) largest = logits[row + j]!
    let sum = 0
    for (let j = 0; j < classes; j++) sum += exp(logits[row + j]! - largest)
    let left = random.uniform() * sum
    let action = 0
    // The last class takes what rounding leaves over; logits that are not numbers fall through to class 0.
    for (; action < classes - 1; action++) {
      left -= exp(logits[row + action]! - largest)
      if (!(left >= 0)) break
    }
    actions[i] = action
  }
}

/** The most probable class of each row of `logits` [n, classes] into `actions` [n]; the first of equals. */
export function likeliestCategorical(logits: Float32Array, classes: number, actions: Int32Array): void {
  const n = actions.length
  requireLength('logits', logits, n * classes)
  for (let i = 0; i < n; i++) {
    const row = i * classes
    let best = 0
    for (let j = 1; j < classes; j++) if (logits[row + j]! > logits[row + best]!) best = j
    actions[i] = best
  }
}

/** Log-densities [n] of `actions` [n, a] under a Gaussian with `mean` [n, a] and independent components of log standard deviation `logStd` [a]. */
export function gaussianLogProbs(mean: Float32Array, logStd: Float32Array, actions: Float32Array, logProbs: Float32Array): void {
  const n = logProbs.length
  const width = logStd.length
  requireLength('mean', mean, n * width)
  requireLength('actions', actions, n * width)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let k = 0; k < width; k++) {
      const z = (actions[i * width + k]! - mean[i * width + k]!) * exp(-logStd[k]!)
      sum -= 0.5 * z * z + logStd[k]! + HALF_LOG_TWO_PI
    }
    logProbs[i] = sum
  }
}

/** Differential entropy in nats of a diagonal Gaussian with log standard deviations `logStd` [a]; the same for every mean. */
export function gaussianEntropy(logStd: Float32Array): number {
  let sum = 0
  for (let k = 0; k < logStd.length; k++) sum += logStd[k]! + HALF_LOG_TWO_PI + 0.5
  return sum
}

/**
 * dL/d(mean) [n, a] and dL/d(logStd) [a] from dL/d(log-density) [n] and `dEntropy`, dL/d(entropy) of one sample, the same for all n:
 * d(log p)/d(mean) = z / std; d(log p)/d(logStd) = z^2 - 1; dH/d(logStd) = 1.
 */
export function gaussianGradient(
  mean: Float32Array,
  logStd: Float32Array,
  actions: Float32Array,
  dLogProbs: Float32Array,
  dEntropy: number,
  dMean: Float32Array,
  dLogStd: Float32Array,
): void {
  const n = dLogProbs.length
  const width = logStd.length
  requireLength('mean', mean, n * width)
  requireLength('actions', actions, n * width)
  requireLength('dMean', dMean, n * width)
  requireLength('dLogStd', dLogStd, width)
  for (let k = 0; k < width; k++) {
    const inverse = exp(-logStd[k]!)
    let sum = n * dEntropy
    for (let i = 0; i < n; i++) {
      const z = (actions[i * width + k]! - mean[i * width + k]!) * inverse
      dMean[i * width + k] = dLogProbs[i]! * z * inverse
      sum += dLogProbs[i]! * (z * z - 1)
    }
    dLogStd[k] = sum
  }
}

/** One action per row of `mean` [n, a] into `actions` [n, a]; two uniform numbers per component. */
export function sampleGaussian(mean: Float32Array, logStd: Float32Array, random: Random, actions: Float32Array): void {
  const width = logStd.length
  requireRoom('mean', mean, actions.length)
  for (let i = 0; i < actions.length; i++) {
    actions[i] = mean[i]! + exp(logStd[i % width]!) * standardNormal(random)
  }
}
