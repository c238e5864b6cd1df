/** The end of a peer that has more memory than it may have. Its learner is well, and what it knows is worth a checkpoint. */
import { GrapevineError } from '../util/errors.ts'

const GIB = 1_073_741_824

export function outOfMemory(usedBytes: number, limitBytes: number): GrapevineError {
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(2)} GiB`
  const message = `This peer has ${gib(usedBytes)} of memory, more than the ${gib(limitBytes)} it may have (--max-memory), and leaves; start it again.`
  return new GrapevineError('out_of_memory', 'local', message, { usedBytes, limitBytes })
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof GrapevineError && error.code === 'out_of_memory'
}
