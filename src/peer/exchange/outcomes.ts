/**
 * The responder's log: of every exchange that it committed, the factor that counts, until the initiator says that it is settled. At most
 * MAX_OUTCOMES: the oldest goes to the ledger then, and of the exchanges up to it of that initiator nothing certain can be said any more.
 */
import type { PeerId } from '../../ports/network.ts'
import type { ExchangeId } from '../../wire/exchange.ts'
import { MAX_OUTCOMES } from '../limits.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'

export interface Outcome {
  readonly factor: number
  /** Settles when the own half is applied; rejects when that failed. */
  readonly applied: Promise<void>
  readonly entry: LedgerEntry
  readonly initiator: PeerId
  readonly id: ExchangeId
}

export class Outcomes {
  readonly #ledger: Ledger
  readonly #byName = new Map<string, Outcome>()
  /** Last exchange of each initiator that was dropped unsettled. */
  readonly #dropped = new Map<PeerId, ExchangeId>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  get size(): number {
    return this.#byName.size
  }

  get(initiator: PeerId, id: ExchangeId): Outcome | undefined {
    return this.#byName.get(exchangeName(initiator, id))
  }

  record(outcome: Outcome): void {
    this.#byName.set(outcome.entry.exchange, outcome)
    if (this.#byName.size <= MAX_OUTCOMES) return
    const [oldest] = this.#byName.values()
    this.#drop(oldest!)
  }

  /** The initiator needs it no more. */
  settle(initiator: PeerId, ids: readonly ExchangeId[]): void {
    for (const id of ids) this.#byName.delete(exchangeName(initiator, id))
  }

  /** It did not come to pass after all. */
  remove(outcome: Outcome): void {
    this.#byName.delete(outcome.entry.exchange)
  }

  /** An initiator with a new incarnation asks for nothing of its earlier ones. */
  dropBefore(initiator: PeerId, incarnation: number): void {
    for (const outcome of [...this.#byName.values()]) {
      if (outcome.initiator === initiator && outcome.id.incarnation < incarnation) this.#drop(outcome)
    }
  }

  /** May this exchange have been committed and dropped? */
  mayHaveDropped(initiator: PeerId, id: ExchangeId): boolean {
    const last = this.#dropped.get(initiator)
    return last !== undefined && !isLater(id, last)
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#byName.values()].map(({ entry }) => entry)
  }

  #drop(outcome: Outcome): void {
    this.#byName.delete(outcome.entry.exchange)
    this.#ledger.add(outcome.entry)
    const last = this.#dropped.get(outcome.initiator)
    if (last !== undefined && !isLater(outcome.id, last)) return
    this.#dropped.delete(outcome.initiator)
    this.#dropped.set(outcome.initiator, outcome.id)
    if (this.#dropped.size <= MAX_OUTCOMES) return
    const [oldest] = this.#dropped.keys()
    this.#dropped.delete(oldest!)
  }
}

export function exchangeName(initiator: PeerId, id: ExchangeId): string {
  return `${initiator}/${id.incarnation}/${id.number}`
}

export function isLater(id: ExchangeId, than: ExchangeId): boolean {
  return id.incarnation > than.incarnation || (id.incarnation === than.incarnation && id.number > than.number)
}

export function isSameExchange(a: ExchangeId, b: ExchangeId): boolean {
  return a.incarnation === b.incarnation && a.number === b.number
}
