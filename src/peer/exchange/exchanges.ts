/**
 * Exchanges of one peer: two replicas swap snapshots and both apply half the difference, or neither does.
 *
 * 1. OPEN with the initiator's frame; the responder takes a snapshot of its own and answers with its frame.   2. Both pull what did not fit
 * into one message and pass it through the gate.   3. COMMIT with the initiator's clip factor; the responder takes the smaller of both, applies
 * c/2 (Q(theirs) - Q(mine)), remembers (exchange, c) and answers.   4. The initiator applies the same c; when the answer is lost it asks
 * for it until it knows (unsettled.ts).
 *
 * At most one exchange is under way, in either direction; others hear `busy`, and of two crossing proposals the lower peer id's stays. An
 * exchange that was not committed in time ends without a trace.
 */
import { differencePass, scalePass } from '../../average/passes.ts'
import type { PeerId } from '../../ports/network.ts'
import { GrapevineError } from '../../util/errors.ts'
import {
  decodeExchangeRequest,
  type ExchangeId,
  type ExchangeRefusal,
  type ExchangeRequest,
  type ExchangeResponse,
  encodeExchangeResponse,
} from '../../wire/exchange.ts'
import { encodedFrameBytes } from '../../wire/frame.ts'
import { MAX_RESPONSE_BYTES, RANGE_BYTES } from '../../wire/limits.ts'
import { EXCHANGE_PROTOCOL } from '../../wire/protocol.ts'
import { within } from '../closers.ts'
import type { OwnFrame } from '../frames.ts'
import { DIAL_TIMEOUT_MS, PATIENCE_MS } from '../limits.ts'
import type { Mixed } from '../mixing.ts'
import type { StrategyContext } from '../strategies/strategy.ts'
import { type AskingPorts, ask, askPatiently, exchangeTimeoutMs, pullFrame } from './asking.ts'
import { Ledger, type LedgerEntry } from './ledger.ts'
import { exchangeName, isLater, isSameExchange, type Outcome, Outcomes } from './outcomes.ts'
import { type Committed, Unsettled } from './unsettled.ts'

/**
 * How a proposal ended. busy: it has another exchange; absent: it cannot be reached; crossed: it proposed one itself, which took its place;
 * failed: it broke off, or sent what does not pass the gate; unsettled: committed, and its answer was lost.
 */
export type Proposal = 'done' | 'busy' | 'absent' | 'crossed' | 'failed' | 'unsettled'

interface Exchange {
  readonly role: 'initiator' | 'responder'
  readonly partner: PeerId
  readonly id: ExchangeId
  readonly ended: PromiseWithResolvers<void>
  own: OwnFrame | null
  /** Responder: its own frame made, and theirs checked; null where that failed. */
  ready: Promise<unknown>
  theirs: Promise<Theirs | null>
  /** Initiator: the partner has accepted. */
  accepted: boolean
  committed: boolean
  cancelExpiry: () => void
}

/** The other side's snapshot, checked, as its difference from ours. */
interface Theirs {
  readonly incarnation: number
  readonly difference: Float32Array
  readonly norm: number
  readonly factor: number
  readonly mixed: Mixed
}

export class Exchanges {
  readonly #context: StrategyContext
  readonly #ports: AskingPorts
  readonly #ledger: Ledger
  readonly #outcomes: Outcomes
  readonly #unsettled: Unsettled
  readonly #frameBytes: number
  readonly #counts = { exchanges: 0, exchangesAnswered: 0, exchangesBusy: 0, exchangesFailed: 0, exchangesLost: 0 }
  /** Whose proposals were answered since `forgetAnswered`. */
  readonly #answered = new Set<PeerId>()
  #current: Exchange | null = null
  #number = 0

