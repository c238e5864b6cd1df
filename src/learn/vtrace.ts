/**
 * V-trace: corrects returns for experience that an older policy collected. [Espeholt et al. 2018, arXiv 1802.01561]
 * Pure, over [T, B] arrays (row t * B + b). A truncated step bootstraps from its final observation and cuts the trace.
 */
import { exp } from '../util/maths.ts'
import { requireTrajectory, type Trajectory } from './returns.ts'
import { requireLength } from './shapes.ts'

export interface VtraceOptions {
  /** Bound of the importance weights in the value targets. */
  readonly rhoBar: number
  /** Bound of the importance weights in the policy-gradient advantages. */
  readonly policyRhoBar: number
  /** Scales the trace coefficients c_t = lambda min(1, rho_t). */
  readonly lambda: number
}

/**
 * With rho_t = exp(logRhos_t), the ratio of the learner's to the actor's probability of the action taken, and d_t the discount:
 *   delta_t = min(rhoBar, rho_t) (r_t + d_t v_t - v_tm1)
 *   vs_t - v_tm1 = delta_t + d_t c_t (vs_{t+1} - v_t)
 *   advantage_t = min(policyRhoBar, rho_t) (r_t + d_t vs_{t+1} - v_tm1)
 * `targets` (vs) and `advantages` are [T, B]; gradients do not flow through either.
 */
export function vtrace(
  trajectory: Trajectory,
  logRhos: Float32Array,
  options: VtraceOptions,
  targets: Float32Array,
  advantages: Float32Array,
): void {
  const size = requireTrajectory(trajectory)
  requireLength('logRhos', logRhos, size)
  requireLength('targets', targets, size)
  requireLength('advantages', advantages, size)
  const { environments, rewards, discounts, truncated, values, nextValues } = trajectory
  for (let column = 0; column < environments; column++) {
    let nextTarget = 0
    let correction = 0
    for (let i = size - environments + column; i >= 0; i -= environments) {
      const rho = exp(logRhos[i]!)
      const discount = discounts[i]!
      const v_tm1 = values[i]!
      if (i >= size - environments || truncated[i] === 1) {
        nextTarget = nextValues[i]!
        correction = 0
      }
      const reward = rewards[i]!
      const bootstrapped = discount === 0 ? reward : reward + discount * nextValues[i]!
      const trace = discount === 0 ? 0 : discount * options.lambda * Math.min(1, rho) * correction
      correction = Math.min(options.rhoBar, rho) * (bootstrapped - v_tm1) + trace
      const followed = discount === 0 ? reward : reward + discount * nextTarget
      advantages[i] = Math.min(options.policyRhoBar, rho) * (followed - v_tm1)
      nextTarget = v_tm1 + correction
      targets[i] = nextTarget
    }
  }
}
