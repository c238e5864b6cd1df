/**
 * Payloads of 8-bit integers: first one float32 scale per slice (little-endian), then one signed byte per value, slice after slice. A value
 * is its byte times its slice's scale. Lengths are the caller's to check.
 */
import { readFloats, writeFloats } from './floats.ts'

export function int8Bytes(count: number, slices: number): number {
  return 4 * slices + count
}

export function writeScales(scales: Float32Array, into: Uint8Array): void {
  writeFloats(scales, into.subarray(0, 4 * scales.length))
}

export function readScales(bytes: Uint8Array, slices: number): Float32Array {
  const scales = new Float32Array(slices)
  readFloats(bytes.subarray(0, 4 * slices), scales)
  return scales
}

/** The bytes behind the scales, as integers: a view. */
export function int8Values(bytes: Uint8Array, slices: number): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset + 4 * slices, bytes.length - 4 * slices)
}
