/**
 * Optimiser moments that travel behind the parameters: a second payload of float32, whatever the codec of the parameters. A mean of squares
 * spans many orders of magnitude and divides the step by its root, so that its small values matter in proportion: int8 rounds them to 0, and
 * half precision ends at 3e-8. Where a codec sends some coordinates, moments of the same ones travel.
 *
 * Layout: the steps behind them (float64, little-endian), then the travelling values of one moment after the other.
 */
import type { MomentKind, Moments } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { allocateFloats } from '../util/memory.ts'

const STEPS_BYTES = 8

/** How one vector travels (codecs.ts). */
interface VectorCodec {
  bytesFor(count: number): number
  encode(values: Float32Array, into: Uint8Array, draw?: number): void
  decode(bytes: Uint8Array, into: Float32Array, draw?: number): void
  coordinates(count: number, draw?: number): Uint32Array | null
}

export interface MomentCodec {
  readonly kinds: readonly MomentKind[]
  /** Exact length of the moments of a model of `count` parameters. */
  bytesFor(count: number): number
  /** `moments.values` [k count], into [bytesFor(count)], of the coordinates that `draw` chooses. */
  encode(moments: Moments, into: Uint8Array, draw?: number): void
  /** bytes [bytesFor(count)] of the same draw; what did not travel is 0. null: no moments can be such. */
  decode(bytes: Uint8Array, count: number, draw?: number): Moments | null
  /** Indices of the coordinates that travel, to be read before the next call; null: all. */
  coordinates(count: number, draw?: number): Uint32Array | null
}

/** `exact`: a codec of float32 values that sends the same coordinates as the parameters'. */
export function momentCodec(kinds: readonly MomentKind[], exact: VectorCodec): MomentCodec {
  const bytesFor = (count: number) => STEPS_BYTES + kinds.length * exact.bytesFor(count)
  return {
    kinds,
    bytesFor,
    coordinates: exact.coordinates,
    encode({ steps, values }, into, draw) {
      const count = values.length / kinds.length
      requireLength(into, bytesFor(count))
      view(into).setFloat64(0, steps, true)
      for (const i of kinds.keys()) exact.encode(vector(values, i, count), part(into, i, exact.bytesFor(count)), draw)
    },
    decode(bytes, count, draw) {
      requireLength(bytes, bytesFor(count))
      const steps = view(bytes).getFloat64(0, true)
      if (!Number.isSafeInteger(steps) || steps < 0) return null
      const values = allocateFloats(kinds.length * count)
      for (const [i, kind] of kinds.entries()) {
        const decoded = vector(values, i, count)
        exact.decode(part(bytes, i, exact.bytesFor(count)), decoded, draw)
        if (!decoded.every((value) => Number.isFinite(value) && (kind === 'mean' || value >= 0))) return null
      }
      return { steps, values }
    },
  }
}

/** Somebody else's moments in a mix. */
export interface MixedMoments extends Moments {
  /** Chooses the coordinates that travelled. */
  readonly draw: number
  /** The weight of its author's parameters. */
  readonly weight: number
}

/**
 * sum_j w_j (theirs_j - own) where theirs_j travelled, [k n]. The difference of each moment counts for at most `reach` times the norm of the
 * own one (Infinity: for whatever it is).
 */
export function averagedMoments(codec: MomentCodec, own: Float32Array, others: readonly MixedMoments[], reach: number): Float32Array {
  const delta = allocateFloats(own.length)
  const count = own.length / codec.kinds.length
  for (const { values, draw, weight } of others) {
    const chosen = codec.coordinates(count, draw)
    for (const i of codec.kinds.keys()) {
      const theirs = vector(values, i, count)
      const mine = vector(own, i, count)
      add(vector(delta, i, count), theirs, mine, chosen, weight * shortened(theirs, mine, chosen, reach))
    }
  }
  return delta
}

/** into += weight (theirs - mine) at the chosen places, or everywhere. */
function add(into: Float32Array, theirs: Float32Array, mine: Float32Array, chosen: Uint32Array | null, weight: number): void {
  const length = chosen?.length ?? mine.length
  for (let at = 0; at < length; at++) {
    const i = chosen === null ? at : chosen[at]!
    into[i]! += weight * (theirs[i]! - mine[i]!)
  }
}

/** The factor, at most 1, that makes the difference at the chosen places no longer than `reach` times the own part of them. */
function shortened(theirs: Float32Array, mine: Float32Array, chosen: Uint32Array | null, reach: number): number {
  if (reach === Number.POSITIVE_INFINITY) return 1
  let difference = 0
  let norm = 0
  const length = chosen?.length ?? mine.length
  for (let at = 0; at < length; at++) {
    const i = chosen === null ? at : chosen[at]!
    const d = theirs[i]! - mine[i]!
    difference += d * d
    norm += mine[i]! * mine[i]!
  }
  return difference <= reach * reach * norm ? 1 : reach * Math.sqrt(norm / difference)
}

function vector(values: Float32Array, i: number, count: number): Float32Array {
  return values.subarray(i * count, (i + 1) * count)
}

/** The bytes of vector `i`, of `length` bytes each. */
function part(bytes: Uint8Array, i: number, length: number): Uint8Array {
  return bytes.subarray(STEPS_BYTES + i * length, STEPS_BYTES + (i + 1) * length)
}

function view({ buffer, byteOffset }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, STEPS_BYTES)
}

function requireLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return
  throw new GrapevineError('shape', 'local', `Moments have ${bytes.length} bytes where ${expected} belong; this is a bug of ours.`)
}
