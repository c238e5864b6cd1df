/**
 * The one place for an exchange, in either direction, and who waits for it. Whoever frees it lets in the first waiter whose turn has come
 * before anybody else. Beside it there is one for an exchange with a slow partner (answer-times.ts), which does nothing but wait for the network
 * most of the time; never are there two with one partner.
 */
import type { Clock } from '../../ports/clock.ts'
import type { PeerId } from '../../ports/network.ts'
import type { ExchangeId } from '../../wire/exchange.ts'
import type { OwnFrame } from '../frames.ts'
import { isSameExchange } from './outcomes.ts'
import type { Theirs } from './taking.ts'

export interface ExchangeName {
  readonly role: 'initiator' | 'responder'
  readonly partner: PeerId
  readonly id: ExchangeId
  /** The initiator's round. */
  readonly draw: number
  /** The partner rule brings the two together in that round. */
  readonly paired: boolean
  /** It has the place beside the main one. */
  readonly aside: boolean
}

/** An exchange under way. */
export interface Exchange extends ExchangeName {
  readonly ended: PromiseWithResolvers<void>
  own: OwnFrame | null
  /** Responder: its own frame made, and theirs checked; null where that failed. */
  ready: Promise<unknown>
  theirs: Promise<Theirs | null>
  /** Initiator: the partner has accepted. */
  accepted: boolean
  committed: boolean
  /** Bytes of the own frame that the partner has asked for. */
  pulledBytes: number
  cancelExpiry: () => void
}

interface Waiter {
  readonly ready: () => boolean
  readonly enter: () => void
  readonly leave: (entered: boolean) => void
}

export class Place {
  readonly #clock: Clock
  readonly #waiting = new Map<PeerId, Waiter>()
  #current: Exchange | null = null
  #aside: Exchange | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get current(): Exchange | null {
    return this.#current
  }

  /** The exchange under way with this peer. */
  with(peer: PeerId): Exchange | null {
    return [this.#current, this.#aside].find((exchange) => exchange?.partner === peer) ?? null
  }

  isFree(aside: boolean): boolean {
    return (aside ? this.#aside : this.#current) === null
  }

  /** Takes a place, which is free. */
  begin(name: ExchangeName): Exchange {
    const exchange: Exchange = {
      ...name,
      ended: Promise.withResolvers(),
      own: null,
      ready: Promise.resolve(),
      theirs: Promise.resolve(null),
      accepted: false,
      committed: false,
      pulledBytes: 0,
      cancelExpiry: () => undefined,
    }
    if (exchange.aside) this.#aside = exchange
    else this.#current = exchange
    return exchange
  }

  end(exchange: Exchange): void {
    this.giveWay(exchange)
    this.letIn()
  }

  /** Frees its place for one that takes it at once. */
  giveWay(exchange: Exchange): void {
    if (this.#current === exchange) this.#current = null
    if (this.#aside === exchange) this.#aside = null
    exchange.cancelExpiry()
    exchange.ended.resolve()
  }

  holds(exchange: Exchange): boolean {
    return this.#current === exchange || this.#aside === exchange
  }

  /** The exchange that this peer has proposed under this name; null: it is not under way. */
  answering(peer: PeerId, id: ExchangeId): Exchange | null {
    const exchange = this.with(peer)
    return exchange?.role === 'responder' && isSameExchange(exchange.id, id) ? exchange : null
  }

  /** Calls `enter`, which takes the place, once it is free and `ready`; false after `ms`, or when the peer waits anew. */
  async wait(peer: PeerId, ms: number, ready: () => boolean, enter: () => void): Promise<boolean> {
    this.#waiting.get(peer)?.leave(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiter: Waiter = {
      ready,
      enter,
      leave: (entered) => {
        if (this.#waiting.get(peer) === waiter) this.#waiting.delete(peer)
        resolve(entered)
      },
    }
    this.#waiting.set(peer, waiter)
    const cancel = this.#clock.after(ms, () => waiter.leave(false))
    const entered = await promise
    cancel()
    return entered
  }

  /** Somebody's turn may have come. */
  letIn(): void {
    for (const waiter of [...this.#waiting.values()]) {
      if (this.#current !== null) return
      if (!waiter.ready()) continue
      waiter.enter()
      waiter.leave(true)
    }
  }
}
