/**
 * What the main thread and the learner thread say to each other. Requests travel over a message port; a shared Int32 mailbox counts them, so that
 * the learner sees with one atomic load per update whether there is any, and sleeps on it while it holds. Vectors lie in shared memory.
 */
import type { MessagePort } from 'node:worker_threads'
import type { KernelBuild } from '../kernels/load.ts'
import type {
  LearnerDescription,
  LearnerSettings,
  LearnerState,
  MomentMix,
  Normaliser,
  Progress,
  Replica,
  SharedExperience,
} from '../ports/learner.ts'
import { type Fault, GrapevineError, messageOf } from '../util/errors.ts'

/** Words of the mailbox: requests posted so far, modulo 2^32; beginnings and ends of environment steps so far, so odd while one is being made. */
export const REQUESTS = 0
export const STEPPING = 1
export const MAILBOX_WORDS = 2

export interface LearnerThreadData {
  readonly port: MessagePort
  readonly mailbox: Int32Array
}

export type LearnerRequest =
  /** The first one. Answered by `ready` or `failed`. `before`: what happened to the environments in threads that this one replaces. */
  | { readonly kind: 'build'; readonly settings: LearnerSettings; readonly before: NonNullable<Progress['actors']> }
  | { readonly kind: 'run' | 'hold' | 'snapshot' | 'stop' }
  /** `delta` null: it lies in the thread's own delta buffer. */
  | { readonly kind: 'mix'; readonly delta: Float32Array | null; readonly moments: MomentMix | undefined }
  | { readonly kind: 'adopt'; readonly replica: Replica }
  | { readonly kind: 'mergeNormalisers'; readonly others: readonly (readonly Normaliser[])[] }
  | { readonly kind: 'setRateFactor'; readonly factor: number }
  /** Answered by `offer`, not by `done`. */
  | { readonly kind: 'offerExperience'; readonly most: number }
  /** Answered by `taken`, not by `done`. */
  | { readonly kind: 'takeExperience'; readonly author: string; readonly experience: SharedExperience }
  /** Answered by `state`, not by `done`. */
  | { readonly kind: 'saveState'; readonly replay: boolean }
  | { readonly kind: 'restoreState'; readonly state: LearnerState }
  /** Answered by `reached` with this token, not by `done`. */
  | { readonly kind: 'reach'; readonly updates: number; readonly token: number }

export type LearnerReply =
  /** First message: the learner is built and holds. Buffers of [parameterCount], written by the learner (snapshot, target) or read by it (delta). */
  | {
      readonly kind: 'ready'
      readonly description: LearnerDescription
      readonly snapshot: Float32Array
      readonly target: Float32Array | null
      /** Of the optimiser, where snapshots bring them along. */
      readonly moments: Float32Array | null
      readonly delta: Float32Array
      /** Builds by speed; null where no kernels are used. */
      readonly kernels: readonly KernelBuild[] | null
      readonly progress: Progress
    }
  /** The oldest request without an answer is done. `version` and `steps` belong to the replica as it was then. */
  | {
      readonly kind: 'done'
      readonly progress: Progress
      readonly version: number
      readonly steps: number
      readonly optimiserSteps: number
      /** Of a snapshot; empty in other answers. */
      readonly normalisers: { readonly own: readonly Normaliser[]; readonly all: readonly Normaliser[] }
    }
  /** Like `done`, with what was saved. */
  | { readonly kind: 'state'; readonly state: LearnerState }
  | { readonly kind: 'offer'; readonly experience: SharedExperience | null }
  | { readonly kind: 'taken'; readonly plausible: boolean }
  | { readonly kind: 'refused'; readonly error: PlainError }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'reached'; readonly token: number; readonly progress: Progress }
  /** The last message: the learner failed for good. */
  | { readonly kind: 'failed'; readonly error: PlainError }

/** An error as a message carries it: structured cloning would lose its class and code. */
export interface PlainError {
  readonly code: string | null
  readonly fault: Fault
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
}

export function plainError(error: unknown): PlainError {
  if (error instanceof GrapevineError) return { code: error.code, fault: error.fault, message: error.message, data: error.data }
  return { code: null, fault: 'local', message: messageOf(error), data: {} }
}

/** The error again; one without a code becomes `learner_crashed`. */
export function restoredError(error: PlainError): GrapevineError {
  if (error.code === null) return crashed(error.message)
  return new GrapevineError(error.code, error.fault, error.message, error.data)
}

export function hung(environment: string, hangMs: number, times: number): GrapevineError<'environment_hung'> {
  return new GrapevineError(
    'environment_hung',
    'local',
    `${environment} did not come back from a step for ${hangMs / 1000} s, ${times} times in a row, and is given up; correct it, then try it with \`grapevine envs --check\`.`,
    { environment, times },
  )
}

export function crashed(reason: string): GrapevineError<'learner_crashed'> {
  return new GrapevineError(
    'learner_crashed',
    'local',
    `The learner thread crashed (${reason}); this is a fault of the program, its environment or too little memory, and training cannot go on.`,
    { reason },
  )
}
