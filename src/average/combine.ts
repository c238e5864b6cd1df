/**
 * Robust rules: how the differences of one mix become the own move. The own parameters always count as one vote, a difference of 0.
 *
 * none, clip: the mean (clipping has scaled the differences before: robust.ts). trimmed: the mean without a quarter of the votes at either
 * end, coordinate by coordinate. median: the coordinate-wise median. The last two keep the swarm's mean only roughly, and need more than
 * two neighbours to differ from the mean. [coordinate median and trimmed mean: Yin et al., arXiv 1803.01498]
 */
import { GrapevineError } from '../util/errors.ts'
import { broadcastDelta } from './broadcast.ts'
import { TRIMMED_SHARE } from './limits.ts'

export const ROBUST_RULES = ['clip', 'none', 'median', 'trimmed'] as const

export type RobustRule = (typeof ROBUST_RULES)[number]

/** Throws `unknown_robust_rule` (fault local): settings are checked when a run is founded or joined. */
export function robustRule(name: string): RobustRule {
  const rule = ROBUST_RULES.find((known) => known === name)
  if (rule !== undefined) return rule
  const known = ROBUST_RULES.join(', ')
  throw new GrapevineError('unknown_robust_rule', 'local', `Robust rule "${name}" is not known here; choose one of ${known}.`, { name })
}

/**
 * out = the move that `rule` makes of c_j (theirs_j - mine), all [n]. `factors` c [k]: 0 stands for values that are not finite, which vote
 * like ourselves. `out` is overwritten and may be `mine` or one of `theirs`. Throws `shape` (fault local).
 */
export function robustDelta(
  rule: RobustRule,
  theirs: readonly Float32Array[],
  mine: Float32Array,
  out: Float32Array,
  factors: readonly number[],
): void {
  if (rule === 'none' || rule === 'clip') {
    broadcastDelta(theirs, mine, out, factors)
    return
  }
  const n = mine.length
  if (theirs.length === 0 || factors.length !== theirs.length || out.length !== n || theirs.some((values) => values.length !== n)) {
    throw new GrapevineError('shape', 'local', `A mix needs at least one vector of ${n} values; this is a bug of ours.`)
  }
  const votes = theirs.length + 1
  // The two middle ones of an even number are left of a median.
  const dropped = rule === 'median' ? Math.floor((votes - 1) / 2) : Math.floor(TRIMMED_SHARE * votes)
  const kept = votes - 2 * dropped
  const sorted = new Float64Array(votes)
  for (let i = 0; i < n; i++) {
    const own = mine[i]!
    sorted[0] = 0
    for (let j = 0; j < theirs.length; j++) {
      const vote = factors[j] === 0 ? 0 : factors[j]! * (theirs[j]![i]! - own)
      let at = j + 1
      for (; at > 0 && sorted[at - 1]! > vote; at--) sorted[at] = sorted[at - 1]!
      sorted[at] = vote
    }
    let sum = 0
    for (let vote = dropped; vote < votes - dropped; vote++) sum += sorted[vote]!
    out[i] = sum / kept
  }
}
