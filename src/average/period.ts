/**
 * Consensus control: the period between rounds follows how far replicas are apart. Apart is measured as the relative consensus distance just
 * before a mix, which grows with the period; where it is below its target, rounds can be rarer, which saves bytes, and where it is above,
 * they come more often. Learning is known to suffer beyond the dangerous level: reference values per algorithm are in limits.ts.
 */
import { pow } from '../util/maths.ts'
import { CONSENSUS_LEVELS, CONTROL_GAIN, CONTROL_MAX_STEP, type ConsensusLevels, OTHER_CONSENSUS_LEVELS } from './limits.ts'

export interface PeriodBounds {
  /** Updates between rounds, at least and at most. */
  readonly least: number
  readonly most: number
}

/** Where the relative consensus distance of this algorithm should be, and from where on it hurts. */
export function consensusLevels(algorithm: string): ConsensusLevels {
  return (Object.hasOwn(CONSENSUS_LEVELS, algorithm) ? CONSENSUS_LEVELS[algorithm] : undefined) ?? OTHER_CONSENSUS_LEVELS
}

/**
 * The next period after one of `period` updates, within `bounds`: period (target / distance)^CONTROL_GAIN, by at most a factor of
 * CONTROL_MAX_STEP at once. It need not be whole: rounding is the caller's, so that small corrections add up. A distance of 0 or one that is
 * not finite says nothing, and nothing changes.
 */
export function nextPeriod(period: number, distance: number, target: number, bounds: PeriodBounds): number {
  if (!(distance > 0) || !Number.isFinite(distance)) return period
  const step = pow(target / distance, CONTROL_GAIN)
  const limited = Math.min(CONTROL_MAX_STEP, Math.max(1 / CONTROL_MAX_STEP, step))
  return Math.min(bounds.most, Math.max(bounds.least, period * limited))
}
