/**
 * Float32 vectors as little-endian bytes of 4 or 2 per value. Bytes may lie at any offset; lengths are the caller's to check.
 */
import { LITTLE_ENDIAN } from '../util/bytes.ts'

/** 2^112: float32 has a bias of 127, half precision of 15. */
const HALF_TO_FLOAT = 5.192296858534828e33

/** Largest finite half-precision value. */
export const MAX_HALF = 65_504

/** Writes 4 bytes per value. */
export function writeFloats(values: Float32Array, into: Uint8Array): void {
  into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  if (!LITTLE_ENDIAN) swap4(into)
}

export function readFloats(bytes: Uint8Array, into: Float32Array): void {
  const target = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
  target.set(bytes)
  if (!LITTLE_ENDIAN) swap4(target)
}

/** Writes 2 bytes per value: IEEE 754 half precision, ties to even. Finite values beyond MAX_HALF become MAX_HALF; NaN and infinities stay. */
export function writeHalves(values: Float32Array, into: Uint8Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) {
    const half = halfBits(bits[i]!)
    into[2 * i] = half
    into[2 * i + 1] = half >>> 8
  }
}

/** Exact: every half is a float32. */
export function readHalves(bytes: Uint8Array, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
  for (let i = 0; i < bits.length; i++) {
    const half = bytes[2 * i]! | (bytes[2 * i + 1]! << 8)
    const magnitude = half & 0x7fff
    const sign = (half & 0x8000) << 16
    if (magnitude >= 0x7c00) {
      bits[i] = sign | 0x7f800000 | (magnitude << 13)
    } else {
      // The half's bits moved into a float32 are 2^112 times too small, subnormals included.
      bits[i] = sign | (magnitude << 13)
      into[i]! *= HALF_TO_FLOAT
    }
  }
}

/** Bits of the half nearest to the float32 with these bits. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x7f800000) return sign | (magnitude === 0x7f800000 ? 0x7c00 : 0x7e00)
  // 65,520 and more would round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7bff
  // From 2^-14 on: drop 13 bits of the mantissa, a carry runs into the exponent as it should, and shift the exponent's bias by 112.
  if (magnitude >= 0x38800000) return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13)
  const shift = 126 - (magnitude >>> 23)
  if (shift > 24) return sign
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const whole = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const tie = 1 << (shift - 1)
  return sign | (rest > tie || (rest === tie && (whole & 1) === 1) ? whole + 1 : whole)
}

function swap4(bytes: Uint8Array): void {
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).swap32()
}
