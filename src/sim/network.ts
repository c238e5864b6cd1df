/**
 * The network port in memory: a hub that peers join, for tests and for the simulator. Lossless and in order; every message takes the hub's
 * delay on the injected clock, and nothing else takes time. Gossip floods over the connections between subscribers, hop by hop: each hop
 * validates before it forwards, and stops listening to a neighbour that sent it a few bad messages.
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
  Validator,
} from '../ports/network.ts'
import { type Fault, GrapevineError } from '../util/errors.ts'
import { Pending } from './pending.ts'
import { Rejections } from './rejections.ts'
import { Seen } from './seen.ts'

export interface MemoryHub {
  /** A new peer of this hub, not started. `id` must be new. */
  join(id: PeerId): Network
}

export interface MemoryHubOptions {
  /** Virtual milliseconds from one peer to another. */
  readonly delayMs: number
}

/** For how long a message counts as seen, in milliseconds (at least this, at most twice). Gossipsub: 2 minutes. */
const SEEN_MS = 120_000

export function memoryNetwork(clock: Clock, options: MemoryHubOptions): MemoryHub {
  const hub = new Hub(clock, options.delayMs)
  return { join: (id) => hub.join(id) }
}

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

class Hub {
  readonly clock: Clock
  readonly #delayMs: number
  readonly #peers = new Map<PeerId, MemoryPeer>()

  constructor(clock: Clock, delayMs: number) {
    this.clock = clock
    this.#delayMs = delayMs
  }

  join(id: PeerId): Network {
    if (this.#peers.has(id)) throw new RangeError(`peer ${id} is on this hub already`)
    const peer = new MemoryPeer(this, id, this.#peers.size)
    this.#peers.set(id, peer)
    return peer
  }

  at(slot: number): MemoryPeer | undefined {
    return [...this.#peers.values()][slot]
  }

  /** Runs `act` on the other side, one delay later. */
  later(act: () => void): void {
    this.clock.after(this.#delayMs, act)
  }
}

class MemoryPeer implements Network {
  readonly id: PeerId
  readonly #hub: Hub
  readonly #slot: number
  readonly #links = new Map<PeerId, Link>()
  readonly #topics = new Map<string, Topic>()
  readonly #handlers = new Map<string, { readonly maxRequestBytes: number; readonly handler: RequestHandler }>()
  readonly #listeners = new Set<(change: PeerChange) => void>()
  readonly #pending: Pending
  readonly #seen = new Seen(SEEN_MS)
  #state: 'new' | 'running' | 'stopped' = 'new'
  #published = 0
  #bytesIn = 0
  #bytesOut = 0

  constructor(hub: Hub, id: PeerId, slot: number) {
    this.#hub = hub
    this.id = id
    this.#slot = slot
    this.#pending = new Pending(hub.clock)
  }

  addresses(): readonly string[] {
    return this.#state === 'running' ? [`/memory/${this.#slot}/p2p/${this.id}`] : []
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
    return [...this.#links.values()].filter(({ peer }) => peer.#topics.has(topic)).map(({ peer }) => peer.id)
  }

  async request(peer: PeerId, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    this.#mustRun()
    const link = this.#links.get(peer)
    if (link === undefined) throw failure('refused', `There is no connection to peer ${peer}.`)
    const operation = this.#pending.begin<Uint8Array>({ timeoutMs: options.timeoutMs, signal: options.signal, peer })
    this.#bytesOut += body.length
    const sent = body.slice()
    this.#hub.later(() => {
      link.peer.#answer(this.id, protocol, sent).then(
        (answer) =>
          this.#hub.later(() => {
            if (!this.#links.has(peer)) return
            if (answer.length > options.maxResponseBytes) {
              operation.fail(
                failure(
                  'too_large',
                  `The answer has ${answer.length} bytes where at most ${options.maxResponseBytes} are allowed.`,
                  'peer',
                ),
              )
              return
            }
            this.#bytesIn += answer.length
            operation.succeed(answer)
          }),
        () => this.#hub.later(() => operation.fail(failure('reset', `Peer ${peer} broke off a request on ${protocol}.`))),
      )
    })
    return operation.promise
  }

  serve(protocol: string, maxRequestBytes: number, handler: RequestHandler): void {
    this.#handlers.set(protocol, { maxRequestBytes, handler })
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
    this.#hub.later(() => {
      const reachable = target !== undefined && target.#state === 'running'
      const right = expected === undefined || expected === target?.id
      if (reachable && right) target.#connect(this)
      this.#hub.later(() => {
        if (target === undefined || !reachable)
          operation.fail(failure('refused', `${address} refused the connection: nobody listens there.`))
        else if (!right) operation.fail(failure('wrong_peer', `${address} is answered by peer ${target.id}.`))
        else if (this.#state === 'running' && target.#links.has(this.id)) {
          this.#connect(target)
          operation.succeed(target.id)
        } else operation.fail(failure('refused', `${address} closed the connection at once.`))
      })
    })
    return operation.promise
  }

  async hangUp(peer: PeerId): Promise<void> {
    const link = this.#links.get(peer)
    if (link === undefined) return
    this.#disconnect(peer)
    this.#hub.later(() => link.peer.#disconnect(this.id))
  }

  peers(): readonly RemotePeer[] {
    return [...this.#links.values()].map(({ peer }) => ({ id: peer.id, addresses: [`/memory/${peer.#slot}/p2p/${peer.id}`] }))
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
    this.#bytesIn += body.length
    const answer = await served.handler(from, body)
    if (this.#state !== 'running' || !this.#links.has(from)) throw new Error('gone')
    this.#bytesOut += answer.length
    return answer.slice()
  }

  /** Hands a message to all connected subscribers but the one it came from; how many. */
  #forward(message: Message, from: PeerId | null): number {
    let handed = 0
    for (const { peer } of this.#links.values()) {
      if (peer.id === from || peer.id === message.author || !peer.#topics.has(message.topic)) continue
      handed++
      this.#bytesOut += message.bytes.length
      this.#hub.later(() => peer.#receive(message, this.id))
    }
    return handed
  }

  #receive(message: Message, from: PeerId): void {
    const nowMs = this.#hub.clock.now()
    const link = this.#links.get(from)
    const topic = this.#topics.get(message.topic)
    if (this.#state !== 'running' || link === undefined || link.rejections.tooMany(nowMs)) return
    this.#bytesIn += message.bytes.length
    if (topic === undefined || !this.#seen.first(message.key, nowMs)) return
    const verdict = message.bytes.length > topic.maxBytes ? 'reject' : judge(topic.validator, message)
    if (verdict === 'reject') link.rejections.add(nowMs)
    if (verdict === 'accept') this.#forward(message, from)
  }

  #connect(peer: MemoryPeer): void {
    if (this.#links.has(peer.id)) return
    this.#links.set(peer.id, { peer, rejections: new Rejections() })
    this.#announce({ id: peer.id, state: 'connected' })
  }

  #disconnect(peer: PeerId): void {
    if (!this.#links.delete(peer)) return
    this.#pending.failOf(peer, failure('reset', `The connection to peer ${peer} ended.`))
    this.#announce({ id: peer, state: 'disconnected' })
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
