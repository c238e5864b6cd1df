/**
 * One peer of the network in memory. Whether and when a message arrives is for the hub's wires to say; time is the injected clock's, and
 * nothing else takes any. Gossip floods over the connections between subscribers, hop by hop: each hop validates before it forwards, and stops
 * listening to a neighbour that sent it a few bad messages.
 * Counted bytes are those of messages, requests and answers, without framing.
 */
import type { Clock } from '../ports/clock.ts'
import type {
  Network,
  NetworkCounters,
  NetworkErrorCode,
  PeerChange,
  PeerId,
  RemotePeer,
  RequestHandler,
  RequestOptions,
  ServeOptions,
  Validator,
} from '../ports/network.ts'
import { joined } from '../util/bytes.ts'
import { type Fault, GrapevineError } from '../util/errors.ts'
import { KEEP_ALIVE_MS } from './limits.ts'
import { Pending } from './pending.ts'
import { Rejections } from './rejections.ts'
import { Seen } from './seen.ts'
import type { StreamFate, Wires } from './wires.ts'

/** Does what reached a peer: at once, or when a peer that is held up goes on. */
export type Admit = (act: () => void) => void

/** What surrounds a peer. */
export interface Hub {
  readonly clock: Clock
  readonly wires: Wires
  /** Do these reach each other through a relay only? */
  isRelayed(a: PeerId, b: PeerId): boolean
  /** The peer in this place. */
  at(slot: number): MemoryPeer | undefined
}

/** For how long a message counts as seen, in milliseconds (at least this, at most twice). Gossipsub: 2 minutes. */
const SEEN_MS = 120_000

interface Message {
  readonly key: string
  readonly author: PeerId
  readonly topic: string
  readonly bytes: Uint8Array
}

interface Topic {
  readonly maxBytes: number
  readonly validator: Validator
}

interface Link {
  readonly peer: MemoryPeer
  readonly rejections: Rejections
}

export class MemoryPeer implements Network {
  readonly id: PeerId
  readonly slot: number
  readonly #hub: Hub
  readonly #admit: Admit
  readonly #links = new Map<PeerId, Link>()
  readonly #topics = new Map<string, Topic>()
  readonly #handlers = new Map<string, ServeOptions & { readonly maxRequestBytes: number; readonly handler: RequestHandler }>()
  readonly #listeners = new Set<(change: PeerChange) => void>()
  readonly #pending: Pending
  readonly #seen = new Seen(SEEN_MS)
  #state: 'new' | 'running' | 'stopped' = 'new'
  #published = 0
  #bytesIn = 0
  #bytesOut = 0

  constructor(hub: Hub, id: PeerId, slot: number, admit: Admit) {
    this.#hub = hub
    this.id = id
    this.slot = slot
    this.#admit = admit
    this.#pending = new Pending(hub.clock)
  }

  get running(): boolean {
    return this.#state !== 'stopped'
  }

