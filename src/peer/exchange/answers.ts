/**
 * The responder's side of exchanges: takes a proposal where the place is free, holds a patient one until its turn, decides at the commit, and
 * tells what became of it.
 */
import type { PeerId } from '../../ports/network.ts'
import { GrapevineError } from '../../util/errors.ts'
import {
  decodeExchangeRequest,
  type ExchangeId,
  type ExchangeRefusal,
  type ExchangeRequest,
  type ExchangeResponse,
} from '../../wire/exchange.ts'
import { RANGE_BYTES } from '../../wire/limits.ts'
import { within } from '../closers.ts'
import type { OwnFrame } from '../frames.ts'
import { MAX_PULLS, PATIENCE_MS } from '../limits.ts'
import type { StrategyContext } from '../strategies/strategy.ts'
import type { AnswerTimes } from './answer-times.ts'
import { type AskingPorts, exchangeTimeoutMs } from './asking.ts'
import type { Ledger } from './ledger.ts'
import { exchangeName, isLater, isSameExchange, type Outcome, type Outcomes } from './outcomes.ts'
import type { Exchange, Place } from './place.ts'
import { applyHalf, type Theirs, takeTheirs } from './taking.ts'
import type { PairTurns } from './turns.ts'

type Open = Extract<ExchangeRequest, { kind: 'open' }>

export interface AnswersParts {
  readonly context: StrategyContext
  readonly ports: AskingPorts
  readonly place: Place
  readonly times: AnswerTimes
  readonly turns: PairTurns
  readonly ledger: Ledger
  readonly outcomes: Outcomes
  readonly frameBytes: number
}

export class Answers {
  readonly #parts: AnswersParts
  /** Exchanges whose half was applied here. */
  count = 0

  constructor(parts: AnswersParts) {
    this.#parts = parts
  }

  async answer(peer: PeerId, bytes: Uint8Array): Promise<ExchangeResponse> {
    const { context, outcomes } = this.#parts
    let request: ExchangeRequest
    try {
      request = decodeExchangeRequest(bytes)
    } catch (error) {
      if (error instanceof GrapevineError && error.code === 'unknown_request') return this.#error('unknown_request')
      context.refuse(peer, 'bad_message')
      return this.#error('refused')
    }
    switch (request.kind) {
      case 'open':
        return this.#opened(peer, request)
      case 'range':
        return this.#range(peer, request)
      case 'commit':
        return this.#committed(peer, request.id, request.factor)
      case 'outcome':
        this.#breakOff(peer, request.id)
        return this.#known(peer, request.id)
      case 'settled':
        outcomes.settle(peer, request.settled)
        return { kind: 'ok' }
      case 'abort':
        this.#breakOff(peer, request.id)
        return { kind: 'ok' }
      case 'push':
        return this.#error('refused')
    }
  }

