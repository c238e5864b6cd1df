/**
 * The `broadcast` strategy: everybody publishes a snapshot, and each mixes the newest unused one of every author heard. With full delivery
 * in lock step the swarm's mean is kept and all are equal to it after one round; on a graph it is the walk with equal weights 1/(k + 1).
 */
import { GrapevineError } from '../util/errors.ts'

/**
 * out = sum_j c_j (theirs_j - mine) / (k + 1), all [n], k = theirs.length >= 1. `theirs` are decoded payloads Q(theirs_j), `mine` is the
 * decoded payload of the own last published snapshot, Q(mine); `factors` c [k] come from clipping (robust.ts), 1 without it. `out` is
 * overwritten and may be `mine` or one of `theirs`. Throws `shape` (fault local).
 */
export function broadcastDelta(
  theirs: readonly Float32Array[],
  mine: Float32Array,
  out: Float32Array,
  factors: readonly number[] = theirs.map(() => 1),
): void {
  const n = mine.length
  const k = theirs.length
  if (k === 0 || factors.length !== k || out.length !== n || theirs.some((values) => values.length !== n)) {
    throw new GrapevineError(
      'shape',
      'local',
      `A round of broadcast needs snapshots of ${n} values each, at least one; this is a bug of ours.`,
    )
  }
  // A factor of 0 stands for values that are not finite: multiplied by 0 they would still not be.
  const used = theirs.filter((_, j) => factors[j] !== 0)
  const weights = Float64Array.from(
    factors.filter((factor) => factor !== 0),
    (factor) => factor / (k + 1),
  )
  for (let i = 0; i < n; i++) {
    const x = mine[i]!
    let sum = 0
    for (let j = 0; j < used.length; j++) sum += weights[j]! * (used[j]![i]! - x)
    out[i] = sum
  }
}
