/** Saved state: the bytes of a few typed arrays one after another, in the machine's own order (little-endian wherever we run). */
import { GrapevineError } from '../util/errors.ts'

export type StateArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array

/** A copy of all arrays as bytes. */
export function packArrays(arrays: readonly StateArray[]): Uint8Array {
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.byteLength, 0))
  let at = 0
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    at += array.byteLength
  }
  return bytes
}

/** Fills `arrays` with what `packArrays` gave. Throws `state` when the length differs, before anything is changed. */
export function unpackArrays(bytes: Uint8Array, arrays: readonly StateArray[]): void {
  const expected = arrays.reduce((sum, array) => sum + array.byteLength, 0)
  checkStateLength(bytes, expected)
  let at = 0
  for (const array of arrays) {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes.subarray(at, at + array.byteLength))
    at += array.byteLength
  }
}

export function checkStateLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected)
    throw new GrapevineError(
      'state',
      'local',
      `A saved environment state has ${bytes.length} bytes where ${expected} were expected: it was saved by another environment, count or version.`,
      { expected, got: bytes.length },
    )
}
