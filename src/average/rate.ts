/**
 * The learning rate of a swarm: averaging N updates leaves the expected step as it was and takes noise away, so more peers bear a higher rate.
 * The factor on the rates of the schedule is root (peers / from), at least 1 and at most the cap that the manifest names. A peer counts whom it
 * mixed lately and never what anybody claims (peer/rate.ts); the factor falls at once when they vanish and rises slowly, so that neither churn
 * nor invented peers shake it.
 */
import { RATE_RISE } from './limits.ts'

export interface RateRule {
  readonly rule: 'sqrt'
  /** Peers up to which the rate stays as it is. */
  readonly from: number
  /** Largest factor. */
  readonly cap: number
}

/** The next factor after `factor`, with `peers` in the swarm, ourselves included; 1 without a rule. */
export function nextRateFactor(factor: number, peers: number, rule: RateRule | null): number {
  if (rule === null || !(peers > 1)) return 1
  const wanted = Math.min(rule.cap, Math.max(1, Math.sqrt(peers / rule.from)))
  return Math.min(wanted, factor * RATE_RISE)
}
