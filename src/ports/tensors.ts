/** Named arrays as they are stored in files. */
import type { StateArray } from './learner.ts'

/** Row-major. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: StateArray
}

export interface TensorFile {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly metadata: Readonly<Record<string, string>>
}
