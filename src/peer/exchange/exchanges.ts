/**
 * Exchanges of one peer: two replicas swap snapshots and both apply half the difference, or neither does.
 *
 * 1. OPEN with the initiator's frame; the responder takes a snapshot of its own and answers with its frame.   2. Both pull what did not fit
 * into one message and pass it through the gate (taking.ts).   3. COMMIT with the initiator's clip factor; the responder takes the smaller of
 * both, applies c/2 (Q(theirs) - Q(mine)), remembers (exchange, c) and answers (answers.ts).   4. The initiator applies the same c; when the
 * answer is lost it asks for it until it knows (unsettled.ts).
 *
 * At most one exchange is under way, in either direction, and one more with a partner that is slow to answer (place.ts). Others hear `busy`,
 * and of two crossing proposals the lower peer id's stays; whom the partner rule brings here in this round or the next waits for its turn
 * (turns.ts). An exchange that was not committed in time ends without a trace.
 */
import { payloadBytes } from '../../average/codecs.ts'
import type { PeerId } from '../../ports/network.ts'
import { type ExchangeRequest, type ExchangeResponse, exchangeResponseParts } from '../../wire/exchange.ts'
import { encodedFrameBytes } from '../../wire/frame.ts'
import { MAX_RESPONSE_BYTES, RANGE_BYTES } from '../../wire/limits.ts'
import { EXCHANGE_PROTOCOL } from '../../wire/protocol.ts'
import type { OwnFrame } from '../frames.ts'
import type { StrategyContext } from '../strategies/strategy.ts'
import { AnswerTimes } from './answer-times.ts'
import { Answers } from './answers.ts'
import { type AskingPorts, ask, askPatiently, exchangeTimeoutMs, pairTimeoutMs } from './asking.ts'
import { Ledger, type LedgerEntry } from './ledger.ts'
import { Outcomes } from './outcomes.ts'
import { type Exchange, Place } from './place.ts'
import { reaching } from './reaching.ts'
import { applyHalf, type Theirs, takeTheirs } from './taking.ts'
import { PairTurns } from './turns.ts'
import { type Committed, Unsettled } from './unsettled.ts'

/**
 * How a proposal ended. busy: it has another exchange; absent: it cannot be reached, or its turn did not come; crossed: it proposed one itself,
 * which took its place; failed: it broke off, or sent what does not pass the gate; unsettled: committed, and its answer was lost; slow: it
 * takes long to answer, and how it ends is not waited for.
 */
export type Proposal = 'done' | 'busy' | 'absent' | 'crossed' | 'failed' | 'unsettled' | 'slow'

export interface ProposalOptions {
  /** The partner rule brings the two together in this round: both come to it, and wait for each other. */
  readonly paired?: boolean
  /** An exchange with a slow partner may go on beside others. */
  readonly mayGoAside?: boolean
}

export class Exchanges {
  readonly turns: PairTurns
  readonly #context: StrategyContext
  readonly #ports: AskingPorts
  readonly #ledger: Ledger
  readonly #outcomes: Outcomes
  readonly #unsettled: Unsettled
  readonly #place: Place
  readonly #times = new AnswerTimes()
  readonly #answers: Answers
  readonly #counts = { exchanges: 0, exchangesBusy: 0, exchangesFailed: 0, exchangesLost: 0, exchangesAside: 0 }
  #number = 0

