/**
 * How far replicas are apart, exactly and in float64: for small swarms in one process (tests, the simulator) and for one pair.
 */
import { GrapevineError } from '../util/errors.ts'

/** ||a - b|| / ||b||, both [n]; null when b is all zero. Throws `shape` (fault local). */
export function relativeDistance(a: Float32Array, b: Float32Array): number | null {
  checkSameLength(a, b)
  let difference = 0
  let norm = 0
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! * b[i]!
  }
  return norm === 0 ? null : Math.sqrt(difference / norm)
}

/** Coordinate-wise mean of at least one replica, each [n], as float64 [n]. */
export function meanOf(replicas: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(replicas[0]!.length)
  for (const replica of replicas) {
    checkSameLength(replica, mean)
    for (let i = 0; i < mean.length; i++) mean[i]! += replica[i]!
  }
  return mean.map((sum) => sum / replicas.length)
}

/**
 * The consensus distance: root mean square over parameters and replicas of (x_i - mean). `relative`: divided by the root mean square of
 * the mean; null when the mean is all zero.
 */
export function exactConsensusDistance(replicas: readonly Float32Array[]): { readonly distance: number; readonly relative: number | null } {
  const mean = meanOf(replicas)
  let deviation = 0
  let norm = 0
  for (let i = 0; i < mean.length; i++) norm += mean[i]! * mean[i]!
  for (const replica of replicas) {
    for (let i = 0; i < mean.length; i++) deviation += (replica[i]! - mean[i]!) ** 2
  }
  const distance = Math.sqrt(deviation / (replicas.length * mean.length))
  return { distance, relative: norm === 0 ? null : distance / Math.sqrt(norm / mean.length) }
}

function checkSameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) {
    throw new GrapevineError(
      'shape',
      'local',
      `Replicas of ${a.length} and ${b.length} parameters cannot be compared; this is a bug of ours.`,
    )
  }
}
