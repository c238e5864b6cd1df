/**
 * The network port over libp2p: TCP, Noise, yamux, gossipsub. `createSwarm` touches nothing outside; `start` listens; `stop` says goodbye to
 * everyone within a second and leaves no socket, stream or timer behind. One start and one stop per network.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type {
  Network,
  NetworkCounters,
  PeerChange,
  PeerId,
  RemotePeer,
  RequestHandler,
  RequestOptions,
  ServeOptions,
  Validator,
} from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import { AGENT_VERSION } from '../wire/protocol.ts'
import { Admission, closeConnection } from './admission.ts'
import { dialAgain } from './dial-again.ts'
import { Discovery } from './discovery.ts'
import { Gossip, notRunning } from './gossip.ts'
import { keyFromSeed, peerIdOfKey } from './identity.ts'
import { createNode, type Node, stopNode } from './node.ts'
import { Refusals } from './refusals.ts'
import { gossipsBothWays, repairLinks } from './repair.ts'
import { type RequestContext, request, type Served, serve } from './requests.ts'
import { CountedTcp } from './transport.ts'
import { DIAL_BACK_PROTOCOL, MAX_DIAL_BACK_BYTES, Traversal } from './traversal.ts'
import { Turns } from './turns.ts'

export interface SwarmOptions {
  /** 32 bytes; whoever has them is this peer. */
  readonly identitySeed: Uint8Array
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others instead of those listened on, without peer id; empty: those listened on. */
  readonly announce: readonly string[]
  /** Find peers of the same run on the local network, and be found. */
  readonly mdns: boolean
  /** Keep places for peers behind NAT, and pass their control messages on. */
  readonly relay?: boolean
  /** Ask the router to open our port. */
  readonly upnp?: boolean
  /** Whoever has not this key (32 bytes) cannot speak to us, nor we to them; none: everyone can. */
  readonly swarmKey?: Uint8Array | null
  /** Whom to let in; asked for every connection and every author. Everyone when absent. */
  readonly admits?: (peer: PeerId) => boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** `start` of it throws GrapevineError `address_in_use` or `cannot_listen` besides what the port names. */
export function createSwarm(options: SwarmOptions): Network {
  return new Swarm(options)
}

interface Running extends RequestContext {
  readonly node: Node
}

class Swarm implements Network {
  readonly id: PeerId
  readonly #options: SwarmOptions
  readonly #tcp = new CountedTcp()
  readonly #refusals = new Refusals()
  readonly #gossip: Gossip
  readonly #discovery: Discovery
  readonly #topics = new Set<string>()
  readonly #found = new Map<string, PeerId>()
  readonly #handlers = new Map<string, Served>()
  readonly #traversal: Traversal
  readonly #listeners = new Set<(change: PeerChange) => void>()
  readonly #stopping = new AbortController()
  #started: Promise<void> | null = null
  #stopped: Promise<void> | null = null
  #running: Running | null = null

