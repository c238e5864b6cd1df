/**
 * SHA-256 of bytes and of float32 vectors. Synchronous: callers keep passes over more than 1 MiB off the main thread.
 */
import { createHash } from 'node:crypto'
import { LITTLE_ENDIAN } from './bytes.ts'

/** Length of a digest in bytes. */
export const SHA256_BYTES = 32

export function sha256(bytes: Uint8Array): Uint8Array {
  // A plain Uint8Array of its own memory: Buffers compare unequal to it in deep comparisons and share a pool.
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** SHA-256 over the little-endian float32 bytes of `values`, one vector after the other: the same on every machine. No copy on little-endian ones. */
export function parameterDigest(...vectors: readonly Float32Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const values of vectors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    hash.update(LITTLE_ENDIAN ? bytes : Buffer.from(bytes).swap32())
  }
  return new Uint8Array(hash.digest())
}
