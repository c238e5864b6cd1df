/** The libp2p node with every limit of `limits.ts` in its place. Nothing runs before its `start`. */
import type { GossipSub, GossipSubComponents } from '@chainsafe/libp2p-gossipsub'
import { type CircuitRelayTransportComponents, circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type DCUtRServiceComponents, dcutr } from '@libp2p/dcutr'
import { type Identify, identify } from '@libp2p/identify'
import { type Connection, type Ed25519PrivateKey, FaultTolerance, type Libp2p, type PeerId, type Transport } from '@libp2p/interface'
import type { MulticastDNSComponents } from '@libp2p/mdns'
import { type Ping, ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import type { TCPComponents } from '@libp2p/tcp'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Clock } from '../ports/clock.ts'
import { encodeSwarmKey } from '../wire/swarm-key.ts'
import { leanNoise } from './encryption.ts'
import { guarded } from './frame-guard.ts'
import * as limits from './limits.ts'

export type Node = Libp2p<{ identify: Identify; ping: Ping; gossip: GossipSub; leftovers: Leftovers }>

/** Where libp2p keeps a timer that it forgets when it stops: the next update of its stored addresses, a second after a listener closed. */
interface Leftovers {
  readonly addressManager: { readonly _updatePeerStoreAddresses: { stop(): void } }
}

/** What libp2p's manager of transports has and its interface does not name. */
interface Dials {
  dial(address: Multiaddr, options: unknown): Promise<Connection>
}

/** And gossipsub: its next heartbeat. */
interface Heartbeat {
  readonly status: { readonly heartbeatTimeout?: NodeJS.Timeout }
}

/** Whom we dialled, we do not admit. */
export class UnwelcomeError extends Error {
  override readonly name = 'UnwelcomeError'
}

export interface NodeParts {
  readonly privateKey: Ed25519PrivateKey
  /** 32 bytes of a private swarm, or null. */
  readonly swarmKey: Uint8Array | null
  readonly admits: (peer: string) => boolean
  readonly clock: Clock
  /** Told of every connection that is refused or ended for what came over it. */
  readonly refused: (code: string) => void
  /** Identify agent version. */
  readonly agent: string
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly transport: (components: TCPComponents) => Transport
  readonly gossip: (components: GossipSubComponents) => GossipSub
  /** Shown once, before anything starts. */
  readonly onComponents: (components: Components) => void
  /** Keep places for peers behind NAT, and pass their control messages on. */
  readonly relay: boolean
  /** Ask the router to open our port. */
  readonly upnp: boolean
  /** Where others saw our dials come from. */
  readonly observed: () => readonly Multiaddr[]
}

/** What libp2p's parts are made of, as far as ours need it. */
export type Components = MulticastDNSComponents & Pick<CircuitRelayTransportComponents, 'transportManager'>