  constructor(context: StrategyContext) {
    const { network, clock, signal, codec, run, authors } = context
    this.#context = context
    this.#ports = { network, clock, signal }
    this.#frameBytes = encodedFrameBytes(codec.bytesFor(run.parameterCount), run.normaliserSizes)
    this.#ledger = new Ledger(context.keepDeltas)
    this.#outcomes = new Outcomes(this.#ledger)
    this.#unsettled = new Unsettled({
      ...this.#ports,
      ledger: this.#ledger,
      self: network.id,
      incarnationOf: (peer) => {
        const beacon = authors.get(peer)?.beacon
        if (beacon == null) return null
        return beacon.leaving ? beacon.incarnation + 1 : beacon.incarnation
      },
      onFailure: (error) => context.onFailure(error),
    })
    signal.addEventListener('abort', () => this.#unsettled.stop(), { once: true })
  }

  serve(): void {
    this.#context.network.serve(EXCHANGE_PROTOCOL, MAX_RESPONSE_BYTES, async (peer, bytes) =>
      encodeExchangeResponse(await this.#answer(peer, bytes)),
    )
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counts,
      exchangesUnsettled: this.#unsettled.size,
      exchangesNeverSettled: this.#ledger.count,
      outcomesKept: this.#outcomes.size,
    }
  }

  /** Of all that is not settled yet and all that never was. */
  ledger(): readonly LedgerEntry[] {
    return [...this.#ledger.entries, ...this.#outcomes.entries(), ...this.#unsettled.entries()]
  }

  /** Has an exchange that this peer proposed come to pass since the last call of this method? */
  takeAnswered(partner: PeerId): boolean {
    const answered = this.#answered.has(partner)
    this.#answered.clear()
    return answered
  }

  /** One exchange with `partner`, after the one under way; resolves when it is over for this peer. */
  async propose(partner: PeerId): Promise<Proposal> {
    while (this.#current !== null) await this.#current.ended.promise
    const id = { incarnation: this.#context.incarnation, number: ++this.#number }
    const exchange = this.#begin('initiator', partner, id)
    try {
      const ended = await this.#initiate(exchange)
      if (ended === 'done') this.#counts.exchanges++
      else if (ended === 'busy') this.#counts.exchangesBusy++
      else if (ended === 'failed') this.#counts.exchangesFailed++
      else if (ended === 'unsettled') this.#counts.exchangesLost++
      return ended
    } finally {
      this.#end(exchange)
    }
  }

  async #initiate(exchange: Exchange): Promise<Proposal> {
    const draw = this.#context.epoch()
    const own = await this.#context.ownFrame(draw)
    if (!this.#holds(exchange)) return this.#crossed()
    exchange.own = own
    const untilMs = this.#context.clock.now() + exchangeTimeoutMs(own.bytes.length)
    const answer = await this.#open(exchange, own, draw, untilMs)
    if (!this.#holds(exchange)) return this.#crossed()
    if (answer === null) {
      this.#abort(exchange)
      return 'absent'
    }
    if (answer.kind !== 'accept') return answer.kind === 'error' && answer.code === 'busy' ? 'busy' : 'failed'
    exchange.accepted = true
    const theirs = await this.#take(exchange, own, answer.head, answer.frameBytes, draw)
    if (theirs === null) {
      this.#abort(exchange)
      return 'failed'
    }
    return this.#commit(exchange, own, theirs, untilMs)
  }

  /** null: it could not be reached. */
  async #open(exchange: Exchange, own: OwnFrame, draw: number, untilMs: number): Promise<ExchangeResponse | null> {
    const { partner, id } = exchange
    const settled = this.#unsettled.settledWith(partner)
    const head = own.bytes.subarray(0, RANGE_BYTES)
    const request: ExchangeRequest = { kind: 'open', id, draw, frameBytes: own.bytes.length, head, settled }
    try {
      const answer = await this.#reaching(partner, () => askPatiently(this.#ports, partner, request, untilMs))
      this.#unsettled.told(partner, settled)
      return answer
    } catch {
      return null
    }
  }

  /** The proposal that took the place of ours. */
  async #crossed(): Promise<Proposal> {
    await this.#current?.ended.promise
    return 'crossed'
  }

  async #commit(exchange: Exchange, own: OwnFrame, theirs: Theirs, untilMs: number): Promise<Proposal> {
    const { partner, id } = exchange
    const { factor, norm, difference, incarnation } = theirs
    const apply = async (agreed: number) => void (await this.#apply(agreed, own, theirs))
    const committed: Committed = { partner, id, incarnation, factor, norm, bytes: difference.byteLength, apply }
    exchange.committed = true
    let answer: ExchangeResponse
    try {
      answer = await askPatiently(this.#ports, partner, { kind: 'commit', id, factor }, untilMs)
    } catch {
      this.#unsettled.add(committed)
      return 'unsettled'
    }
    const verdict = await this.#unsettled.conclude(committed, answer)
    if (verdict === 'applied') return 'done'
    if (verdict === 'never') return 'failed'
    this.#unsettled.add(committed)
    return 'unsettled'
  }

  async #answer(peer: PeerId, bytes: Uint8Array): Promise<ExchangeResponse> {
    let request: ExchangeRequest
    try {
      request = decodeExchangeRequest(bytes)
    } catch (error) {
      if (error instanceof GrapevineError && error.code === 'unknown_request') return this.#error('unknown_request')
      this.#context.refuse(peer, 'bad_message')
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
        return this.#outcome(peer, request.id)
      case 'settled':
        this.#outcomes.settle(peer, request.settled)
        return { kind: 'ok' }
      case 'abort':
        if (this.#current !== null && this.#isAnswering(peer, request.id) && !this.#current.committed) this.#end(this.#current)
        return { kind: 'ok' }
      case 'push':
        return this.#error('refused')
    }
  }

  async #opened(peer: PeerId, request: Extract<ExchangeRequest, { kind: 'open' }>): Promise<ExchangeResponse> {
    const { id, frameBytes } = request
    this.#outcomes.settle(peer, request.settled)
    if (!this.#isAnswering(peer, id)) {
      const author = this.#context.authors.hear(peer, this.#context.clock.now())
      // A proposal that comes twice, or after a newer one.
      if (author.proposed !== null && !isLater(id, author.proposed)) return this.#error('gone')
      if (!this.#yields(peer)) return this.#error('busy')
      if (frameBytes !== this.#frameBytes) {
        this.#context.refuse(peer, 'manifest_mismatch')
        return this.#error('refused')
      }
      if (this.#current !== null) this.#end(this.#current)
      author.proposed = id
      this.#outcomes.dropBefore(peer, id.incarnation)
      this.#respond(peer, request)
    }
    const exchange = this.#current!
    if (!(await this.#patiently(exchange.ready))) return { kind: 'wait' }
    if (!this.#holds(exchange) || exchange.own === null) return this.#error('gone')
    const { bytes } = exchange.own
    return { kind: 'accept', frameBytes: bytes.length, head: bytes.subarray(0, RANGE_BYTES) }
  }

  /** Is the place free for a proposal of `peer`? */
  #yields(peer: PeerId): boolean {
    const current = this.#current
    if (current === null) return true
    if (current.partner !== peer || current.committed) return false
    // Who proposes anew has given up what it proposed before.
    if (current.role === 'responder') return true
    return !current.accepted && peer < this.#context.network.id
  }

  #respond(peer: PeerId, request: Extract<ExchangeRequest, { kind: 'open' }>): void {
    const { id, draw, head, frameBytes } = request
    const exchange = this.#begin('responder', peer, id)
    exchange.cancelExpiry = this.#context.clock.after(exchangeTimeoutMs(frameBytes), () => this.#end(exchange))
    const ready = this.#context.ownFrame(draw).then((own) => {
      exchange.own = own
      return own
    })
    exchange.ready = ready.catch((error: unknown) => {
      this.#end(exchange)
      this.#context.onFailure(error)
    })
    exchange.theirs = ready.then((own) => this.#take(exchange, own, head, frameBytes, draw)).catch(() => null)
  }

  /** The other side's whole frame, through the gate, as a difference from ours; null when anything is wrong with it. */
  async #take(exchange: Exchange, own: OwnFrame, head: Uint8Array, frameBytes: number, draw: number): Promise<Theirs | null> {
    const { partner, id } = exchange
    const { compute, clip, clock } = this.#context
    if (frameBytes !== this.#frameBytes) {
      this.#context.refuse(partner, 'manifest_mismatch')
      return null
    }
    let bytes: Uint8Array
    try {
      bytes = await pullFrame(this.#ports, partner, id, head, frameBytes, () => this.#holds(exchange))
    } catch {
      return null
    }
    const received = await this.#context.verify(partner, bytes)
    if (!received.ok) return null
    const { author, frame, parameters } = received
    // Both frames carry the same coordinates, or their difference means nothing.
    if (frame.epoch !== draw) {
      this.#context.refuse(partner, 'wrong_draw')
      return null
    }
    const { difference, norm } = await compute.pass(differencePass, { theirs: parameters, mine: own.mine }, parameters.byteLength)
    const [factor = 0] = clip.factors(own, [{ author: partner, norm }])
    const distance = own.norm === 0 ? null : norm / own.norm
    const { normalisers, version, incarnation } = frame
    const mixed = { author, normalisers, version, distance, bytes: bytes.length, receivedAtMs: clock.now() }
    return { incarnation, difference, norm, factor, mixed }
  }

  async #committed(peer: PeerId, id: ExchangeId, factor: number): Promise<ExchangeResponse> {
    const exchange = this.#current
    if (exchange !== null && this.#isAnswering(peer, id) && !exchange.committed) {
      if (!(await this.#patiently(exchange.theirs))) return { kind: 'wait' }
      const theirs = await exchange.theirs
      if (this.#holds(exchange) && !exchange.committed) {
        if (theirs === null) this.#end(exchange)
        else this.#decide(exchange, theirs, Math.min(factor, theirs.factor))
      }
    }
    return this.#known(peer, id)
  }

  /** From here on the exchange has happened: applies our half and remembers it. */
  #decide(exchange: Exchange, theirs: Theirs, factor: number): void {
    const { partner, id } = exchange
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
    const applied = this.#apply(factor, exchange.own!, theirs).then((delta) => {
      this.#counts.exchangesAnswered++
      this.#answered.add(partner)
      if (this.#ledger.keepsDeltas) entry.delta = delta
    })
    const outcome: Outcome = { factor, applied, entry, initiator: partner, id }
    this.#outcomes.record(outcome)
    applied
      .catch((error: unknown) => {
        this.#outcomes.remove(outcome)
        this.#context.onFailure(error)
      })
      .finally(() => this.#end(exchange))
  }

  async #outcome(peer: PeerId, id: ExchangeId): Promise<ExchangeResponse> {
    if (this.#current !== null && this.#isAnswering(peer, id) && !this.#current.committed) this.#end(this.#current)
    return this.#known(peer, id)
  }

  async #known(peer: PeerId, id: ExchangeId): Promise<ExchangeResponse> {
    const outcome = this.#outcomes.get(peer, id)
    if (outcome === undefined) return this.#error(this.#outcomes.mayHaveDropped(peer, id) ? 'forgotten' : 'gone')
    // A half that cannot be applied resets the request, and the next question finds no outcome.
    if (!(await this.#patiently(outcome.applied))) return { kind: 'wait' }
    return { kind: 'done', factor: outcome.factor }
  }

  #range(peer: PeerId, { id, offset, length }: Extract<ExchangeRequest, { kind: 'range' }>): ExchangeResponse {
    const current = this.#current
    if (current === null || current.partner !== peer || !isSameExchange(current.id, id) || current.own === null) return this.#error('gone')
    if (offset + length > current.own.bytes.length) return this.#error('refused')
    return { kind: 'range', bytes: current.own.bytes.subarray(offset, offset + length) }
  }

  /** Adds c/2 times the difference to the replica. */
  async #apply(factor: number, own: OwnFrame, theirs: Theirs): Promise<Float32Array> {
    const { compute, clip } = this.#context
    const { difference, norm, mixed } = theirs
    const delta = await compute.pass(scalePass, { values: difference, weight: factor / 2 }, difference.byteLength)
    await this.#context.apply(delta, own, [mixed])
    clip.mixed(own, [{ author: mixed.author.id, norm }], [factor])
    return delta
  }

  /** Runs `work` on a connection to `peer`; where there is none, dials the addresses that its beacons tell, once. */
  async #reaching<T>(peer: PeerId, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof GrapevineError) || error.code !== 'refused') throw error
      const [address] = this.#context.authors.get(peer)?.beacon?.addresses ?? []
      if (address === undefined) throw error
      await this.#dial(address)
      return work()
    }
  }

  async #dial(address: string): Promise<void> {
    const { network, clock, signal } = this.#context
    const overdue = new AbortController()
    const cancel = clock.after(DIAL_TIMEOUT_MS, () =>
      overdue.abort(new GrapevineError('timeout', 'network', `${address} does not answer.`)),
    )
    try {
      await network.dial(address, AbortSignal.any([signal, overdue.signal]))
    } finally {
      cancel()
    }
  }

  #begin(role: Exchange['role'], partner: PeerId, id: ExchangeId): Exchange {
    const exchange: Exchange = {
      role,
      partner,
      id,
      ended: Promise.withResolvers(),
      own: null,
      ready: Promise.resolve(),
      theirs: Promise.resolve(null),
      accepted: false,
      committed: false,
      cancelExpiry: () => undefined,
    }
    this.#current = exchange
    return exchange
  }

  #end(exchange: Exchange): void {
    if (this.#current === exchange) this.#current = null
    exchange.cancelExpiry()
    exchange.ended.resolve()
  }

  #holds(exchange: Exchange): boolean {
    return this.#current === exchange
  }

  #isAnswering(peer: PeerId, id: ExchangeId): boolean {
    const current = this.#current
    return current !== null && current.role === 'responder' && current.partner === peer && isSameExchange(current.id, id)
  }

  /** Lets the other side go at once; it would find out by itself in the end. */
  #abort({ partner, id }: Exchange): void {
    ask(this.#ports, partner, { kind: 'abort', id }).catch(() => undefined)
  }

  /** True once `work` is done; false when that takes longer than a request may be held. */
  async #patiently(work: Promise<unknown>): Promise<boolean> {
    let done = false
    await within(
      this.#context.clock,
      PATIENCE_MS,
      work.then(() => {
        done = true
      }),
    )
    return done
  }

  #error(code: ExchangeRefusal): ExchangeResponse {
    return { kind: 'error', code, incarnation: this.#context.incarnation }
  }
}
