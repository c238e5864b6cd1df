/**
 * The factor on this peer's learning rate, by how many others it averages with: distinct authors whose snapshots it mixed in its last
 * RATE_MEMORY_ROUNDS rounds and who are still there. Replicas that drift apart farther than is good are peers in name only, whose noise is not
 * averaged away: then the factor is 1, as for one alone. The learner hears of it when it changes, and applies it from the next update on.
 */
import { nextRateFactor, type RateRule } from '../average/rate.ts'
import type { Learner } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { RATE_MEMORY_ROUNDS } from './limits.ts'

export interface RateOptions {
  readonly rule: RateRule | null
  readonly learner: Pick<Learner, 'setRateFactor'>
  /** Own rounds so far. */
  readonly rounds: () => number
  /** Has it not left, fallen silent or been muted? */
  readonly isThere: (author: PeerId) => boolean
  /** Do replicas stay so close that averaging them helps? */
  readonly together: () => boolean
}

export class Rate {
  readonly #options: RateOptions
  /** In which own round an author was mixed last. */
  readonly #lastMixed = new Map<PeerId, number>()
  #factor = 1

  constructor(options: RateOptions) {
    this.#options = options
  }

  get factor(): number {
    return this.#factor
  }

  /** After a mix with these authors; with none, after a round in which nobody else was there. */
  async mixed(authors: readonly PeerId[]): Promise<void> {
    const { rule, learner, rounds, isThere, together } = this.#options
    if (rule === null) return
    const now = rounds()
    for (const author of authors) this.#lastMixed.set(author, now)
    for (const [author, round] of this.#lastMixed) {
      if (now - round >= RATE_MEMORY_ROUNDS || !isThere(author)) this.#lastMixed.delete(author)
    }
    const next = nextRateFactor(this.#factor, together() ? 1 + this.#lastMixed.size : 1, rule)
    if (next === this.#factor) return
    this.#factor = next
    await learner.setRateFactor(next)
  }
}
