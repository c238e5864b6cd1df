/**
 * One checkpoint as bytes: a sealed safetensors file with the learner's state as tensors and, in its metadata, what the state belongs to as JSON.
 * Throws `bad_checkpoint` with the problem in `data` where bytes are none.
 */
import { z } from 'zod'
import type { LearnerState } from '../ports/learner.ts'
import type { TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { openSealed, vectors } from '../wire/sealed-tensors.ts'

/** Changes when older programs cannot read what newer ones write. */
const FORMAT = 'grapevine checkpoint 1'

/** Returns of whole episodes under the parameters of a checkpoint. */
export interface Evaluated {
  readonly mean: number
  readonly episodes: number
}

/** What a state belongs to and how far it is. */
export interface CheckpointFacts {
  /** Run id, hex. */
  readonly run: string
  readonly peer: string
  readonly incarnation: number
  readonly savedAtUnixSeconds: number
  /** Updates behind the replica. */
  readonly version: number
  /** Of this peer. */
  readonly steps: number
  readonly updates: number
  readonly episodes: number
  /** Of the last 100 training episodes. */
  readonly returnMean: number | null
  /** null: it was not evaluated. */
  readonly evaluation: Evaluated | null
}

export interface Checkpoint {
  readonly facts: CheckpointFacts
  /** As encoded by the run's founder. */
  readonly manifestBytes: Uint8Array
  readonly state: LearnerState
}

const count = z.int().nonnegative()
const schema = z.object({
  run: z.string().regex(/^[0-9a-f]{64}$/),
  peer: z.string(),
  incarnation: count,
  savedAtUnixSeconds: count,
  version: count,
  steps: count,
  updates: count,
  episodes: count,
  returnMean: z.number().nullable(),
  evaluation: z.object({ mean: z.number(), episodes: count }).nullable(),
  manifest: z.base64(),
})

/** To be sealed. */
export function checkpointFile({ facts, manifestBytes, state }: Checkpoint): TensorFile {
  const header = JSON.stringify({ ...facts, manifest: Buffer.from(manifestBytes).toString('base64') })
  return { tensors: vectors(state), metadata: { format: FORMAT, header } }
}

export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = opened(bytes)
  if (metadata.format !== FORMAT) throw bad(`it is "${metadata.format ?? 'nothing'}" where "${FORMAT}" is read`)
  const header = schema.safeParse(parsed(metadata.header ?? ''))
  if (!header.success) throw bad(`its header cannot be used (${header.error.issues[0]?.path.join('.') ?? ''})`)
  const { manifest, ...facts } = header.data
  const state = Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]))
  return { facts, manifestBytes: new Uint8Array(Buffer.from(manifest, 'base64')), state }
}

function opened(bytes: Uint8Array): TensorFile {
  try {
    return openSealed(bytes)
  } catch (error) {
    if (!(error instanceof GrapevineError && error.code === 'bad_tensors')) throw error
    throw bad(String(error.data.problem))
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_checkpoint', 'local', `A checkpoint cannot be used: ${problem}.`, { problem })
}
