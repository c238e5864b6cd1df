/**
 * A replay memory that draws a fixed share of each batch from other peers' transitions. Each author has a small memory of its own, so that
 * none can push another's out or outshine it by inventing errors: priorities count only among one author's transitions, and importance
 * weights only within what was drawn of it. Authors take turns where there are more than places. Without a share it is the own memory alone.
 */
import type { SharedExperience, SharedTransitions, TransitionFormat } from '../ports/learner.ts'
import type { Random } from '../ports/random.ts'
import { FOREIGN_TRANSITIONS, MAX_FOREIGN_AUTHORS, MAX_FOREIGN_BYTES, MAX_REWARD_RATIO, OFFERED_TRANSITIONS } from './limits.ts'
import { PrioritisedReplay, type ReplayBatch, replayBytes } from './replay.ts'
import { foreignRows, forgetOldest, type Sharing } from './sharing.ts'

export interface ForeignReplayOptions {
  readonly own: PrioritisedReplay
  readonly batch: ReplayBatch
  readonly format: TransitionFormat
  /** Exponent of the priorities. */
  readonly alpha: number
  /** Share of a batch that may be others'. */
  readonly share: number
  /** Observations pushed last that may belong to no complete transition yet. */
  readonly open: number
}

export class ForeignReplay implements Sharing {
  readonly format: TransitionFormat
  readonly #options: ForeignReplayOptions
  readonly #rowsOfOne: number
  readonly #places: number
  /** In the order in which they were last heard. */
  readonly #authors = new Map<string, PrioritisedReplay>()
  /** What of the batch is own, by the number of authors in it. */
  readonly #own: readonly ReplayBatch[]
  /** Parts of the batch by author's place, counted from the end. */
  readonly #parts: readonly ReplayBatch[]
  /** Whose transitions are in the batch, by place. */
  #drawn: readonly PrioritisedReplay[] = []
  #turn = 0
  #offeredTo = 0

  constructor(options: ForeignReplayOptions) {
    const { batch, share, format } = options
    const rows = batch.slots.length
    const { all, ofOne } = foreignRows(share, rows)
    this.format = format
    this.#options = options
    this.#rowsOfOne = ofOne
    this.#places = Math.floor(all / ofOne)
    const from = (place: number) => rows - place * ofOne
    this.#own = Array.from({ length: this.#places + 1 }, (_, places) => part(batch, 0, from(places)))
    this.#parts = Array.from({ length: this.#places }, (_, place) => part(batch, from(place + 1), from(place)))
  }

  /** Slots of the batch that lie in the own memory. */
  get ownSlots(): Int32Array {
    return this.#own[this.#drawn.length]!.slots
  }

  /** Fills the batch. */
  sample(random: Random, beta: number): void {
    // One with fewer transitions than rows would repeat itself.
    const ready = [...this.#authors.values()].filter((memory) => memory.size >= 2 * this.#rowsOfOne)
    const places = Math.min(this.#places, ready.length)
    this.#drawn = Array.from({ length: places }, (_, place) => ready[(this.#turn + place) % ready.length]!)
    this.#turn = (this.#turn + places) % Math.max(1, ready.length)
    this.#options.own.sample(random, beta, this.#own[places]!)
    for (const [place, memory] of this.#drawn.entries()) memory.sample(random, beta, this.#parts[place]!)
  }

  /** Gives what was drawn the priorities of its new errors, in the order of the batch. */
  update(tdErrors: Float32Array): void {
    const { slots } = this.#own[this.#drawn.length]!
    this.#options.own.update(slots, tdErrors.subarray(0, slots.length))
    for (const [place, memory] of this.#drawn.entries()) {
      const end = tdErrors.length - place * this.#rowsOfOne
      memory.update(this.#parts[place]!.slots, tdErrors.subarray(end - this.#rowsOfOne, end))
    }
  }

  /** Those of highest priority among what is new since the last offer. */
  offer(most: number): SharedTransitions | null {
    const { own, open, format } = this.#options
    const to = Math.max(this.#offeredTo, own.pushed - open)
    const slots = own.highest(this.#offeredTo, to, Math.min(most, OFFERED_TRANSITIONS))
    this.#offeredTo = to
    if (slots.length === 0) return null
    const n = slots.length
    const offered: SharedTransitions = {
      kind: 'transitions',
      observations: new Float32Array(n * format.observationSize),
      nextObservations: new Float32Array(n * format.observationSize),
      actions: new Int32Array(n),
      rewards: new Float32Array(n),
      discounts: new Float32Array(n),
      tdErrors: Float32Array.from(slots, (slot) => own.tdError(slot)),
    }
    own.copy({ slots, ...offered })
    return offered
  }

  take(author: string, experience: SharedExperience): boolean {
    if (experience.kind !== 'transitions') return false
    const { observations, nextObservations, actions, rewards, discounts, tdErrors } = experience
    const bound = MAX_REWARD_RATIO * Math.max(1, this.#options.own.largestReward)
    if (rewards.some((reward) => !(Math.abs(reward) <= bound))) return false
    const memory = this.#memoryOf(author)
    for (let i = 0; i < actions.length; i++) {
      // The capacity is even, so that a transition and what it leads to are overwritten together.
      const slot = memory.push(observations, i)
      memory.transition(slot, actions[i]!, rewards[i]!, discounts[i]!, memory.push(nextObservations, i), tdErrors[i]!)
    }
    return true
  }

  describe(statistics: Record<string, number>): void {
    let size = 0
    for (const memory of this.#authors.values()) size += memory.size / 2
    statistics['replay/foreign_size'] = size
    statistics['replay/foreign_share'] = (this.#drawn.length * this.#rowsOfOne) / this.#options.batch.slots.length
  }

  #memoryOf(author: string): PrioritisedReplay {
    const known = this.#authors.get(author)
    if (known !== undefined) {
      this.#authors.delete(author)
      this.#authors.set(author, known)
      return known
    }
    const { format, alpha } = this.#options
    const { observationSize, bytes } = format
    const bytesOfOne = replayBytes({ capacity: 2, observationSize, bytes })
    const most = Math.floor(MAX_FOREIGN_BYTES / MAX_FOREIGN_AUTHORS / bytesOfOne)
    const capacity = 2 * Math.max(this.#rowsOfOne, Math.min(FOREIGN_TRANSITIONS, most))
    const memory = new PrioritisedReplay({ capacity, observationSize, bytes, alpha })
    this.#authors.set(author, memory)
    forgetOldest(this.#authors)
    return memory
  }
}

/** Rows `from` to before `to` of a batch, as views. */
function part(batch: ReplayBatch, from: number, to: number): ReplayBatch {
  const rows = batch.slots.length
  const wide = (values: Float32Array) => values.subarray((from * values.length) / rows, (to * values.length) / rows)
  return {
    slots: batch.slots.subarray(from, to),
    observations: wide(batch.observations),
    actions: batch.actions.subarray(from, to),
    rewards: batch.rewards.subarray(from, to),
    discounts: batch.discounts.subarray(from, to),
    nextObservations: wide(batch.nextObservations),
    weights: batch.weights.subarray(from, to),
  }
}
