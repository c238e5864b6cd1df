/**
 * Count-sketches: SKETCH_BUCKETS numbers that stand for a whole replica, small enough for every beacon. Each coordinate is added to one
 * bucket with one sign, both drawn from the run id, so that all peers of a run sketch alike. Sketching is linear, and
 * E ||sketch(x)||^2 = ||x||^2 with variance at most 2/256 ||x||^4: the norm of a difference is known to about 4.4 %.
 * [Charikar, Chen, Farach-Colton 2002; AMS for the second moment]
 */
import { GrapevineError } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import { SKETCH_BUCKETS } from '../wire/limits.ts'
import { squaredDistance, sumOfSquares } from './distance.ts'
import { FAR_RATIO, LEAST_FAR, MOST_HEAD_START, OUTLIER_RATIO } from './limits.ts'

/** Sketches of parameters minus the initial ones, alike for all who have the key: a run's id, or a secret. Holds 2 bytes per parameter. */
export class Sketcher {
  readonly dimension: number
  /** Sum of squares of the initial parameters, and their sketch. */
  readonly #originSquares: number
  readonly #origin: Float64Array
  /** Bucket in the low 8 bits, sign in the ninth: an index into sums of the positive, then of the negative coordinates. */
  readonly #table: Uint16Array

  constructor(key: string, initial: Float32Array) {
    this.dimension = initial.length
    this.#table = new Uint16Array(initial.length)
    const random = seededRandom('sketch', key)
    for (let i = 0; i < initial.length; i++) this.#table[i] = random.uint32() >>> 23
    this.#origin = this.#project(initial)
    this.#originSquares = sumOfSquares(initial)
  }

  /** [dimension] -> [SKETCH_BUCKETS]. One pass; sums in float64. Throws `shape` (fault local). */
  sketch(parameters: Float32Array): Float32Array {
    if (parameters.length !== this.dimension) {
      throw new GrapevineError(
        'shape',
        'local',
        `A sketch of ${this.dimension} parameters was given ${parameters.length}; this is a bug of ours.`,
      )
    }
    const sums = this.#project(parameters)
    return Float32Array.from(sums, (sum, bucket) => sum - this.#origin[bucket]!)
  }

  /**
   * Estimated consensus distance divided by the root mean square of the mean replica; null when that is zero. The mean's norm is that of
   * the initial parameters, known exactly, plus what the sketches say of the way since.
   */
  relativeConsensusDistance(sketches: readonly Float32Array[]): number | null {
    const kept = withoutOutliers(sketches)
    const mean = meanSketch(kept)
    let meanSquares = this.#originSquares
    for (let b = 0; b < SKETCH_BUCKETS; b++) meanSquares += (2 * this.#origin[b]! + mean[b]!) * mean[b]!
    return meanSquares > 0 ? spread(kept, mean) / Math.sqrt(meanSquares) : null
  }

  #project(values: Float32Array): Float64Array {
    const sums = new Float64Array(2 * SKETCH_BUCKETS)
    const table = this.#table
    for (let i = 0; i < values.length; i++) sums[table[i]!]! += values[i]!
    return Float64Array.from({ length: SKETCH_BUCKETS }, (_, bucket) => sums[bucket]! - sums[bucket + SKETCH_BUCKETS]!)
  }
}

/**
 * Estimate from at least one sketch, each [SKETCH_BUCKETS], of the root mean square over `dimension` parameters and all peers of
 * (x_i - mean). Sketches far from the coordinate-wise median (OUTLIER_RATIO) do not count, so that invented peers do not move it.
 */
export function consensusDistance(sketches: readonly Float32Array[], dimension: number): number {
  const kept = withoutOutliers(sketches)
  return spread(kept, meanSketch(kept)) / Math.sqrt(dimension)
}

/** The middle of `values`, the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Coordinate-wise median of at least one sketch. */
export function medianSketch(sketches: readonly Float32Array[]): Float64Array {
  return Float64Array.from({ length: SKETCH_BUCKETS }, (_, bucket) => median(sketches.map((sketch) => sketch[bucket]!)))
}

interface Stand {
  readonly sketch: Float32Array
  /** Updates behind it. */
  readonly version: number
}

/**
 * Whether `one` lies farther from the median of `others` (at least one) than a replica of the same run can: FAR_RATIO times how far these are
 * from it themselves, or how far it has come from the `initial` parameters, in proportion to the updates made.
 */
export function isFarFrom(one: Stand, others: readonly Stand[], initial: Float32Array): boolean {
  const centre = medianSketch(others.map(({ sketch }) => sketch))
  const width = median(others.map(({ sketch }) => Math.sqrt(squaredDistance(sketch, centre))))
  const headStart = one.version / Math.max(1, median(others.map(({ version }) => version)))
  const way = Math.sqrt(sumOfSquares(centre)) * Math.min(MOST_HEAD_START, Math.max(1, headStart))
  const least = LEAST_FAR * Math.sqrt(sumOfSquares(initial))
  const distance = Math.sqrt(squaredDistance(one.sketch, centre))
  // Not finite is as far as it gets.
  return !(distance <= FAR_RATIO * Math.max(width, way, least))
}

function withoutOutliers(sketches: readonly Float32Array[]): readonly Float32Array[] {
  const centre = medianSketch(sketches)
  const distances = sketches.map((sketch) => Math.sqrt(squaredDistance(sketch, centre)))
  const limit = OUTLIER_RATIO * median(distances)
  return sketches.filter((_, i) => distances[i]! <= limit)
}

function meanSketch(sketches: readonly Float32Array[]): Float64Array {
  return Float64Array.from(
    { length: SKETCH_BUCKETS },
    (_, bucket) => sketches.reduce((sum, sketch) => sum + sketch[bucket]!, 0) / sketches.length,
  )
}

/** Root mean square over sketches of their distance from `mean`. */
function spread(sketches: readonly Float32Array[], mean: Float64Array): number {
  return Math.sqrt(sketches.reduce((sum, sketch) => sum + squaredDistance(sketch, mean), 0) / sketches.length)
}
