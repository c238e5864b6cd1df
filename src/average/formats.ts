/**
 * Formats: how the values of a payload are written. All check nothing and allocate nothing that grows with the model; codecs.ts calls them
 * with lengths that fit. Rounding a second time changes nothing: decoded values survive encoding bit for bit.
 */
import { arrayMaths } from '../kernels/arrays.ts'
import { LITTLE_ENDIAN } from '../util/bytes.ts'
import type { FormatName } from '../wire/codec-names.ts'
import { MAX_HALF, readFloats, readHalves, writeFloats, writeHalves } from '../wire/floats.ts'
import { int8Bytes, int8Values, readScales, writeScales } from '../wire/int8.ts'

export interface Format {
  bytesFor(count: number, slices: number): number
  /** `lengths`: values of each slice, in order, which together are all. */
  encode(values: Float32Array, lengths: readonly number[], into: Uint8Array): void
  decode(bytes: Uint8Array, lengths: readonly number[], into: Float32Array): void
  errorBound(magnitude: number): number
}

/** 4 bytes a value, exact. */
const f32: Format = {
  bytesFor: (count) => 4 * count,
  encode: (values, _, into) => writeFloats(values, into),
  decode: (bytes, _, into) => readFloats(bytes, into),
  errorBound: () => 0,
}

/** Relative rounding error of half precision: half a unit in the last of 11 bits. */
const HALF_RELATIVE_ERROR = 1 / 2048
/** Half the spacing of the subnormal halves, 2^-24. */
const HALF_ABSOLUTE_ERROR = 1 / 33_554_432

/** 2 bytes a value: half precision, to 2^-11 of the value or 2^-25, whichever is more; beyond 65,504 the value becomes 65,504. */
const f16: Format = {
  bytesFor: (count) => 2 * count,
  encode(values, _, into) {
    const halves = halvesIn(into)
    if (halves === null) writeHalves(values, into)
    else arrayMaths().encodeF16(values, halves)
  },
  decode(bytes, _, into) {
    const halves = halvesIn(bytes)
    if (halves === null) readHalves(bytes, into)
    else arrayMaths().decodeF16(halves, into)
  },
  errorBound: (magnitude) => Math.max(HALF_RELATIVE_ERROR * magnitude, HALF_ABSOLUTE_ERROR, magnitude - MAX_HALF),
}

/** A view, where this machine and the place of the bytes allow one. */
function halvesIn(bytes: Uint8Array): Uint16Array | null {
  return LITTLE_ENDIAN && bytes.byteOffset % 2 === 0 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : null
}

/** Largest byte in magnitude: -128 is not used, so that ranges are symmetric. */
const LARGEST_BYTE = 127
/** Half a step of a scale that was rounded up to 17 bits, and the float32 rounding of x / scale. */
const INT8_RELATIVE_ERROR = 0.50004 / LARGEST_BYTE
/** Slices of smaller values become zero: a scale below 2^-126, the smallest normal float32, has no finite inverse. */
const INT8_SMALLEST = LARGEST_BYTE * 1.1754943508222875e-38
/** Bits at the end of a scale that are zero, so that scale times any byte is a float32 exactly. */
const SPARE_BITS = 0x7f

/** 1 byte a value and 4 a slice: to about 1/254 of the slice's largest magnitude. */
const int8: Format = {
  bytesFor: int8Bytes,
  encode(values, lengths, into) {
    const scales = new Float32Array(lengths.length)
    const bytes = int8Values(into, lengths.length)
    forSlices(lengths, (slice, from, to) => {
      const scale = scaleOf(values.subarray(from, to))
      scales[slice] = scale
      if (scale > 0) arrayMaths().encodeInt8(values.subarray(from, to), 1 / scale, bytes.subarray(from, to))
      else bytes.fill(0, from, to)
    })
    writeScales(scales, into)
  },
  decode(bytes, lengths, into) {
    const scales = readScales(bytes, lengths.length)
    const values = int8Values(bytes, lengths.length)
    forSlices(lengths, (slice, from, to) => {
      arrayMaths().decodeInt8(values.subarray(from, to), scales[slice]!, into.subarray(from, to))
    })
  },
  errorBound: (magnitude) => Math.max(INT8_RELATIVE_ERROR * magnitude, INT8_SMALLEST),
}

export const FORMATS: Readonly<Record<FormatName, Format>> = { f32, f16, int8 }

const scaleValue = new Float32Array(1)
const scaleBits = new Uint32Array(scaleValue.buffer)

/** NaN for a slice that is not finite, so that decoding it gives NaN. */
function scaleOf(values: Float32Array): number {
  const maths = arrayMaths()
  if (!maths.allFinite(values)) return Number.NaN
  const largest = maths.largest(values)
  if (largest < INT8_SMALLEST) return 0
  scaleValue[0] = largest / LARGEST_BYTE
  scaleBits[0] = (scaleBits[0]! + SPARE_BITS) & ~SPARE_BITS
  // The last step before the end of float32's range would take 127 scales beyond it.
  if (!Number.isFinite(Math.fround(LARGEST_BYTE * scaleValue[0]!))) scaleBits[0]! -= SPARE_BITS + 1
  return scaleValue[0]!
}

function forSlices(lengths: readonly number[], visit: (slice: number, from: number, to: number) => void): void {
  let from = 0
  for (const [slice, length] of lengths.entries()) {
    visit(slice, from, from + length)
    from += length
  }
}