export async function createNode(parts: NodeParts): Promise<Node> {
  // RSA and other keys cost more to check and have led to attacks; Grapevine has made no others than Ed25519.
  const isOther = (peer: PeerId) => peer.type !== 'Ed25519'
  const isUnwelcome = (peer: PeerId) => isOther(peer) || !parts.admits(peer.toString())
  const denyInbound = (peer: PeerId) => {
    const denied = isUnwelcome(peer)
    if (denied) parts.refused(isOther(peer) ? 'other_identity' : 'not_admitted')
    return denied
  }
  const denyOutbound = (peer: PeerId) => {
    // A denial by the gater does not say why.
    if (!isOther(peer) && !parts.admits(peer.toString())) throw new UnwelcomeError()
    return isOther(peer)
  }
  return createLibp2p({
    start: false,
    privateKey: parts.privateKey,
    nodeInfo: { userAgent: parts.agent },
    addresses: { listen: [...parts.listen], announce: [...parts.announce] },
    transports: [
      parts.transport,
      circuitRelayTransport({
        maxInboundStopStreams: limits.MAX_CIRCUITS_PER_RELAY,
        maxOutboundStopStreams: limits.MAX_CIRCUITS_PER_RELAY,
        reservationCompletionTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      }),
    ],
    connectionEncrypters: [leanNoise()],
    streamMuxers: [
      watchedYamux(parts, {
        maxInboundStreams: limits.MAX_STREAMS,
        maxOutboundStreams: limits.MAX_STREAMS,
        maxEarlyStreams: limits.MAX_EARLY_STREAMS,
        enableKeepAlive: true,
        keepAliveInterval: limits.KEEP_ALIVE_MS,
        streamOptions: {
          initialStreamWindowSize: limits.STREAM_WINDOW_BYTES,
          maxStreamWindowSize: limits.MAX_STREAM_WINDOW_BYTES,
          maxReadBufferLength: limits.MAX_READ_BUFFER_BYTES,
          maxWriteBufferLength: limits.MAX_WRITE_BUFFER_BYTES,
        },
      }),
    ],
    transportManager: { faultTolerance: FaultTolerance.FATAL_ALL },
    connectionGater: {
      denyInboundEncryptedConnection: denyInbound,
      denyOutboundEncryptedConnection: denyOutbound,
      denyInboundRelayReservation: isUnwelcome,
      denyOutboundRelayedConnection: (from, to) => isUnwelcome(from) || isUnwelcome(to),
      denyInboundRelayedConnection: (_relay, from) => isUnwelcome(from),
    },
    ...(parts.swarmKey === null ? {} : { connectionProtector: preSharedKey({ psk: encodeSwarmKey(parts.swarmKey) }) }),
    connectionManager: {
      maxConnections: limits.MAX_CONNECTIONS,
      inboundConnectionThreshold: limits.INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: limits.MAX_PENDING_INBOUND,
      maxParallelDials: limits.MAX_PARALLEL_DIALS,
      maxDialQueueLength: limits.MAX_QUEUED_DIALS,
      maxPeerAddrsToDial: limits.MAX_ADDRESSES_PER_PEER,
      dialTimeout: limits.DIAL_BACKSTOP_MS,
      addressDialTimeout: limits.DIAL_BACKSTOP_MS,
      connectionCloseTimeout: limits.CLOSE_TIMEOUT_MS,
      inboundUpgradeTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      // Whom to keep and when to try again is the peer's to decide.
      reconnectRetries: 0,
    },
    connectionMonitor: { pingInterval: limits.PING_INTERVAL_MS, pingTimeout: { minTimeout: limits.PING_TIMEOUT_MS } },
    services: {
      // Run by Admission, which needs to know how it ended.
      identify: identify({
        runOnConnectionOpen: false,
        runOnLimitedConnection: true,
        timeout: limits.IDENTIFY_TIMEOUT_MS,
        maxMessageSize: limits.MAX_IDENTIFY_BYTES,
      }),
      ping: ping({ timeout: limits.PING_TIMEOUT_MS }),
      gossip: parts.gossip,
      ...(parts.relay ? { relay: relayServer() } : {}),
      // Told to who is to punch, and to nobody else: dialled from elsewhere they lead nowhere.
      punch: (components: DCUtRServiceComponents) =>
        dcutr({ retries: limits.PUNCH_ROUNDS, timeout: limits.PUNCH_ROUND_MS })(punching(components, parts.observed)),
      ...(parts.upnp ? { upnp: await portMapping() } : {}),
      leftovers: (components: Components): Leftovers => {
        parts.onComponents(components)
        return { addressManager: components.addressManager } as unknown as Leftovers
      },
    },
  })
}

function punching(components: DCUtRServiceComponents, observed: () => readonly Multiaddr[]): DCUtRServiceComponents {
  const { peerStore, registrar, transportManager, logger } = components
  const connectionManager: typeof components.connectionManager = Object.create(components.connectionManager)
  // libp2p's queue of dials would join these to others for the same peer, through the relay, with other roles in the handshake.
  connectionManager.openConnection = async (to, options) => {
    const dialled = (Array.isArray(to) ? to : []).slice(0, limits.MAX_OBSERVED)
    // The signal would end the socket even when it is open.
    const dialling = new AbortController()
    const giveUp = () => dialling.abort()
    options?.signal?.addEventListener('abort', giveUp, { once: true })
    const { signal } = dialling
    try {
      return await Promise.any(dialled.map((address) => (transportManager as unknown as Dials).dial(address, { ...options, signal })))
    } finally {
      options?.signal?.removeEventListener('abort', giveUp)
    }
  }
  const addressManager: typeof components.addressManager = Object.create(components.addressManager)
  addressManager.getAddresses = () => [...components.addressManager.getAddresses(), ...observed()]
  return { peerStore, registrar, connectionManager, transportManager, logger, addressManager }
}

/** Loaded when it is wanted: it brings a hundred modules. */
async function portMapping() {
  const { uPnPNAT } = await import('@libp2p/upnp-nat')
  return uPnPNAT({ autoConfirmAddress: true })
}

function relayServer() {
  return circuitRelayServer({
    hopTimeout: limits.HANDSHAKE_TIMEOUT_MS,
    maxInboundHopStreams: limits.MAX_CIRCUITS_PER_PEER,
    maxOutboundStopStreams: limits.MAX_CIRCUITS_PER_RELAY,
    reservations: {
      maxReservations: limits.MAX_RESERVATIONS,
      reservationTtl: limits.RESERVATION_MS,
      applyDefaultLimit: true,
      defaultDataLimit: BigInt(limits.MAX_CIRCUIT_BYTES),
      defaultDurationLimit: limits.MAX_CIRCUIT_MS,
    },
  })
}

function watchedYamux({ clock, refused }: NodeParts, init: YamuxMuxerInit): ReturnType<typeof yamux> {
  const create = yamux(init)
  return () => guarded(create(), clock, () => refused('bad_multiplexing')) as ReturnType<ReturnType<typeof yamux>>
}

/** Stops the node, and then the timers that it leaves behind and that would hold the process for up to a second. */
export async function stopNode(node: Node): Promise<void> {
  const { status } = node.services.gossip as GossipSub & Heartbeat
  await node.stop()
  clearTimeout(status.heartbeatTimeout)
  node.services.leftovers.addressManager._updatePeerStoreAddresses.stop()
}
