/**
 * `push-sum`: everybody holds a weight w, 1 at first, and parameters z = x / w. Once a round: keep half of (x, w), send the other half to the
 * partner that the rule names, and add what arrived: z += w_r / (w + w_r) (z_r - z), w += w_r. The sums of x and of w over the swarm, what is
 * on its way included, stay as they are whatever the delays. For swarms that trust each other: nothing is clipped.
 *
 * A message is sent until it is answered, taken once, and comes back to its sender when it is refused. [Kempe, Dobra, Gehrke 2003]
 */

import { payloadBytes } from '../../average/codecs.ts'
import { PAIR_RULES } from '../../average/partners.ts'
import { differencePass } from '../../average/passes.ts'
import type { Moments, Normaliser } from '../../ports/learner.ts'
import type { PeerId } from '../../ports/network.ts'
import { GrapevineError } from '../../util/errors.ts'
import {
  decodeExchangeRequest,
  type ExchangeId,
  type ExchangeRequest,
  type ExchangeResponse,
  exchangeResponseParts,
} from '../../wire/exchange.ts'
import { encodedFrameBytes } from '../../wire/frame.ts'
import { MAX_RESPONSE_BYTES, RANGE_BYTES } from '../../wire/limits.ts'
import { EXCHANGE_PROTOCOL } from '../../wire/protocol.ts'
import type { Author } from '../authors.ts'
import { type AskingPorts, askPatiently, exchangeTimeoutMs, pullFrame } from '../exchange/asking.ts'
import type { Mass, Push } from '../exchange/mass.ts'
import { exchangeName } from '../exchange/outcomes.ts'
import { isUnconnected, reaching } from '../exchange/reaching.ts'
import type { OwnFrame } from '../frames.ts'
import {
  ASK_AGAIN_FIRST_MS,
  ASK_AGAIN_LAST_MS,
  GIVE_UP_MS,
  MAX_PUSH_WEIGHT,
  MAX_PUSHES_KEPT,
  MAX_PUSHES_REMEMBERED,
  MIN_PUSH_WEIGHT,
} from '../limits.ts'
import { weighted } from '../mixing.ts'
import type { RoundOptions, RunningStrategy, Strategy, StrategyContext } from './strategy.ts'

export const pushSum: Strategy = {
  name: 'push-sum',
  rules: PAIR_RULES,
  start(context) {
    const running = new PushSum(context)
    running.serve()
    return running
  },
}

interface Arrived extends Push {
  /** null: our own, come back. */
  readonly author: Author | null
  readonly moments: Moments | null
  /** The round that the message belongs to. */
  readonly epoch: number
  readonly normalisers: readonly Normaliser[]
  readonly version: number
  readonly bytes: number
  readonly receivedAtMs: number
}

class PushSum implements RunningStrategy {
  readonly #context: StrategyContext
  readonly #ports: AskingPorts
  readonly #frameBytes: number
  readonly #counts = { pushes: 0, pushesTaken: 0, pushesRefused: 0, pushesLost: 0 }
  readonly #sent = new Map<string, Push & { readonly partner: PeerId; readonly bytes: Uint8Array }>()
  /** Names of messages taken, the latest last. */
  readonly #taken = new Set<string>()
  readonly #taking = new Map<string, Promise<ExchangeResponse>>()
  #arrived: Arrived[] = []
  #weight = 1
  #number = 0

  constructor(context: StrategyContext) {
    const { network, clock, signal, codec, run } = context
    this.#context = context
    this.#ports = { network, clock, signal }
    this.#frameBytes = encodedFrameBytes(payloadBytes(codec, run.parameterCount), run.normaliserSizes)
  }

  serve(): void {
    this.#context.network.serve(EXCHANGE_PROTOCOL, MAX_RESPONSE_BYTES, async (peer, bytes) =>
      exchangeResponseParts(await this.#answer(peer, bytes)),
    )
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, pushesOnTheirWay: this.#sent.size }
  }