  constructor(options: SwarmOptions) {
    this.#options = options
    this.id = peerIdOfKey(keyFromSeed(options.identitySeed))
    this.#gossip = new Gossip({ ...options, admits: options.admits ?? everyone, self: this.id, stopping: this.#stopping.signal })
    this.#discovery = new Discovery({
      ...options,
      self: this.id,
      connected: (peer) => this.#connected(peer),
      dial: (address, signal) => this.dial(address, signal),
    })
    this.#traversal = new Traversal({ ...options, dial: (address, signal) => this.dial(address, signal) })
    this.serve(DIAL_BACK_PROTOCOL, MAX_DIAL_BACK_BYTES, (peer, body) => this.#traversal.dialBack(peer, body))
    setMaxListeners(Number.POSITIVE_INFINITY, this.#stopping.signal)
  }

  addresses(): readonly string[] {
    return this.#running?.node.getMultiaddrs().map(String) ?? []
  }

  start(signal: AbortSignal): Promise<void> {
    this.#started ??= this.#start(signal)
    return this.#started
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  publish(topic: string, bytes: Uint8Array): Promise<number> {
    return this.#gossip.publish(topic, bytes)
  }

  subscribe(topic: string, maxBytes: number, validator: Validator): void {
    this.#gossip.subscribe(topic, maxBytes, validator)
    this.#topics.add(topic)
    if (this.#running !== null) this.#discover()
  }

  unsubscribe(topic: string): void {
    this.#gossip.unsubscribe(topic)
    this.#topics.delete(topic)
  }

  subscribers(topic: string): readonly PeerId[] {
    return this.#gossip.subscribers(topic)
  }

  async request(peer: PeerId, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    return request(this.#context(), peer, protocol, body, options)
  }

  serve(protocol: string, maxRequestBytes: number, handler: RequestHandler, options: ServeOptions = {}): void {
    const served = { ...options, protocol, maxRequestBytes, handler }
    this.#handlers.set(protocol, served)
    if (this.#running === null) return
    serve(this.#running, served).catch((error) =>
      this.#options.log.error('a protocol cannot be served', { protocol, error: String(error) }),
    )
  }

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    signal.throwIfAborted()
    const { swarmKey = null, admits = everyone } = this.#options
    return dialAgain({ ...this.#context(), self: this.id, found: this.#found, hasKey: swarmKey !== null, admits }, address, signal)
  }

  async hangUp(peer: PeerId): Promise<void> {
    const connections = this.#running?.admission.connections(peer) ?? []
    await Promise.all(connections.map((connection) => closeConnection(connection, this.#options.clock)))
  }

  peers(): readonly RemotePeer[] {
    return this.#running?.admission.peers() ?? []
  }

  onPeer(listener: (change: PeerChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  counters(): NetworkCounters {
    return this.#tcp.counters()
  }

  reachable(): boolean | null {
    return this.#traversal.reachable
  }

  refusals(): Readonly<Record<string, number>> {
    return this.#refusals.counts()
  }

  async #start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#stopping.signal.throwIfAborted()
    const { identitySeed, listen, announce, clock, random, log, swarmKey = null, admits = everyone, relay, upnp } = this.#options
    const node = await createNode({
      privateKey: keyFromSeed(identitySeed),
      swarmKey,
      admits,
      clock,
      refused: (code) => this.#refusals.add(code),
      agent: AGENT_VERSION,
      listen,
      announce,
      transport: (components) => this.#tcp.transport(components),
      gossip: (components) => this.#gossip.service(components),
      onComponents: (components) => {
        this.#discovery.attach(components)
        this.#traversal.attach(components)
      },
      relay: relay === true,
      upnp: upnp === true,
      observed: () => this.#traversal.observed(),
    })
    const stopping = this.#stopping.signal
    const admission = new Admission({
      node,
      self: this.id,
      clock,
      log,
      agent: AGENT_VERSION,
      stopping,
      listeners: this.#listeners,
      onAdmitted: (connection, result) => this.#traversal.admitted(connection, result),
    })
    const running: Running = { node, clock, log, admission, turns: new Turns(clock), refusals: this.#refusals, stopping }
    for (const served of this.#handlers.values()) await serve(running, served)
    try {
      await node.start()
    } catch (error) {
      throw cannotListen(error, listen)
    }
    if (signal.aborted || stopping.aborted) {
      await stopNode(node)
      throw signal.aborted ? signal.reason : stopping.reason
    }
    this.#running = running
    this.#gossip.started()
    void this.#traversal.run(running)
    this.#discover()
    void repairLinks(
      {
        clock,
        random,
        log,
        // Gossip never runs through a relay.
        links: () =>
          new Map(
            this.peers()
              .filter(({ relayed }) => relayed !== true)
              .map(({ id }) => [id, this.#gossip.knows(id) && gossipsBothWays(admission.connections(id))]),
          ),
        addresses: (peer) => this.peers().find(({ id }) => id === peer)?.addresses ?? [],
        connected: (peer) => this.#connected(peer),
        hangUp: (peer) => this.hangUp(peer),
        dial: (address, stop) => this.dial(address, stop),
      },
      stopping,
    )
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(notRunning())
    await this.#started?.catch(() => {})
    const running = this.#running
    if (running === null) return
    await this.#discovery.stop()
    await Promise.all(running.node.getConnections().map((connection) => closeConnection(connection, this.#options.clock)))
    this.#gossip.stopping()
    await stopNode(running.node)
  }

  #context(): Running {
    if (this.#running === null || this.#stopping.signal.aborted) throw notRunning()
    return this.#running
  }

  #connected(peer: PeerId): boolean {
    return this.#running?.admission.has(peer) ?? false
  }

  #discover(): void {
    if (!this.#options.mdns) return
    for (const topic of this.#topics) void this.#discovery.begin(topic)
  }
}

const everyone = () => true

function cannotListen(error: unknown, listen: readonly string[]): GrapevineError {
  const text = String(error)
  const where = listen.find((address) => text.includes(address)) ?? listen.join(', ')
  if (text.includes('EADDRINUSE')) {
    return new GrapevineError(
      'address_in_use',
      'local',
      `The port of ${where} is in use by another program; choose another one or end that program.`,
      { where },
    )
  }
  return new GrapevineError(
    'cannot_listen',
    'local',
    `Listening on ${where} failed; check that it is an address of this machine that you may use.`,
    {
      where,
      cause: text.slice(0, 500),
    },
  )
}
