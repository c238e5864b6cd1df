/** What the main thread and the player's thread say to each other: replicas go in, frames come out. */
import type { LearnerSettings, Replica } from '../ports/learner.ts'
import type { PlayFrame } from '../ports/play.ts'
import type { PlainError } from './learner-protocol.ts'

export interface PlayThreadData {
  readonly settings: LearnerSettings
  readonly seed: number
  /** Milliseconds between two steps. */
  readonly stepMs: number
}

export type PlayRequest = Pick<Replica, 'parameters' | 'normalisers' | 'version'>

export type PlayReply = { readonly frame: PlayFrame } | { readonly error: PlainError }
