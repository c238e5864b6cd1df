/** What a learner's thread and its actors' threads share. Words of one actor: beats so far, whether it rests; one word for all: stop. */
import type { ActorJob } from '../learn/actors.ts'
import type { PlainError } from './learner-protocol.ts'

export const STOP = 0
const WORDS_PER_ACTOR = 2

export const lifeWords = (actors: number): number => 1 + WORDS_PER_ACTOR * actors
export const beatsWord = (actor: number): number => 1 + WORDS_PER_ACTOR * actor
export const restsWord = (actor: number): number => 2 + WORDS_PER_ACTOR * actor

export interface ActorThreadData {
  readonly job: ActorJob
  readonly index: number
  /** How many times this actor was started before. */
  readonly restarts: number
  readonly life: Int32Array
}

/** From an actor: its environments threw this, and it starts again with new ones. */
export interface ActorFault {
  readonly error: PlainError
}
