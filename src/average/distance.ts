/**
 * How far replicas are apart, exactly and in float64: for small swarms in one process (tests, the simulator) and for one pair.
 */
import { GrapevineError } from '../util/errors.ts'

type Vector = Float32Array | Float64Array

/** ||a - b||^2, both [n]. Throws `shape` (fault local). */
export function squaredDistance(a: Vector, b: Vector): number {
  checkSameLength(a, b)
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!
    sum += difference * difference
  }
  return sum
}

/** ||values||^2 */
export function sumOfSquares(values: Vector): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!
  return sum
}

/** ||a - b|| / ||b||, both [n]; null when b is all zero. Throws `shape` (fault local). */
export function relativeDistance(a: Float32Array, b: Float32Array): number | null {
  const difference = squaredDistance(a, b)
  const norm = sumOfSquares(b)
  return norm === 0 ? null : Math.sqrt(difference / norm)
}

/** Coordinate-wise mean of at least one replica, each [n], as float64 [n]. */
export function meanOf(replicas: readonly Vector[]): Float64Array {
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
  const norm = sumOfSquares(mean)
  let deviation = 0
  for (const replica of replicas) deviation += squaredDistance(replica, mean)
  const distance = Math.sqrt(deviation / (replicas.length * mean.length))
  return { distance, relative: norm === 0 ? null : distance / Math.sqrt(norm / mean.length) }
}

function checkSameLength(a: Vector, b: Vector): void {
  if (a.length !== b.length) {
    throw new GrapevineError(
      'shape',
      'local',
      `Replicas of ${a.length} and ${b.length} parameters cannot be compared; this is a bug of ours.`,
    )
  }
}
