/**
 * Other peers' rollouts, for an algorithm that corrects by importance weights: the newest of each author waits for its turn. Of any 1 / share
 * updates in a row at most one is made from a foreign rollout, and of any 1 / MAX_AUTHOR_SHARE at most one from an author's.
 */
import type { RolloutFormat, SharedExperience, SharedRollout } from '../ports/learner.ts'
import { Experience, type ExperienceShape } from './experience.ts'
import { MAX_AUTHOR_SHARE, MAX_FOREIGN_SHARE, MAX_REWARD_RATIO } from './limits.ts'
import { forgetOldest, type Sharing } from './sharing.ts'

export interface ForeignRolloutsOptions {
  readonly shape: ExperienceShape
  /** Of a discrete space; null: continuous. */
  readonly actions: number | null
  /** Share of the updates that may be made from others' rollouts. */
  readonly share: number
  /** Updates after which a rollout that waits is dropped. */
  readonly maxLag: number
}

interface Waiting {
  readonly experience: Experience
  /** Updates made when it came. */
  readonly since: number
}

export class ForeignRollouts implements Sharing {
  readonly format: RolloutFormat
  readonly #options: ForeignRolloutsOptions
  readonly #spacing: number
  readonly #authorSpacing: number
  readonly #waiting = new Map<string, Waiting>()
  /** Update at which each author had its last turn. */
  readonly #lastOf = new Map<string, number>()
  readonly #own: Experience
  /** Rows of `#own` that were truncated; null: nothing new to offer. */
  #ownFinals: number | null = null
  #largestReward = 0
  #last = Number.NEGATIVE_INFINITY
  #updates = 0
  #taken = 0
  #dropped = 0

  constructor(options: ForeignRolloutsOptions) {
    const { shape, actions, share } = options
    const { steps, environments, observationSize, actionWidth } = shape
    this.format = { kind: 'rollout', steps, environments, observationSize, actions, actionWidth }
    this.#options = options
    this.#spacing = Math.ceil(1 / Math.min(share, MAX_FOREIGN_SHARE) - 1e-9)
    this.#authorSpacing = Math.ceil(1 / Math.min(share, MAX_AUTHOR_SHARE) - 1e-9)
    this.#own = new Experience(shape)
  }

  /** An own rollout, of which an update was or will be made. */
  saw(experience: Experience): void {
    let finals = 0
    for (const flag of experience.truncated) finals += flag
    for (const reward of experience.rewards) this.#largestReward = Math.max(this.#largestReward, Math.abs(reward))
    fill(this.#own, experience)
    this.#ownFinals = finals
  }

  /** One update was made, of whatever rollout. */
  updated(): void {
    this.#updates++
  }

  /** Whose rollout the next update may be made from; null: nobody's. It is the caller's. */
  next(): Experience | null {
    const next = this.#updates + 1
    if (next - this.#last < this.#spacing) return null
    for (const [author, { experience, since }] of this.#waiting) {
      if (this.#updates - since > this.#options.maxLag) {
        this.#waiting.delete(author)
        this.#dropped++
        continue
      }
      if (next - (this.#lastOf.get(author) ?? Number.NEGATIVE_INFINITY) < this.#authorSpacing) continue
      this.#waiting.delete(author)
      this.#last = next
      this.#lastOf.delete(author)
      this.#lastOf.set(author, next)
      this.#taken++
      forgetOldest(this.#lastOf)
      return experience
    }
    return null
  }

  offer(): SharedRollout | null {
    const finals = this.#ownFinals
    if (finals === null) return null
    this.#ownFinals = null
    const { observations, lastObservations, actions, logProbs, rewards, terminated, truncated, finalObservations } = this.#own
    return {
      kind: 'rollout',
      observations: observations.slice(),
      lastObservations: lastObservations.slice(),
      actions: actions.slice(),
      logProbs: logProbs.slice(),
      rewards: rewards.slice(),
      terminated: terminated.slice(),
      truncated: truncated.slice(),
      finalObservations: finalObservations.slice(0, finals * this.format.observationSize),
    }
  }

  take(author: string, rollout: SharedExperience): boolean {
    if (rollout.kind !== 'rollout') return false
    const bound = MAX_REWARD_RATIO * Math.max(1, this.#largestReward)
    if (rollout.rewards.some((reward) => !(Math.abs(reward) <= bound))) return false
    const experience = new Experience(this.#options.shape)
    fill(experience, rollout)
    // Who waits longest comes first, with its newest.
    const since = this.#updates
    this.#waiting.set(author, { experience, since })
    forgetOldest(this.#waiting)
    return true
  }

  describe(statistics: Record<string, number>): void {
    statistics['train/foreign_rollouts'] = this.#taken
    statistics['train/foreign_dropped'] = this.#dropped
  }
}

/** Copies what an update reads. */
function fill(into: Experience, from: Omit<SharedRollout, 'kind'>): void {
  into.observations.set(from.observations)
  into.lastObservations.set(from.lastObservations)
  into.actions.set(from.actions)
  into.logProbs.set(from.logProbs)
  into.rewards.set(from.rewards)
  into.terminated.set(from.terminated)
  into.truncated.set(from.truncated)
  into.finalObservations.set(from.finalObservations)
}