  neighbours(): MemoryPeer[] {
    return [...this.#links.values()].map(({ peer }) => peer)
  }

  /** The connection to `peer` is found to be dead. */
  lose(peer: MemoryPeer): void {
    this.#admit(() => this.#disconnect(peer))
  }

  addresses(): readonly string[] {
    return this.#state === 'running' ? [`/memory/${this.slot}/p2p/${this.id}`] : []
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#state === 'stopped') throw failure('closed', 'The network was stopped.')
    this.#state = 'running'
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#pending.failAll(failure('closed', 'The network is stopping.'))
    for (const peer of [...this.#links.keys()]) await this.hangUp(peer)
  }

  async publish(topic: string, bytes: Uint8Array): Promise<number> {
    const maxBytes = this.#topics.get(topic)?.maxBytes ?? Number.POSITIVE_INFINITY
    if (bytes.length > maxBytes)
      throw failure(
        'too_large',
        `A message of ${bytes.length} bytes was not published: ${topic} carries at most ${maxBytes} bytes.`,
        'local',
      )
    this.#mustRun()
    const message = { key: `${this.id} ${this.#published++}`, author: this.id, topic, bytes: bytes.slice() }
    this.#seen.first(message.key, this.#hub.clock.now())
    return this.#forward(message, null)
  }

  subscribe(topic: string, maxBytes: number, validator: Validator): void {
    this.#topics.set(topic, { maxBytes, validator })
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic)
  }

  subscribers(topic: string): readonly PeerId[] {
    return [...this.#links.values()].filter(({ peer }) => peer.#topics.has(topic) && !this.#isRelayed(peer)).map(({ peer }) => peer.id)
  }

  async request(peer: PeerId, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    this.#mustRun()
    const link = this.#links.get(peer)
    if (link === undefined) throw failure('refused', `There is no connection to peer ${peer}.`)
    if (this.#isRelayed(link.peer) && options.overRelay !== true)
      throw failure('relayed', `Peer ${peer} is reached through a relay only, and ${protocol} never travels through one.`)
    const operation = this.#pending.begin<Uint8Array>({ timeoutMs: options.timeoutMs, signal: options.signal, peer })
    const broken = () => operation.fail(failure('reset', `Peer ${peer} broke off a request on ${protocol}.`))
    this.#bytesOut += body.length
    const sent = body.slice()
    const back = (bytes: number, act: () => void) => link.peer.#send(this, bytes, act, broken)
    const receive = (answer: Uint8Array) => {
      if (this.#links.get(peer) !== link) return
      if (answer.length > options.maxResponseBytes) {
        const limit = `The answer has ${answer.length} bytes where at most ${options.maxResponseBytes} are allowed.`
        operation.fail(failure('too_large', limit, 'peer'))
        return
      }
      this.#bytesIn += answer.length
      operation.succeed(answer)
    }
    const arrive = () =>
      link.peer.#answer(this.id, protocol, sent).then(
        (answer) => back(answer.length, () => receive(answer)),
        () => back(0, broken),
      )
    this.#send(link.peer, body.length, arrive, broken)
    return operation.promise
  }

  serve(protocol: string, maxRequestBytes: number, handler: RequestHandler, options: ServeOptions = {}): void {
    this.#handlers.set(protocol, { ...options, maxRequestBytes, handler })
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    signal.throwIfAborted()
    this.#mustRun()
    const match = /^\/memory\/(\d{1,6})(?:\/p2p\/([^/\s]+))?$/.exec(address)
    if (match === null) throw failure('malformed', `"${address}" is not an address of this network: write it like /memory/3.`, 'local')
    const [, slot, expected] = match
    const target = this.#hub.at(Number(slot))
    if (target === this || expected === this.id) throw failure('self', `${address} is this very peer.`, 'local')
    const operation = this.#pending.begin<PeerId>({ timeoutMs: null, signal, peer: null })
    const refused = () => operation.fail(failure('refused', `${address} refused the connection: nobody listens there.`))
    if (target === undefined) {
      this.#hub.clock.after(0, refused)
      return operation.promise
    }
    const greeted = () => {
      if (this.#state === 'running' && target.#links.get(this.id)?.peer === this) {
        this.#connect(target)
        operation.succeed(target.id)
      } else operation.fail(failure('refused', `${address} closed the connection at once.`))
    }
    const otherwise = () => operation.fail(failure('wrong_peer', `${address} is answered by peer ${target.id}.`))
    const arrive = () => {
      const right = expected === undefined || expected === target.id
      const reachable = target.#state === 'running'
      if (reachable && right) target.#connect(this)
      target.#send(this, 0, !reachable ? refused : right ? greeted : otherwise, refused)
    }
    this.#send(target, 0, arrive, refused)
    return operation.promise
  }

  async hangUp(peer: PeerId): Promise<void> {
    const link = this.#links.get(peer)
    if (link === undefined) return
    this.#disconnect(link.peer)
    const notice = () => link.peer.#disconnect(this)
    const fate = this.#hub.wires.stream(this.slot, link.peer.slot, 0)
    // A goodbye that is lost is noticed by the keep-alive.
    this.#hub.clock.after(typeof fate === 'number' ? fate : KEEP_ALIVE_MS, () => link.peer.#admit(notice))
  }

  peers(): readonly RemotePeer[] {
    return [...this.#links.values()].map(({ peer }) => ({
      id: peer.id,
      addresses: [`/memory/${peer.slot}/p2p/${peer.id}`],
      ...(this.#isRelayed(peer) ? { relayed: true as const } : {}),
    }))
  }

  onPeer(listener: (change: PeerChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  counters(): NetworkCounters {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut }
  }

  #mustRun(): void {
    if (this.#state !== 'running') throw failure('closed', 'The network is not running: it was not started, or it is stopping.')
  }

  async #answer(from: PeerId, protocol: string, body: Uint8Array): Promise<Uint8Array> {
    const served = this.#handlers.get(protocol)
    if (this.#state !== 'running' || !this.#links.has(from) || served === undefined) throw new Error('not served')
    if (body.length > served.maxRequestBytes) throw new Error('request too large')
    if (this.#hub.isRelayed(this.id, from) && served.overRelay !== true) throw new Error('not over a relay')
    this.#bytesIn += body.length
    const answer = joined(await served.handler(from, body))
    if (this.#state !== 'running' || !this.#links.has(from)) throw new Error('gone')
    this.#bytesOut += answer.length
    return answer
  }

  /** One way over a stream: `arrive` happens at `to`, or `broken` here. */
  #send(to: MemoryPeer, bytes: number, arrive: () => void, broken: () => void): void {
    const fate: StreamFate = this.#hub.wires.stream(this.slot, to.slot, bytes)
    if (typeof fate === 'number') this.#hub.clock.after(fate, () => to.#admit(arrive))
    else if (fate === 'reset') this.#hub.clock.after(0, () => this.#admit(broken))
  }

  /** Hands a message to all connected subscribers but the one it came from; how many. */
  #forward(message: Message, from: PeerId | null): number {
    let handed = 0
    for (const { peer } of this.#links.values()) {
      if (peer.id === from || peer.id === message.author || !peer.#topics.has(message.topic) || this.#isRelayed(peer)) continue
      handed++
      this.#bytesOut += message.bytes.length
      for (const [copy, afterMs] of this.#hub.wires.gossip(this.slot, peer.slot, message.bytes.length).entries())
        this.#hub.clock.after(afterMs, () => peer.#admit(() => peer.#receive(message, this.id, copy > 0)))
    }
    return handed
  }

  /** `again`: a copy that comes when it is forgotten that the first was seen. */
  #receive(message: Message, from: PeerId, again: boolean): void {
    const nowMs = this.#hub.clock.now()
    const link = this.#links.get(from)
    const topic = this.#topics.get(message.topic)
    if (this.#state !== 'running' || link === undefined || link.rejections.tooMany(nowMs)) return
    this.#bytesIn += message.bytes.length
    if (topic === undefined || (!this.#seen.first(message.key, nowMs) && !again)) return
    const verdict = message.bytes.length > topic.maxBytes ? 'reject' : judge(topic.validator, message)
    if (verdict === 'reject') link.rejections.add(nowMs)
    if (verdict === 'accept') this.#forward(message, from)
  }

  #isRelayed(peer: MemoryPeer): boolean {
    return this.#hub.isRelayed(this.id, peer.id)
  }

  #connect(peer: MemoryPeer): void {
    if (this.#links.has(peer.id)) return
    this.#links.set(peer.id, { peer, rejections: new Rejections() })
    this.#announce({ id: peer.id, state: 'connected' })
  }

  #disconnect(peer: MemoryPeer): void {
    const { id } = peer
    // It may have come back meanwhile, over a new connection.
    if (this.#links.get(id)?.peer !== peer) return
    this.#links.delete(id)
    this.#pending.failOf(id, failure('reset', `The connection to peer ${id} ended.`))
    this.#announce({ id, state: 'disconnected' })
  }

  #announce(change: PeerChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }
}

/** Validators must not throw; one that does costs its message and nothing else. */
function judge(validator: Validator, message: Message): ReturnType<Validator> {
  try {
    return validator(message.author, message.bytes)
  } catch {
    return 'ignore'
  }
}

function failure(code: NetworkErrorCode, message: string, fault: Fault = 'network'): GrapevineError<NetworkErrorCode> {
  return new GrapevineError(code, fault, message)
}
