/**
 * Arrays that helper threads may be given: large ones lie in shared memory, which a message hands over without a copy.
 */

/** Bytes above which a pass over an array leaves the main thread: 1 MiB takes SHA-256 about a millisecond. */
const LARGE_BYTES = 1_048_576

export function allocateFloats(count: number): Float32Array {
  return new Float32Array(allocateBuffer(4 * count))
}

export function allocateBytes(length: number): Uint8Array {
  return new Uint8Array(allocateBuffer(length))
}

/** A copy. */
export function copyFloats(values: Float32Array): Float32Array {
  const copy = allocateFloats(values.length)
  copy.set(values)
  return copy
}

function allocateBuffer(bytes: number): ArrayBufferLike {
  return bytes > LARGE_BYTES ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
}
