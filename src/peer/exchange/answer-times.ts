/**
 * How long partners take to answer a proposal, and which of them are slow: whose last answer took several times as long as that of most. An
 * exchange with one of those may go on beside others, so that a far peer costs its partners no rounds.
 */
import type { PeerId } from '../../ports/network.ts'
import { MAX_ANSWER_TIMES, SLOW_LEAST_MS, SLOW_LEAST_PARTNERS, SLOW_TIMES } from '../limits.ts'

export class AnswerTimes {
  /** Of the last answer of each partner, the latest last. */
  readonly #byPartner = new Map<PeerId, number>()

  took(partner: PeerId, ms: number): void {
    this.#byPartner.delete(partner)
    this.#byPartner.set(partner, ms)
    if (this.#byPartner.size > MAX_ANSWER_TIMES) this.#byPartner.delete(this.#byPartner.keys().next().value!)
  }

  isSlow(partner: PeerId): boolean {
    const last = this.#byPartner.get(partner) ?? 0
    if (last <= SLOW_LEAST_MS || this.#byPartner.size < SLOW_LEAST_PARTNERS) return false
    const times = [...this.#byPartner.values()].sort((a, b) => a - b)
    return last > SLOW_TIMES * times[(times.length - 1) >>> 1]!
  }
}
