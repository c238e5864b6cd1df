/** What is asked of the helper thread, and the work itself, which small arrays get inline. */
import type { TensorFile } from '../ports/tensors.ts'
import { sha256 } from '../util/sha256.ts'

export type ComputeRequest =
  | { readonly kind: 'digest'; readonly id: number; readonly values: Float32Array }
  | { readonly kind: 'chunkDigests'; readonly id: number; readonly bytes: Uint8Array; readonly chunkBytes: number }
  | { readonly kind: 'sealTensors'; readonly id: number; readonly file: TensorFile }

export interface ComputeReply {
  readonly id: number
  /** Digests, or the one file. */
  readonly results: readonly Uint8Array[]
}

/** SHA-256 of each piece of `chunkBytes` bytes; the last piece may be shorter, and no bytes have no pieces. */
export function chunkDigests(bytes: Uint8Array, chunkBytes: number): readonly Uint8Array[] {
  const digests: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) digests.push(sha256(bytes.subarray(at, at + chunkBytes)))
  return digests
}
