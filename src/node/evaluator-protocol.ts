/** What the main thread and the evaluator's thread say to each other. Two shared words: whether to stop, and steps so far as a sign of life. */
import type { EvaluationReturns } from '../ports/evaluator.ts'
import type { LearnerSettings, Replica } from '../ports/learner.ts'
import type { PlainError } from './learner-protocol.ts'

export const STOP = 0
export const BEATS = 1
export const EVALUATOR_WORDS = 2

export interface EvaluatorThreadData {
  readonly settings: LearnerSettings
  readonly words: Int32Array
}

/** null instead of one: leave. */
export interface EvaluatorRequest extends Pick<Replica, 'parameters' | 'normalisers'> {
  readonly seed: number
}

export type EvaluatorReply = { readonly returns: EvaluationReturns } | { readonly error: PlainError }
