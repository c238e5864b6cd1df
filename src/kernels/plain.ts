/**
 * Array maths in plain TypeScript: what the kernels are checked against, and what small arrays and machines without WebAssembly SIMD use.
 * Everything but `dot` gives the same bits as the kernels. Arrays that belong together have equal lengths, which throws GrapevineError `shape` otherwise.
 */
import { GrapevineError } from '../util/errors.ts'

/** Array maths as learning and averaging use it, on arrays of the caller. */
export interface ArrayMaths {
  /** y += a x, product and sum rounded to float32 each. */
  axpy(y: Float32Array, a: number, x: Float32Array): void
  /** sum of x_i y_i to a relative 1e-6 of the sum of magnitudes. */
  dot(x: Float32Array, y: Float32Array): number
  /** x = weight (x - y), each operation rounded to float32; returns the sum of squares of x - y, as exact as `sumOfSquares`. */
  difference(x: Float32Array, y: Float32Array, weight: number): number
  /** In double precision, which no vector of finite floats overflows. */
  sumOfSquares(x: Float32Array): number
  /** x = weight x */
  scale(x: Float32Array, weight: number): void
  /** Whether no element is infinite or NaN. */
  allFinite(x: Float32Array): boolean
  /** Largest magnitude; NaN elements do not count; 0 of none. */
  largest(x: Float32Array): number
  /** q_i = x_i * inverse (in float32), rounded to the nearest whole number (ties to even) within [-127, 127]; NaN becomes 0. */
  encodeInt8(x: Float32Array, inverse: number, q: Int8Array): void
  /** x_i = q_i * scale, in float32. */
  decodeInt8(q: Int8Array, scale: number, x: Float32Array): void
  /** Bits of half precision, ties to even; finite values beyond 65,504 become 65,504, infinities and NaN stay. */
  encodeF16(x: Float32Array, h: Uint16Array): void
  decodeF16(h: Uint16Array, x: Float32Array): void
}

export const plain: ArrayMaths = {
  axpy(y, a, x) {
    sameLength(y, x)
    const rate = Math.fround(a)
    for (let i = 0; i < y.length; i++) y[i] = y[i]! + Math.fround(rate * x[i]!)
  },
  dot(x, y) {
    sameLength(x, y)
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
    return sum
  },
  difference(x, y, weight) {
    sameLength(x, y)
    for (let i = 0; i < x.length; i++) x[i] = x[i]! - y[i]!
    const squares = plain.sumOfSquares(x)
    plain.scale(x, weight)
    return squares
  },
  sumOfSquares(x) {
    let sum = 0
    for (let at = 0; at < x.length; at += SUMMED) sum += squaresOf(x.subarray(at, at + SUMMED))
    return sum
  },
  scale(x, weight) {
    const rate = Math.fround(weight)
    for (let i = 0; i < x.length; i++) x[i] = x[i]! * rate
  },
  allFinite(x) {
    for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false
    return true
  },
  largest(x) {
    let result = 0
    for (let i = 0; i < x.length; i++) {
      const magnitude = Math.abs(x[i]!)
      if (magnitude > result) result = magnitude
    }
    return result
  },
  encodeInt8(x, inverse, q) {
    sameLength(x, q)
    const rate = Math.fround(inverse)
    for (let i = 0; i < x.length; i++) q[i] = roundToEven(Math.min(Math.max(Math.fround(x[i]! * rate), -127), 127))
  },
  decodeInt8(q, scale, x) {
    sameLength(x, q)
    const rate = Math.fround(scale)
    for (let i = 0; i < x.length; i++) x[i] = q[i]! * rate
  },
  encodeF16(x, h) {
    sameLength(x, h)
    const bits = new Uint32Array(x.buffer, x.byteOffset, x.length)
    for (let i = 0; i < x.length; i++) h[i] = toHalf(x[i]!, bits[i]!)
  },
  decodeF16(h, x) {
    sameLength(x, h)
    for (let i = 0; i < x.length; i++) x[i] = fromHalf(h[i]!)
  },
}

/** Elements whose squares are summed apart from others. */
export const SUMMED = 2_048

/** In the order of the kernel: eight sums by position, added pairwise, then what is left over one by one. */
function squaresOf(x: Float32Array): number {
  const whole = x.length & ~7
  const sums = new Float64Array(8)
  for (let i = 0; i < whole; i++) sums[i & 7]! += x[i]! * x[i]!
  const [a, b, c, d, e, f, g, h] = sums as unknown as [number, number, number, number, number, number, number, number]
  let sum = a + c + (e + g) + (b + d + (f + h))
  for (let i = whole; i < x.length; i++) sum += x[i]! * x[i]!
  return sum
}

export function sameLength(a: { readonly length: number }, b: { readonly length: number }): void {
  if (a.length === b.length) return
  throw new GrapevineError('shape', 'local', `Arrays of ${a.length} and ${b.length} elements were given where equal lengths are needed.`, {
    lengths: [a.length, b.length],
  })
}

/** Adding and subtracting 1.5 * 2^52 rounds a small double to the nearest whole number, ties to even. */
const ROUND = 6_755_399_441_055_744

/** NaN stays NaN, which an integer array stores as 0. */
function roundToEven(value: number): number {
  return value + ROUND - ROUND
}

/** From here on a half would round to infinity. */
const HALF_LIMIT = 65_520
const LARGEST_HALF_BITS = 0x7bff
const INFINITE_HALF_BITS = 0x7c00
const NAN_HALF_BITS = 0x7e00
/** 2^-14, the smallest normal half, and one over the smallest of all, 2^-24. */
const SMALLEST_NORMAL_HALF = 1 / 16_384
const SMALLEST_HALVES = 16_777_216

/** `bits`: those of `value` as a float. */
function toHalf(value: number, bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = Math.abs(value)
  if (Number.isNaN(value)) return sign | NAN_HALF_BITS
  if (magnitude === Number.POSITIVE_INFINITY) return sign | INFINITE_HALF_BITS
  if (magnitude >= HALF_LIMIT) return sign | LARGEST_HALF_BITS
  if (magnitude < SMALLEST_NORMAL_HALF) return sign | roundToEven(magnitude * SMALLEST_HALVES)
  // The float's exponent with a bias of 15 instead of 127, and its mantissa in 1024 steps: a carry past the last one runs into the exponent as it should.
  const exponent = ((bits >>> 23) & 255) - 112
  return sign | ((exponent << 10) + roundToEven((bits & 0x7fffff) / 8192))
}

/** Powers of two by a half's exponent, for mantissas in whole steps. */
const STEPS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25))

function fromHalf(bits: number): number {
  const exponent = (bits >>> 10) & 31
  const mantissa = bits & 1023
  const magnitude =
    exponent === 31
      ? mantissa === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : (exponent > 0 ? 1024 + mantissa : mantissa) * STEPS[exponent]!
  return bits & 0x8000 ? -magnitude : magnitude
}