  constructor(context: StrategyContext) {
    const { network, clock, signal, codec, run, authors } = context
    this.#context = context
    this.#ports = { network, clock, signal }
    this.#ledger = new Ledger(context.keepDeltas)
    this.#outcomes = new Outcomes(this.#ledger)
    this.#place = new Place(clock)
    this.turns = new PairTurns(() => this.#place.letIn())
    this.#answers = new Answers({
      context,
      ports: this.#ports,
      place: this.#place,
      times: this.#times,
      turns: this.turns,
      ledger: this.#ledger,
      outcomes: this.#outcomes,
      frameBytes: encodedFrameBytes(payloadBytes(codec, run.parameterCount), run.normaliserSizes),
    })
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
      exchangeResponseParts(await this.#answers.answer(peer, bytes)),
    )
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counts,
      exchangesAnswered: this.#answers.count,
      exchangesUnsettled: this.#unsettled.size,
      exchangesNeverSettled: this.#ledger.count,
      outcomesKept: this.#outcomes.size,
    }
  }

  /** Of all that is not settled yet and all that never was. */
  ledger(): readonly LedgerEntry[] {
    return [...this.#ledger.entries, ...this.#outcomes.entries(), ...this.#unsettled.entries()]
  }

  /** One exchange with `partner`, after the one under way; resolves when it is over for this peer, or goes on beside others. */
  async propose(partner: PeerId, { paired = false, mayGoAside = false }: ProposalOptions = {}): Promise<Proposal> {
    const draw = this.#context.epoch()
    const aside = mayGoAside && !paired && this.#times.isSlow(partner)
    if (!aside) while (this.#place.current !== null) await this.#place.current.ended.promise
    if (paired && this.turns.hasAnswered(partner, draw)) return 'crossed'
    if (!this.#place.isFree(aside) || this.#place.with(partner) !== null) return 'busy'
    const id = { incarnation: this.#context.incarnation, number: ++this.#number }
    const exchange = this.#place.begin({ role: 'initiator', partner, id, draw, paired, aside })
    const ended = this.#conduct(exchange)
    if (!aside) return ended
    this.#counts.exchangesAside++
    ended.catch((error: unknown) => {
      if (!this.#context.signal.aborted) this.#context.onFailure(error)
    })
    return 'slow'
  }

  async #conduct(exchange: Exchange): Promise<Proposal> {
    try {
      const ended = await this.#initiate(exchange)
      if (ended === 'done') this.#counts.exchanges++
      else if (ended === 'busy') this.#counts.exchangesBusy++
      else if (ended === 'failed') this.#counts.exchangesFailed++
      else if (ended === 'unsettled') this.#counts.exchangesLost++
      return ended
    } finally {
      this.#place.end(exchange)
    }
  }

  async #initiate(exchange: Exchange): Promise<Proposal> {
    const { draw, paired } = exchange
    const own = await this.#context.ownFrame(draw)
    if (!this.#place.holds(exchange)) return this.#crossed(exchange)
    exchange.own = own
    const timeoutMs = exchangeTimeoutMs(own.bytes.length)
    const answer = await this.#open(exchange, own, paired ? pairTimeoutMs(own.bytes.length) : timeoutMs)
    if (!this.#place.holds(exchange)) return this.#crossed(exchange)
    if (answer === null) {
      this.#abort(exchange)
      return 'absent'
    }
    if (answer.kind !== 'accept') return answer.kind === 'error' && answer.code === 'busy' ? 'busy' : 'failed'
    exchange.accepted = true
    const untilMs = this.#context.clock.now() + timeoutMs
    const wanted = () => this.#place.holds(exchange)
    const theirs = await takeTheirs(this.#context, this.#ports, exchange, own, { ...answer, draw }, wanted)
    if (theirs === null) {
      this.#abort(exchange)
      return 'failed'
    }
    return this.#commit(exchange, own, theirs, untilMs)
  }

  /** null: it could not be reached. */
  async #open({ partner, id, draw, paired }: Exchange, own: OwnFrame, timeoutMs: number): Promise<ExchangeResponse | null> {
    const settled = this.#unsettled.settledWith(partner)
    const head = own.bytes.subarray(0, RANGE_BYTES)
    const request: ExchangeRequest = { kind: 'open', id, draw, patient: paired, frameBytes: own.bytes.length, head, settled }
    const { clock } = this.#context
    const untilMs = clock.now() + timeoutMs
    try {
      let askedAtMs = clock.now()
      const answer = await reaching(this.#context, partner, () => {
        askedAtMs = clock.now()
        return askPatiently(this.#ports, partner, request, untilMs)
      })
      // Who waits for its turn is not slow.
      if (!paired) this.#times.took(partner, clock.now() - askedAtMs)
      this.#unsettled.told(partner, settled)
      return answer
    } catch {
      return null
    }
  }

  /** The proposal that took the place of ours. */
  async #crossed({ partner }: Exchange): Promise<Proposal> {
    await this.#place.with(partner)?.ended.promise
    return 'crossed'
  }

  async #commit(exchange: Exchange, own: OwnFrame, theirs: Theirs, untilMs: number): Promise<Proposal> {
    const { partner, id } = exchange
    const { factor, norm, half, incarnation } = theirs
    const apply = async (agreed: number) => void (await applyHalf(this.#context, agreed, own, theirs))
    const committed: Committed = { partner, id, incarnation, factor, norm, bytes: half.byteLength, apply }
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

  /** Lets the other side go at once; it would find out by itself in the end. */
  #abort({ partner, id }: Exchange): void {
    ask(this.#ports, partner, { kind: 'abort', id }).catch(() => undefined)
  }
}