  mass(): Mass {
    return { weight: this.#weight, arrived: this.#arrived, sent: [...this.#sent.values()], hasTaken: (name) => this.#taken.has(name) }
  }

  async round({ partner, delivered }: RoundOptions): Promise<void> {
    const own = await this.#context.ownFrame()
    const to = partner ?? this.#context.partner()?.id ?? null
    if (to !== null) await this.#send(to, own)
    await delivered?.()
    await this.#mix(own)
  }

  /** Half of what we have leaves; what the codec rounded off the half that is sent stays with ours. */
  async #send(partner: PeerId, own: OwnFrame): Promise<void> {
    const half = this.#weight / 2
    if (half < MIN_PUSH_WEIGHT || this.#sent.size >= MAX_PUSHES_KEPT) return
    this.#weight -= half
    const id = { incarnation: this.#context.incarnation, number: ++this.#number }
    const name = exchangeName(this.#context.network.id, id)
    this.#sent.set(name, { name, weight: half, values: own.mine, partner, bytes: own.bytes })
    this.#counts.pushes++
    this.#deliver(partner, id, name, half, own).catch((error: unknown) => {
      if (!this.#context.signal.aborted) this.#context.onFailure(error)
    })
    const { parameters } = own.snapshot
    if (own.mine === parameters) return
    const { difference } = await this.#context.compute.pass(
      differencePass,
      { theirs: parameters, mine: own.mine, weight: 1 },
      parameters.byteLength,
    )
    await this.#context.apply(difference, own, [])
  }

  /** Until it is answered; then it is the partner's, or ours again. */
  async #deliver(partner: PeerId, id: ExchangeId, name: string, weight: number, own: OwnFrame): Promise<void> {
    const { clock, signal, authors, incarnation } = this.#context
    const frameBytes = own.bytes.length
    const request: ExchangeRequest = { kind: 'push', id, weight, frameBytes, head: own.bytes.subarray(0, RANGE_BYTES) }
    const untilMs = clock.now() + GIVE_UP_MS
    const known = authors.get(partner)?.beacon?.incarnation ?? incarnation
    /** A request was under way: the partner may have taken it. */
    let left = false
    for (let pauseMs = ASK_AGAIN_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, ASK_AGAIN_LAST_MS)) {
      try {
        const ask = () => askPatiently(this.#ports, partner, request, clock.now() + exchangeTimeoutMs(frameBytes))
        const answer = await reaching(this.#context, partner, ask)
        if (answer.kind === 'done') this.#sent.delete(name)
        else this.#takeBack(name, weight, own)
        return
      } catch (error) {
        if (signal.aborted) return
        if (!left && isUnconnected(error)) {
          this.#takeBack(name, weight, own)
          return
        }
        left = true
      }
      if ((authors.get(partner)?.beacon?.incarnation ?? known) > known || clock.now() > untilMs) {
        this.#sent.delete(name)
        this.#counts.pushesLost++
        return
      }
      await clock.sleep(pauseMs, signal)
    }
  }

  /** What was not taken is mixed like what arrived. */
  #takeBack(name: string, weight: number, own: OwnFrame): void {
    this.#sent.delete(name)
    this.#counts.pushesRefused++
    const receivedAtMs = this.#context.clock.now()
    const { version } = own.snapshot
    this.#arrived.push({
      name,
      weight,
      values: own.mine,
      author: null,
      moments: null,
      epoch: own.epoch,
      normalisers: [],
      version,
      bytes: 0,
      receivedAtMs,
    })
  }

  async #mix(own: OwnFrame): Promise<void> {
    const { compute } = this.#context
    const arrived = this.#arrived
    this.#arrived = []
    const before = this.#weight
    const after = arrived.reduce((sum, { weight }) => sum + weight, before)
    this.#weight = after
    const { parameters } = own.snapshot
    for (const push of arrived) {
      const input = { theirs: push.values, mine: parameters, weight: push.weight / after }
      const { difference: delta, norm } = await compute.pass(differencePass, input, parameters.byteLength)
      const distance = own.norm === 0 ? null : norm / own.norm
      const { author, normalisers, version, bytes, receivedAtMs, moments, epoch } = push
      const mixed = { normalisers, version, bytes, receivedAtMs, distance, ...weighted(moments, epoch, push.weight / after) }
      await this.#context.apply(delta, own, author === null ? [] : [{ ...mixed, author }])
    }
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
    if (request.kind === 'range') {
      const sent = this.#sent.get(exchangeName(this.#context.network.id, request.id))
      if (sent === undefined || sent.partner !== peer) return this.#error('gone')
      return { kind: 'range', bytes: sent.bytes.subarray(request.offset, request.offset + request.length) }
    }
    if (request.kind !== 'push') return this.#error('refused')
    const name = exchangeName(peer, request.id)
    if (this.#taken.has(name)) return TAKEN
    // The same message, sent again while the first is being looked at.
    const taking = this.#taking.get(name) ?? this.#take(peer, name, request).finally(() => this.#taking.delete(name))
    this.#taking.set(name, taking)
    return taking
  }

  async #take(peer: PeerId, name: string, request: Extract<ExchangeRequest, { kind: 'push' }>): Promise<ExchangeResponse> {
    const { id, weight, head, frameBytes } = request
    if (weight < MIN_PUSH_WEIGHT || weight > MAX_PUSH_WEIGHT || frameBytes !== this.#frameBytes) {
      this.#context.refuse(peer, frameBytes === this.#frameBytes ? 'weight' : 'manifest_mismatch')
      return this.#error('refused')
    }
    if (this.#arrived.length >= MAX_PUSHES_KEPT || this.#held() + weight > MAX_PUSH_WEIGHT) return this.#error('busy')
    const bytes = await pullFrame(this.#ports, peer, id, head, frameBytes, () => !this.#context.signal.aborted)
    const received = await this.#context.verify(peer, bytes, { anyOrder: true })
    if (!received.ok) return this.#error('refused')
    const { author, frame, parameters, moments } = received
    const { normalisers, version, epoch } = frame
    const receivedAtMs = this.#context.clock.now()
    this.#arrived.push({
      name,
      weight,
      values: parameters,
      author,
      moments,
      epoch,
      normalisers,
      version,
      bytes: bytes.length,
      receivedAtMs,
    })
    this.#taken.add(name)
    this.#counts.pushesTaken++
    if (this.#taken.size > MAX_PUSHES_REMEMBERED) for (const oldest of [...this.#taken].slice(0, 1)) this.#taken.delete(oldest)
    return TAKEN
  }

  #held(): number {
    return this.#arrived.reduce((sum, { weight }) => sum + weight, this.#weight)
  }

  #error(code: Extract<ExchangeResponse, { kind: 'error' }>['code']): ExchangeResponse {
    return { kind: 'error', code, incarnation: this.#context.incarnation }
  }
}

const TAKEN: ExchangeResponse = { kind: 'done', factor: 1 }
