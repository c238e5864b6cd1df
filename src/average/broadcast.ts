/**
 * The `broadcast` strategy: everybody publishes a snapshot, and each mixes the newest unused one of every author heard. With full delivery
 * in lock step the swarm's mean is kept and all are equal to it after one round; on a graph it is the walk with equal weights 1/(k + 1).
 */
import { GrapevineError } from '../util/errors.ts'

/**
 * out = sum_j (theirs_j - mine) / (k + 1), all [n], k = theirs.length >= 1. `theirs` are decoded payloads Q(theirs_j), `mine` is the decoded
 * payload of the own last published snapshot, Q(mine). `out` is overwritten and may be `mine` or one of `theirs`. Throws `shape` (fault local).
 */
export function broadcastDelta(theirs: readonly Float32Array[], mine: Float32Array, out: Float32Array): void {
  const n = mine.length
  if (theirs.length === 0 || out.length !== n || theirs.some((values) => values.length !== n)) {
    throw new GrapevineError(
      'shape',
      'local',
      `A round of broadcast needs snapshots of ${n} values each, at least one; this is a bug of ours.`,
    )
  }
  const weight = 1 / (theirs.length + 1)
  for (let i = 0; i < n; i++) {
    const x = mine[i]!
    let sum = 0
    for (const values of theirs) sum += values[i]! - x
    out[i] = sum * weight
  }
}
