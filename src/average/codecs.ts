/**
 * Codecs: how parameters become the payload of a frame. Q(x) = decode(encode(x)) is what everyone, the author included, holds the payload
 * for: strategies take differences of Q(theirs) and Q(mine), so that quantisation cancels in the swarm's mean.
 *
 * Both directions check lengths (`shape`, fault local) and allocate nothing. Values that are not finite stay so: the receiver's gate
 * refuses them.
 */
import { GrapevineError } from '../util/errors.ts'
import type { CodecName } from '../wire/codec-names.ts'
import { MAX_HALF, readFloats, readHalves, writeFloats, writeHalves } from '../wire/floats.ts'

export interface Codec {
  readonly id: CodecName
  /** Exact payload length of `count` parameters. */
  bytesFor(count: number): number
  /** values [n], into [bytesFor(n)] */
  encode(values: Float32Array, into: Uint8Array): void
  /** bytes [bytesFor(n)], into [n] */
  decode(bytes: Uint8Array, into: Float32Array): void
  /** Largest |Q(x) - x| of a finite value of at most this magnitude, in a vector of values of at most this magnitude. */
  errorBound(magnitude: number): number
}

/** 4 bytes a value, exact. */
const f32: Codec = {
  id: 'f32',
  bytesFor: (count) => 4 * count,
  encode(values, into) {
    checkLengths(4 * values.length, into.length)
    writeFloats(values, into)
  },
  decode(bytes, into) {
    checkLengths(4 * into.length, bytes.length)
    readFloats(bytes, into)
  },
  errorBound: () => 0,
}

/** Relative rounding error of half precision: half a unit in the last of 11 bits. */
const HALF_RELATIVE_ERROR = 1 / 2048
/** Half the spacing of the subnormal halves, 2^-24. */
const HALF_ABSOLUTE_ERROR = 1 / 33_554_432

/** 2 bytes a value: half precision, to 2^-11 of the value or 2^-25, whichever is more; beyond 65,504 the value becomes 65,504. */
const f16: Codec = {
  id: 'f16',
  bytesFor: (count) => 2 * count,
  encode(values, into) {
    checkLengths(2 * values.length, into.length)
    writeHalves(values, into)
  },
  decode(bytes, into) {
    checkLengths(2 * into.length, bytes.length)
    readHalves(bytes, into)
  },
  errorBound: (magnitude) => Math.max(HALF_RELATIVE_ERROR * magnitude, HALF_ABSOLUTE_ERROR, magnitude - MAX_HALF),
}

const CODECS: Readonly<Record<string, Codec>> = { f32, f16 }

/** Names that a manifest may carry. */
export function codecNames(): readonly string[] {
  return Object.keys(CODECS)
}

/** Throws `unknown_codec` (fault local): settings are checked when a run is founded or joined. */
export function codecNamed(name: string): Codec {
  const codec = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined
  if (codec === undefined) {
    throw new GrapevineError('unknown_codec', 'local', `Codec "${name}" is not known here; choose one of ${codecNames().join(', ')}.`, {
      name,
    })
  }
  return codec
}

function checkLengths(expected: number, found: number): void {
  if (expected !== found)
    throw new GrapevineError('shape', 'local', `A payload has ${found} bytes where ${expected} belong; this is a bug of ours.`)
}
