/** Arrays for the steps of a vector environment, all zero. */
import { sizeOf } from './spaces.ts'
import type { Space, VectorBuffers, VectorEnvironment } from './types.ts'

/** What `environment.step` writes into; `buffers.observations` also serves its reset. */
export function allocateBuffers({ count, observationSpace }: VectorEnvironment): VectorBuffers {
  const length = count * sizeOf(observationSpace)
  return {
    observations: new Float32Array(length),
    rewards: new Float32Array(count),
    terminated: new Uint8Array(count),
    truncated: new Uint8Array(count),
    finalObservations: new Float32Array(length),
  }
}

/** One action for each of `count` rows. */
export function allocateActions(space: Space, count: number): Int32Array | Float32Array {
  return space.kind === 'discrete' ? new Int32Array(count) : new Float32Array(count * sizeOf(space))
}
