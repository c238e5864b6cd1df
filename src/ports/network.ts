/**
 * The network as the peer sees it: whole messages to a topic, one answered request at a time to a peer, and who is connected.
 * Implemented over libp2p by `swarm` and in memory, on virtual time, by `sim`.
 *
 * A request answers or fails; it never loses a byte. Large bodies are pulled in ranges by the side that wants them.
 * Peers are named by their libp2p peer id as text (Ed25519 only); the network has authenticated every name that it passes on.
 */
export type PeerId = string

/**
 * What a topic's validator says of one message: `accept` delivers and forwards, `ignore` drops in silence, `reject` drops and costs the sender
 * score; `excess`, far more than its author may send, costs score where the sender is the author, not one who forwards in good faith.
 */
export type Verdict = 'accept' | 'ignore' | 'reject' | 'excess'

/**
 * Called once per message, before it is forwarded; must not throw and must return quickly. `author` is the authenticated signer: ourselves where
 * a message of our own comes back, or one of another who has our key, which goes no further whatever the verdict.
 */
export type Validator = (author: PeerId, bytes: Uint8Array) => Verdict

/** A message, or its parts, which are sent one after the other without being copied together first. */
export type Body = Uint8Array | readonly Uint8Array[]

/** Answers one request. A throw resets the stream: the asker sees `reset`. */
export type RequestHandler = (peer: PeerId, body: Uint8Array) => Promise<Body>

export interface RequestOptions {
  /** Longest answer that will be read; a longer one fails with `too_large`. */
  readonly maxResponseBytes: number
  /** Total time for the request. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** May go through a relay: for small messages. */
  readonly overRelay?: boolean
  /**
   * Memory for an answer of exactly as many bytes: a network may fill these parts with it, one after the other, and resolves with the first of
   * them then.
   */
  readonly into?: readonly Uint8Array[]
}

export interface RemotePeer {
  readonly id: PeerId
  /** Addresses under which it was reached or that it announced, as text. */
  readonly addresses: readonly string[]
  /** Where its connection really comes from, as a multiaddr; absent where there is no such thing. */
  readonly observed?: string
  /** Reached through a relay only: beacons reach it, and nothing larger. */
  readonly relayed?: true
}

export interface ServeOptions {
  /** Also for peers that are reached through a relay only: for small messages. */
  readonly overRelay?: boolean
}

export type PeerChange = { readonly id: PeerId; readonly state: 'connected' | 'disconnected' }

/**
 * Codes with which `dial` and `request` fail (GrapevineError.code).
 * refused: nobody listens there; timeout: no answer in time; other_network: it answers but is not Grapevine;
 * protocol_version: another major version; wrong_peer: another identity than the address names; self: it is ourselves;
 * swarm_key: one of the two swarms is private and the other side has not its key; not_admitted: it closes as soon as it knows who we are;
 * relayed: the peer is reached through a relay only, and this must not travel through one; unwelcome: we do not admit it; malformed: the address cannot be parsed; too_large: answer over the limit; reset: the other side broke off;
 * closed: we are stopping.
 */
export type NetworkErrorCode =
  | 'refused'
  | 'timeout'
  | 'other_network'
  | 'protocol_version'
  | 'wrong_peer'
  | 'self'
  | 'swarm_key'
  | 'not_admitted'
  | 'unwelcome'
  | 'malformed'
  | 'too_large'
  | 'reset'
  | 'relayed'
  | 'closed'

export interface NetworkCounters {
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface Network {
  readonly id: PeerId
  /** Addresses others can dial, each ending in /p2p/<id>. */
  addresses(): readonly string[]
  start(signal: AbortSignal): Promise<void>
  /** Says goodbye on all connections, closes, releases every handle; idempotent. */
  stop(): Promise<void>
  /** Sends to all subscribers; resolves with the number of peers it was handed to (0 is no error). Throws `too_large` over the topic's limit. */
  publish(topic: string, bytes: Uint8Array): Promise<number>
  /** Messages over `maxBytes` are rejected before `validator` sees them. */
  subscribe(topic: string, maxBytes: number, validator: Validator): void
  unsubscribe(topic: string): void
  /** Connected peers known to be subscribed. */
  subscribers(topic: string): readonly PeerId[]
  request(peer: PeerId, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array>
  serve(protocol: string, maxRequestBytes: number, handler: RequestHandler, options?: ServeOptions): void
  /** Connects to an address (multiaddr with or without peer id, or host:port) and resolves with the identity found there. */
  dial(address: string, signal: AbortSignal): Promise<PeerId>
  hangUp(peer: PeerId): Promise<void>
  peers(): readonly RemotePeer[]
  /** The returned function unsubscribes. */
  onPeer(listener: (change: PeerChange) => void): () => void
  counters(): NetworkCounters
  /** Can others reach us directly, as far as those say who tried? null: nobody has told yet. Absent where everybody can. */
  reachable?(): boolean | null
  /** What the network itself refused, by code; absent where it refuses nothing. */
  refusals?(): Readonly<Record<string, number>>
}
