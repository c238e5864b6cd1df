/**
 * From rollouts of Ape-X's actors to the replay memory: their n-step transitions with the first priorities that the actors' own Q values give.
 * Counts steps and episodes on the way. Nothing is allocated.
 */
import type { Episodes } from './episodes.ts'
import type { Experience } from './experience.ts'
import { NStepTransitions } from './n-step.ts'
import type { PrioritisedReplay } from './replay.ts'
import type { StateFields } from './state.ts'

export interface ReplayFeedOptions {
  /** Environments of all actors. */
  readonly rows: number
  readonly nStep: number
  readonly gamma: number
  readonly replay: PrioritisedReplay
  readonly episodes: Episodes
}

export class ReplayFeed {
  /** Rewards so far that were not finite. */
  badRewards = 0
  readonly #replay: PrioritisedReplay
  readonly #episodes: Episodes
  readonly #transitions: NStepTransitions

  constructor({ rows, nStep, gamma, replay, episodes }: ReplayFeedOptions) {
    this.#replay = replay
    this.#episodes = episodes
    this.#transitions = new NStepTransitions(rows, nStep, gamma, replay)
  }

  take({ firstRow, fresh, shape, steps, finalObservations, finalQ }: Experience): void {
    const transitions = this.#transitions
    const count = shape.environments
    if (fresh) {
      this.#episodes.forget(firstRow, count)
      for (let i = 0; i < count; i++) transitions.forget(firstRow + i)
    }
    let final = 0
    for (const { observations, actions, rawRewards, bestQ, actionQ, out } of steps) {
      const { rewards, terminated, truncated } = out
      for (let i = 0; i < count; i++) {
        transitions.follow(firstRow + i, this.#replay.push(observations, i), bestQ[i]!)
        transitions.act(firstRow + i, actions[i]!, actionQ[i]!)
      }
      this.#episodes.recordFrom(firstRow, rawRewards, terminated, truncated)
      for (let i = 0; i < count; i++) {
        if (!Number.isFinite(rewards[i]!)) this.badRewards++
        transitions.reward(firstRow + i, rewards[i]!)
        if (terminated[i] === 1) transitions.terminate(firstRow + i)
      }
      for (let i = 0; i < count; i++) {
        if (truncated[i] !== 1) continue
        if (terminated[i] !== 1) transitions.truncate(firstRow + i, this.#replay.push(finalObservations, final), finalQ[final]!)
        final++
      }
    }
  }

  /** Steps that are no complete transitions yet, whose observations lie in the memory. */
  state(fields: StateFields): void {
    this.#transitions.state(fields)
  }
}