  async #opened(peer: PeerId, request: Open): Promise<ExchangeResponse> {
    const { context, place, outcomes, turns, frameBytes } = this.#parts
    const { id, draw, patient } = request
    outcomes.settle(peer, request.settled)
    if (place.answering(peer, id) === null) {
      const { proposed } = context.authors.hear(peer, context.clock.now())
      // A proposal that comes twice, or after a newer one.
      if (proposed !== null && !isLater(id, proposed)) return this.#error('gone')
      if (request.frameBytes !== frameBytes) {
        context.refuse(peer, 'manifest_mismatch')
        return this.#error('refused')
      }
      const waits = patient && place.with(peer) === null && turns.turnOf(draw) !== 'far'
      const ready = () => turns.turnOf(draw) !== 'soon'
      if (this.#yields(peer, patient) && (!waits || ready())) this.#respond(peer, request)
      else if (!waits) {
        await this.#untilCrossed(peer, patient)
        return this.#error('busy')
      } else if (!(await place.wait(peer, PATIENCE_MS, ready, () => this.#respond(peer, request)))) return { kind: 'wait' }
    }
    const exchange = place.answering(peer, id)
    if (exchange === null) return this.#error('gone')
    if (!(await this.#patiently(exchange.ready))) return { kind: 'wait' }
    if (!place.holds(exchange) || exchange.own === null) return this.#error('gone')
    const { bytes } = exchange.own
    return { kind: 'accept', frameBytes: bytes.length, head: bytes.subarray(0, RANGE_BYTES) }
  }

  /**
   * Of two that propose to each other ours stays. It may not have left yet, and whoever hears `busy` before it comes would turn to others, who
   * have partners of their own.
   */
  async #untilCrossed(peer: PeerId, patient: boolean): Promise<void> {
    const { place, context } = this.#parts
    const ours = place.with(peer)
    if (patient && ours?.role === 'initiator') await within(context.clock, PATIENCE_MS, ours.ended.promise)
  }

  /** Is there a place for a proposal of `peer`? */
  #yields(peer: PeerId, patient: boolean): boolean {
    const { place, context } = this.#parts
    const before = place.with(peer)
    if (before === null) return place.isFree(this.#goesAside(peer, patient))
    if (before.committed) return false
    // Who proposes anew has given up what it proposed before.
    if (before.role === 'responder') return true
    return !before.accepted && peer < context.network.id
  }

  /** Pairs of a rule meet one after the other, whoever is slow. */
  #goesAside(peer: PeerId, patient: boolean): boolean {
    return !patient && this.#parts.times.isSlow(peer)
  }

  #respond(peer: PeerId, { id, draw, patient, head, frameBytes }: Open): void {
    const { context, ports, place, outcomes } = this.#parts
    const before = place.with(peer)
    if (before !== null) place.giveWay(before)
    const aside = before?.aside ?? this.#goesAside(peer, patient)
    context.authors.hear(peer, context.clock.now()).proposed = id
    outcomes.dropBefore(peer, id.incarnation)
    const exchange = place.begin({ role: 'responder', partner: peer, id, draw, paired: patient, aside })
    exchange.cancelExpiry = context.clock.after(exchangeTimeoutMs(frameBytes), () => place.end(exchange))
    // Of two crossing proposals, the frame of the one that gives way is as good: nothing was applied since.
    const made = before !== null && before.own?.epoch === draw ? before.own : null
    const ready = (made === null ? context.ownFrame(draw) : Promise.resolve(made)).then((own) => {
      exchange.own = own
      return own
    })
    exchange.ready = ready.catch((error: unknown) => {
      place.end(exchange)
      context.onFailure(error)
    })
    const take = (own: OwnFrame) =>
      takeTheirs(context, ports, exchange, own, { head, frameBytes, draw }, () => place.holds(exchange)).catch(() => null)
    exchange.theirs = ready.then(take, () => null)
  }

  async #committed(peer: PeerId, id: ExchangeId, factor: number): Promise<ExchangeResponse> {
    const { place } = this.#parts
    const exchange = place.answering(peer, id)
    if (exchange !== null && !exchange.committed) {
      if (!(await this.#patiently(exchange.theirs))) return { kind: 'wait' }
      const theirs = await exchange.theirs
      if (place.holds(exchange) && !exchange.committed) {
        if (theirs === null) place.end(exchange)
        else this.#decide(exchange, theirs, Math.min(factor, theirs.factor))
      }
    }
    return this.#known(peer, id)
  }

  /** From here on the exchange has happened: applies our half and remembers it. */
  #decide(exchange: Exchange, theirs: Theirs, factor: number): void {
    const { context, place, turns, ledger, outcomes } = this.#parts
    const { partner, id, draw, paired } = exchange
    exchange.committed = true
    exchange.cancelExpiry()
    const norm = (factor / 2) * theirs.norm
    const entry = {
      exchange: exchangeName(partner, id),
      partner,
      role: 'responder' as const,
      applied: true,
      norm,
      delta: null as Float32Array | null,
    }
    const applied = applyHalf(context, factor, exchange.own!, theirs).then((delta) => {
      this.count++
      turns.answered(partner, draw, paired)
      if (ledger.keepsDeltas) entry.delta = delta
    })
    const outcome: Outcome = { factor, applied, entry, initiator: partner, id }
    outcomes.record(outcome)
    applied
      .catch((error: unknown) => {
        outcomes.remove(outcome)
        context.onFailure(error)
      })
      .finally(() => place.end(exchange))
  }

  /** Ends an exchange that was not committed. */
  #breakOff(peer: PeerId, id: ExchangeId): void {
    const { place } = this.#parts
    const exchange = place.answering(peer, id)
    if (exchange !== null && !exchange.committed) place.end(exchange)
  }

  async #known(peer: PeerId, id: ExchangeId): Promise<ExchangeResponse> {
    const { outcomes } = this.#parts
    const outcome = outcomes.get(peer, id)
    if (outcome === undefined) return this.#error(outcomes.mayHaveDropped(peer, id) ? 'forgotten' : 'gone')
    // A half that cannot be applied resets the request, and the next question finds no outcome.
    if (!(await this.#patiently(outcome.applied))) return { kind: 'wait' }
    return { kind: 'done', factor: outcome.factor }
  }

  #range(peer: PeerId, { id, offset, length }: Extract<ExchangeRequest, { kind: 'range' }>): ExchangeResponse {
    const exchange = this.#parts.place.with(peer)
    if (exchange === null || !isSameExchange(exchange.id, id) || exchange.own === null) return this.#error('gone')
    const { bytes } = exchange.own
    exchange.pulledBytes += length
    if (offset + length > bytes.length || exchange.pulledBytes > MAX_PULLS * bytes.length) return this.#error('refused')
    return { kind: 'range', bytes: bytes.subarray(offset, offset + length) }
  }

  /** True once `work` is done; false when that takes longer than a request may be held. */
  async #patiently(work: Promise<unknown>): Promise<boolean> {
    let done = false
    await within(
      this.#parts.context.clock,
      PATIENCE_MS,
      work.then(() => {
        done = true
      }),
    )
    return done
  }

  #error(code: ExchangeRefusal): ExchangeResponse {
    return { kind: 'error', code, incarnation: this.#parts.context.incarnation }
  }
}
