/** Ends of a peer whose learner is well: what it knows is worth a checkpoint. */
import { GrapevineError } from '../util/errors.ts'

const GIB = 1_073_741_824

export function outOfMemory(usedBytes: number, limitBytes: number): GrapevineError {
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(2)} GiB`
  const message = `This peer has ${gib(usedBytes)} of memory, more than the ${gib(limitBytes)} it may have (--max-memory), and leaves; start it again.`
  return new GrapevineError('out_of_memory', 'local', message, { usedBytes, limitBytes })
}

/** Whoever began later is heard by all: the one that others take for the past leaves, and costs them nothing. */
export function identityInUse(): GrapevineError {
  const message =
    'Another peer began later with the identity of this one, from a copy of its data folder: others hear only that one, and this one leaves; give each a folder of its own (--data-dir).'
  return new GrapevineError('identity_in_use', 'local', message)
}

export function isWell(error: unknown): boolean {
  return error instanceof GrapevineError && ['out_of_memory', 'identity_in_use'].includes(error.code)
}
