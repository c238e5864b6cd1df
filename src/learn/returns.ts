/**
 * Returns and advantages of a trajectory, as pure functions over [T, B] arrays (row t * B + b), each one a single backward scan.
 * Terminated steps carry a discount of 0 and bootstrap from nothing; truncated steps keep their discount, bootstrap from the value of the
 * final observation (`nextValues`), and cut the trace: nothing of the next episode flows into them.
 * A wrong length throws GrapevineError `shape`. Sums run in double precision; results are stored as float32.
 */
import { requireLength } from './shapes.ts'

/** Experience in time: T steps of B environments. */
export interface Trajectory {
  /** T */
  readonly steps: number
  /** B */
  readonly environments: number
  /** r_t [T, B] */
  readonly rewards: Float32Array
  /** [T, B]: gamma, or 0 where step t terminated its episode */
  readonly discounts: Float32Array
  /** [T, B], 0 or 1 */
  readonly truncated: Uint8Array
  /** v_tm1 [T, B]: value of the observation in which step t acted */
  readonly values: Float32Array
  /** v_t [T, B]: value of the observation that followed; of the final one where step t was truncated; ignored where its discount is 0 */
  readonly nextValues: Float32Array
}

export function requireTrajectory(trajectory: Trajectory): number {
  const size = trajectory.steps * trajectory.environments
  requireLength('rewards', trajectory.rewards, size)
  requireLength('discounts', trajectory.discounts, size)
  requireLength('truncated', trajectory.truncated, size)
  requireLength('values', trajectory.values, size)
  requireLength('nextValues', trajectory.nextValues, size)
  return size
}

/**
 * Lambda returns into `returns` [T, B]: G_t = r_t + d_t ((1 - lambda) v_t + lambda G_{t+1}), with G_T = v_{T-1}.
 * `lambda` 1 gives discounted returns that bootstrap at the end of the trajectory, 0 the one-step target.
 * [Sutton and Barto 2018, 12.3]
 */
export function lambdaReturns(trajectory: Trajectory, lambda: number, returns: Float32Array): void {
  const size = requireTrajectory(trajectory)
  requireLength('returns', returns, size)
  const { environments, rewards, discounts, truncated, nextValues } = trajectory
  for (let column = 0; column < environments; column++) {
    let next = 0
    for (let i = size - environments + column; i >= 0; i -= environments) {
      const v_t = nextValues[i]!
      const last = i >= size - environments || truncated[i] === 1
      const discount = discounts[i]!
      const ahead = last ? v_t : (1 - lambda) * v_t + lambda * next
      next = discount === 0 ? rewards[i]! : rewards[i]! + discount * ahead
      returns[i] = next
    }
  }
}

/**
 * n-step returns into `returns` [T, B]: the discounted sum of the next n rewards plus the discounted value that follows; fewer where the
 * episode or the trajectory ends. [Sutton and Barto 2018, 7.1]
 */
export function nStepReturns(trajectory: Trajectory, n: number, returns: Float32Array): void {
  const size = requireTrajectory(trajectory)
  requireLength('returns', returns, size)
  const { environments, rewards, discounts, truncated, nextValues } = trajectory
  for (let i = 0; i < size; i++) {
    let sum = 0
    let weight = 1
    for (let k = 1, j = i; ; k++, j += environments) {
      sum += weight * rewards[j]!
      weight *= discounts[j]!
      if (weight === 0) break
      if (k >= n || truncated[j] === 1 || j + environments >= size) {
        sum += weight * nextValues[j]!
        break
      }
    }
    returns[i] = sum
  }
}

/**
 * Generalised advantage estimates into `advantages` [T, B] and the value targets A + v_tm1 into `returns` [T, B]:
 * delta_t = r_t + d_t v_t - v_tm1; A_t = delta_t + d_t lambda A_{t+1}, where the sum stops after a truncated step.
 * [Schulman et al. 2016, arXiv 1506.02438]
 */
export function generalisedAdvantages(trajectory: Trajectory, lambda: number, advantages: Float32Array, returns: Float32Array): void {
  const size = requireTrajectory(trajectory)
  requireLength('advantages', advantages, size)
  requireLength('returns', returns, size)
  const { environments, rewards, discounts, truncated, values, nextValues } = trajectory
  for (let column = 0; column < environments; column++) {
    let next = 0
    for (let i = size - environments + column; i >= 0; i -= environments) {
      const discount = discounts[i]!
      const v_tm1 = values[i]!
      const target = discount === 0 ? rewards[i]! : rewards[i]! + discount * nextValues[i]!
      const trace = truncated[i] === 1 ? 0 : discount * lambda * next
      next = target - v_tm1 + trace
      advantages[i] = next
      returns[i] = next + v_tm1
    }
  }
}

/** Discounts into `discounts`: gamma, or 0 where terminated. All of one length. */
export function discountsOf(terminated: Uint8Array, gamma: number, discounts: Float32Array): void {
  requireLength('discounts', discounts, terminated.length)
  for (let i = 0; i < terminated.length; i++) discounts[i] = terminated[i] === 1 ? 0 : gamma
}

/** Scales `values` in place to mean 0 and standard deviation 1 (N - 1, as PyTorch; + 1e-8). Fewer than two values are left as they are. */
export function standardise(values: Float32Array): void {
  const n = values.length
  if (n < 2) return
  let sum = 0
  for (let i = 0; i < n; i++) sum += values[i]!
  const mean = sum / n
  let squares = 0
  for (let i = 0; i < n; i++) {
    const difference = values[i]! - mean
    squares += difference * difference
  }
  const scale = 1 / (Math.sqrt(squares / (n - 1)) + 1e-8)
  for (let i = 0; i < n; i++) values[i] = (values[i]! - mean) * scale
}

/** 1 - Var(returns - values) / Var(returns): 1 is a perfect critic, 0 no better than a constant; NaN when the returns do not vary. */
export function explainedVariance(values: Float32Array, returns: Float32Array): number {
  requireLength('values', values, returns.length)
  const n = returns.length
  let returnSum = 0
  let errorSum = 0
  for (let i = 0; i < n; i++) {
    returnSum += returns[i]!
    errorSum += returns[i]! - values[i]!
  }
  let returnSquares = 0
  let errorSquares = 0
  for (let i = 0; i < n; i++) {
    const fromMean = returns[i]! - returnSum / n
    const unexplained = returns[i]! - values[i]! - errorSum / n
    returnSquares += fromMean * fromMean
    errorSquares += unexplained * unexplained
  }
  return returnSquares === 0 ? Number.NaN : 1 - errorSquares / returnSquares
}
