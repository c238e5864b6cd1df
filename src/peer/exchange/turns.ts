/**
 * Turns of peers that their partner rule brings together round by round: a proposal for a round waits until the rounds before it are over
 * here, so that everybody meets partners in the same order. Who is many rounds ahead need not wait: its turn would come too late.
 */
import type { PeerId } from '../../ports/network.ts'
import { MAX_PAIRS_ANSWERED, MAX_ROUNDS_WAITED } from '../limits.ts'

export class PairTurns {
  readonly #onOver: () => void
  /** Whose proposal for which round was answered. */
  readonly #answered = new Map<PeerId, number>()
  /** Last round that is over: an own one, or one whose exchange was answered before it began here. The first is 1. */
  #over = 0

  /** `onOver` is told when a round is over. */
  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  /** Has the exchange with `partner` in round `epoch`, or a later one, come to pass? */
  hasAnswered(partner: PeerId, epoch: number): boolean {
    return (this.#answered.get(partner) ?? Number.NEGATIVE_INFINITY) >= epoch
  }

  /** An exchange that `partner` proposed came to pass. `paired`: its rule named us, and ours names it then. */
  answered(partner: PeerId, epoch: number, paired: boolean): void {
    this.#answered.delete(partner)
    this.#answered.set(partner, epoch)
    if (this.#answered.size > MAX_PAIRS_ANSWERED) for (const oldest of [...this.#answered.keys()].slice(0, 1)) this.#answered.delete(oldest)
    if (paired && epoch === this.#over + 1) this.#next(epoch)
  }

  /** An own round is over. */
  roundOver(epoch: number): void {
    for (const [partner, answered] of this.#answered) if (answered <= epoch) this.#answered.delete(partner)
    if (epoch > this.#over) this.#next(epoch)
  }

  /** `now`: it may begin; `soon`: when rounds here are over; `far`: that would take too long. */
  turnOf(epoch: number): 'now' | 'soon' | 'far' {
    if (epoch <= this.#over + 1) return 'now'
    return epoch <= this.#over + 1 + MAX_ROUNDS_WAITED ? 'soon' : 'far'
  }

  #next(over: number): void {
    this.#over = over
    this.#onOver()
  }
}
