/** What a trial's thread is told and answers. */
import type { NetworkSpec, OwnModule } from '../ports/learner.ts'
import type { PlainError } from './learner-protocol.ts'

/** How far a trial has come, as a shared word counts: `load` is ours, the rest the module's. */
export const STAGES = ['load', 'import', 'make', 'reset', 'check', 'build', 'pass'] as const

export type Stage = (typeof STAGES)[number]

/** The trial's thread is in this stage from now on. */
export function enter(stage: Int32Array, name: Stage): void {
  Atomics.store(stage, 0, STAGES.indexOf(name))
}

export interface TrialData {
  readonly path: string
  /** Everything that is wrong, rather than whether it can be made and reset. */
  readonly full: boolean
  /** One word: index in STAGES. */
  readonly stage: Int32Array
}

export type TrialReply = { readonly id: string; readonly problems: readonly string[] } | { readonly error: PlainError }

export interface NetworkTrialData {
  readonly module: OwnModule
  /** null: only import it. `like`: a network with the inputs and outputs that are needed; `seed`: of the weights. */
  readonly job: { readonly like: NetworkSpec; readonly seed: number } | null
  readonly stage: Int32Array
}

export type NetworkTrialReply = { readonly network: NetworkSpec | null } | { readonly error: PlainError }
