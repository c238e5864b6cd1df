/** What a trial's thread is told and answers. */
import type { PlainError } from './learner-protocol.ts'

/** How far a trial has come, as a shared word counts: `load` is ours, the rest the module's. */
export const STAGES = ['load', 'import', 'make', 'reset', 'check'] as const

export interface TrialData {
  readonly path: string
  /** Everything that is wrong, rather than whether it can be made and reset. */
  readonly full: boolean
  /** One word: index in STAGES. */
  readonly stage: Int32Array
}

export type TrialReply = { readonly id: string; readonly problems: readonly string[] } | { readonly error: PlainError }
