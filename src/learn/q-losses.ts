/**
 * The maths of Q-learning as pure functions over a batch of n samples and A actions: dueling values, double-Q targets, the weighted loss and
 * its derivatives. A wrong length throws GrapevineError `shape`. Nothing is allocated.
 */
import { requireLength } from './shapes.ts'

/** Dueling values Q = V + A - mean_a A into `q` [n, A] from V [n] and A [n, A]. [Wang et al. 2016, arXiv 1511.06581, eq. 9] */
export function duelingValues(values: Float32Array, advantages: Float32Array, q: Float32Array): void {
  const n = values.length
  const actions = advantages.length / n
  requireLength('q', q, advantages.length)
  for (let i = 0; i < n; i++) {
    const row = i * actions
    let sum = 0
    for (let a = 0; a < actions; a++) sum += advantages[row + a]!
    const base = values[i]! - sum / actions
    for (let a = 0; a < actions; a++) q[row + a] = base + advantages[row + a]!
  }
}

/** dL/dV = sum_a dL/dQ into `dValues` [n], dL/dA_a = dL/dQ_a - mean dL/dQ into `dAdvantages` [n, A], from dL/dQ [n, A]. */
export function duelingGradient(dQ: Float32Array, dValues: Float32Array, dAdvantages: Float32Array): void {
  const n = dValues.length
  const actions = dQ.length / n
  requireLength('dAdvantages', dAdvantages, dQ.length)
  for (let i = 0; i < n; i++) {
    const row = i * actions
    let sum = 0
    for (let a = 0; a < actions; a++) sum += dQ[row + a]!
    dValues[i] = sum
    const mean = sum / actions
    for (let a = 0; a < actions; a++) dAdvantages[row + a] = dQ[row + a]! - mean
  }
}

/** The action of the largest of `actions` values from `offset` on; the first of equals, and 0 where none is a number. */
export function bestAction(q: Float32Array, offset: number, actions: number): number {
  let best = 0
  for (let a = 1; a < actions; a++) if (q[offset + a]! > q[offset + best]!) best = a
  return best
}

/**
 * Double-Q targets G_i = R_i + d_i Q_target(s'_i, argmax_a Q(s'_i, a)) into `targets` [n]: `selectors` [n, A] choose, `evaluations` [n, A]
 * value. R [n] and d [n] are the m-step sum and gamma^m; where d is 0, nothing of s' enters. [van Hasselt et al. 2016, arXiv 1509.06461]
 */
export function doubleQTargets(
  rewards: Float32Array,
  discounts: Float32Array,
  selectors: Float32Array,
  evaluations: Float32Array,
  targets: Float32Array,
): void {
  const n = rewards.length
  const actions = selectors.length / n
  requireLength('discounts', discounts, n)
  requireLength('evaluations', evaluations, selectors.length)
  requireLength('targets', targets, n)
  for (let i = 0; i < n; i++) {
    const row = i * actions
    const discount = discounts[i]!
    targets[i] = discount === 0 ? rewards[i]! : rewards[i]! + discount * evaluations[row + bestAction(selectors, row, actions)]!
  }
}

/**
 * mean_i(w_i h(G_i - Q(s_i, a_i))) with h(x) = x^2 / 2, or Huber's: linear beyond `huberThreshold` (null: never). Targets are constants.
 * Writes the temporal-difference errors G - Q into `tdErrors` [n] and dL/dQ into all of `dQ` [n, A].
 */
export function qLearningLoss(
  q: Float32Array,
  actions: Int32Array,
  targets: Float32Array,
  weights: Float32Array,
  huberThreshold: number | null,
  tdErrors: Float32Array,
  dQ: Float32Array,
): number {
  const n = actions.length
  const width = q.length / n
  requireLength('targets', targets, n)
  requireLength('weights', weights, n)
  requireLength('tdErrors', tdErrors, n)
  requireLength('dQ', dQ, q.length)
  dQ.fill(0)
  let sum = 0
  for (let i = 0; i < n; i++) {
    const at = i * width + actions[i]!
    const error = targets[i]! - q[at]!
    const size = Math.abs(error)
    tdErrors[i] = error
    if (huberThreshold === null || size <= huberThreshold) {
      sum += weights[i]! * 0.5 * error * error
      dQ[at] = (-weights[i]! * error) / n
    } else {
      sum += weights[i]! * huberThreshold * (size - 0.5 * huberThreshold)
      dQ[at] = (-weights[i]! * huberThreshold * Math.sign(error)) / n
    }
  }
  return sum / n
}
