/** What is asked of the helper thread; the work itself, which small arrays get inline, is in `wire` and `util`. */
import type { Replica } from '../ports/learner.ts'
import type { TensorFile } from '../ports/tensors.ts'

export type ComputeRequest =
  | { readonly kind: 'digest'; readonly id: number; readonly values: Float32Array }
  | { readonly kind: 'chunkDigests'; readonly id: number; readonly bytes: Uint8Array; readonly chunkBytes: number }
  | { readonly kind: 'freeze'; readonly id: number; readonly replica: Replica }
  | { readonly kind: 'sealTensors'; readonly id: number; readonly file: TensorFile }
  /** One of average/passes.ts. */
  | { readonly kind: 'pass'; readonly id: number; readonly name: string; readonly input: unknown }

export interface ComputeReply {
  readonly id: number
  /** Digests, the one file, or the body of a snapshot with the digests of its parameters and of its chunks. */
  readonly results: readonly Uint8Array[]
  /** What a pass returned. */
  readonly passed?: unknown
  /** Shared memory that the thread has made since its last reply. */
  readonly madeBytes: number
}
