/**
 * Gossipsub behind the port: publish with a size limit and a count, subscribe with one validator per topic, authors from the signature.
 *
 * How soon a message arrives: publications are handed at once to every connected subscriber (up to FLOOD_MESSAGE_BYTES, and larger ones where
 * there are at most FLOOD_SUBSCRIBERS) or to MESH_DEGREE of them, mesh or not, as soon as the gossip streams are open, a few round trips after
 * `dial`. Only forwarding over a third peer needs the mesh: a new neighbour has its place in it at once while there are fewer than
 * MESH_DEGREE_LOW, else within a heartbeat, and can miss what was forwarded before that. Messages lost later are announced in the next heartbeats
 * and fetched.
 *
 * Who forwards waits a little first, because nearly all have heard the author themselves and say so (IDONTWANT): of a large message at once, of
 * small ones every DISCLAIM_MS for all of that time together, as each word to a neighbour costs as much as such a message.
 */
import {
  type GossipSub,
  type GossipSubComponents,
  type GossipsubOpts,
  gossipsub,
  type Message,
  type PublishResult,
  TopicValidatorResult,
} from '@chainsafe/libp2p-gossipsub'
import { createTopicScoreParams, type TopicScoreParams } from '@chainsafe/libp2p-gossipsub/score'
import type { PublishOpts } from '@chainsafe/libp2p-gossipsub/types'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { NetworkErrorCode, PeerId, Validator, Verdict } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import * as limits from './limits.ts'

/** What gossipsub's class has and its interface does not name: options of one publication, and parameters of topics that are learned later. */
interface GossipInternals {
  readonly mesh: ReadonlyMap<string, ReadonlySet<string>>
  readonly msgIdFn: (message: Message) => Uint8Array | Promise<Uint8Array>
  sendRpcInBatch(neighbours: Set<string>, rpc: Disclaimer): void
  publish(topic: string, bytes: Uint8Array, options: PublishOpts): Promise<PublishResult>
  readonly score: { readonly params: { readonly topics: Record<string, TopicScoreParams> } }
}

/** A frame of gossipsub that only says what its sender has. */
interface Disclaimer {
  readonly subscriptions: readonly []
  readonly messages: readonly []
  readonly control: Readonly<Record<'ihave' | 'iwant' | 'graft' | 'prune', readonly []>> & {
    readonly idontwant: readonly { readonly messageIDs: readonly Uint8Array[] }[]
  }
}

interface Topic {
  readonly maxBytes: number
  /** null: subscribed once, not any more. Late messages are ignored then, and held against nobody. */
  readonly validator: Validator | null
}

const RESULTS: Readonly<Record<Exclude<Verdict, 'excess'>, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export class Gossip {
  readonly #self: PeerId
  readonly #log: Log
  readonly #clock: Clock
  readonly #stopping: AbortSignal
  readonly #admits: (peer: PeerId) => boolean
  readonly #topics = new Map<string, Topic>()
  #service: (Omit<GossipSub, 'publish'> & GossipInternals) | null = null
  #running = false
  /** Settles with the last large message that is held back. */
  #held: Promise<void> = Promise.resolve()
  /** Ids of small messages, by topic, that the neighbours have not been told of yet; they will be in a moment. */
  readonly #disclaimed = new Map<string, Uint8Array[]>()

  constructor(options: {
    readonly self: PeerId
    readonly log: Log
    readonly clock: Clock
    readonly stopping: AbortSignal
    readonly admits: (peer: PeerId) => boolean
  }) {
    this.#admits = options.admits
    this.#self = options.self
    this.#log = options.log
    this.#clock = options.clock
    this.#stopping = options.stopping
  }

  /** What goes into libp2p's `services`. */
  service(components: GossipSubComponents): GossipSub {
    const create = gossipsub({
      ...SETTINGS,
      // Comes before anything is kept or forwarded.
      dataTransform: {
        inboundTransform: (name, data) => {
          const topic = this.#topics.get(name)
          if (topic === undefined) throw new Error('not a topic of ours')
          if (data.length > topic.maxBytes) throw new Error('over the limit of its topic')
          return data
        },
        outboundTransform: (_name, data) => data,
      },
    })
    const service = create(components)
    this.#service = service as GossipSub & GossipInternals
    return service
  }

  /** Once libp2p runs: joins the topics that were subscribed to before. */
  started(): void {
    this.#running = true
    for (const [name, topic] of this.#topics) if (topic.validator !== null) this.#join(name)
  }

  /** Before libp2p stops. */
  stopping(): void {
    this.#running = false
  }

  async publish(name: string, bytes: Uint8Array): Promise<number> {
    const maxBytes = this.#topics.get(name)?.maxBytes ?? limits.MAX_GOSSIP_MESSAGE_BYTES
    if (bytes.length > maxBytes) {
      const message = `A message of ${bytes.length} bytes was not published: ${name} carries at most ${maxBytes} bytes.`
      throw new GrapevineError<NetworkErrorCode>('too_large', 'local', message, { bytes: bytes.length, maxBytes })
    }
    if (this.#service === null || !this.#running) throw notRunning()
    // A copy: gossipsub keeps the array for neighbours that ask later, and the caller may write to it again.
    const floodPublish = bytes.length <= limits.FLOOD_MESSAGE_BYTES || this.subscribers(name).length <= limits.FLOOD_SUBSCRIBERS
    const { recipients } = await this.#service.publish(name, bytes.slice(), { floodPublish })
    return recipients.length
  }

  subscribe(name: string, maxBytes: number, validator: Validator): void {
    this.#topics.set(name, { maxBytes: Math.min(maxBytes, limits.MAX_GOSSIP_MESSAGE_BYTES), validator })
    if (this.#running) this.#join(name)
  }

  unsubscribe(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    this.#topics.set(name, { ...topic, validator: null })
    if (this.#running) this.#service?.unsubscribe(name)
  }

  subscribers(name: string): readonly PeerId[] {
    return this.#service?.getSubscribers(name).map(String) ?? []
  }

  /** Whether gossipsub knows the peer at all. */
  knows(peer: PeerId): boolean {
    return this.#service?.getPeers().some((known) => known.toString() === peer) ?? false
  }

  #join(name: string): void {
    const service = this.#service
    if (service === null) return
    service.topicValidators.set(name, (neighbour, message) => this.#validate(name, neighbour.toString(), message))
    // Never removed again: gossipsub looks parameters up for every peer it has counted for.
    service.score.params.topics[name] = TOPIC_SCORE
    service.subscribe(name)
  }

  /** Accepts a delivered message once its neighbours had time to say that they have it, large ones after those that came before. */
  async #heldBack(name: string, message: Message): Promise<TopicValidatorResult> {
    const wait = (milliseconds: number) => this.#clock.sleep(milliseconds, this.#stopping).catch(() => {})
    if (message.data.length <= limits.FLOOD_MESSAGE_BYTES) {
      await this.#disclaim(name, message)
      await wait(limits.FORWARD_SMALL_HOLD_MS)
      return RESULTS.accept
    }
    const earlier = this.#held
    this.#held = wait(limits.FORWARD_HOLD_MS).then(() => earlier)
    await this.#held
    return RESULTS.accept
  }

  /** Says to the mesh that we have a small message, together with others that come until then. */
  async #disclaim(name: string, message: Message): Promise<void> {
    const service = this.#service!
    const id = await service.msgIdFn(message)
    const waiting = this.#disclaimed.get(name)
    if (waiting !== undefined) {
      waiting.push(id)
      return
    }
    const ids = [id]
    this.#disclaimed.set(name, ids)
    const say = () => {
      this.#disclaimed.delete(name)
      const neighbours = new Set(service.mesh.get(name))
      const control = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [{ messageIDs: ids }] } as const
      if (this.#running) service.sendRpcInBatch(neighbours, { subscriptions: [], messages: [], control })
    }
    void this.#clock.sleep(limits.DISCLAIM_MS, this.#stopping).then(say, () => {})
  }

  #validate(name: string, neighbour: PeerId, message: Message): TopicValidatorResult | Promise<TopicValidatorResult> {
    const validator = this.#topics.get(name)?.validator ?? null
    if (validator === null || message.type !== 'signed') return RESULTS.ignore
    if (message.from.type !== 'Ed25519') return RESULTS.reject
    const author = message.from.toString()
    // Whoever forwards what a banned author says need not know of the ban.
    if (!this.#admits(author)) return RESULTS.ignore
    try {
      const verdict = validator(author, message.data)
      // Our own, sent back after it was forgotten, or of another who has our key.
      if (author === this.#self) return RESULTS.ignore
      if (verdict === 'accept') return this.#heldBack(name, message)
      return verdict === 'excess' ? RESULTS[neighbour === author ? 'reject' : 'ignore'] : RESULTS[verdict]
    } catch (error) {
      this.#log.error('a validator failed; its message was dropped', { topic: name, author, error: String(error) })
      return RESULTS.ignore
    }
  }
}

export function notRunning(): GrapevineError<NetworkErrorCode> {
  return new GrapevineError('closed', 'local', 'The network is not running: it was not started, or it is stopping.')
}

const TOPIC_SCORE: TopicScoreParams = createTopicScoreParams({
  topicWeight: 1,
  // Rates differ between peers and networks, so neither silence nor eagerness is scored; quanta and caps only have to be legal.
  timeInMeshWeight: 0,
  firstMessageDeliveriesWeight: 0,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: limits.REJECT_WEIGHT,
  invalidMessageDeliveriesDecay: limits.REJECT_DECAY,
})

const SETTINGS: Partial<GossipsubOpts> = {
  globalSignaturePolicy: 'StrictSign',
  // Every Grapevine peer speaks gossipsub; floodsub neighbours would get a copy of everything.
  fallbackToFloodsub: false,
  // A peer alone in its swarm publishes to nobody, which is no error.
  allowPublishToZeroTopicPeers: true,
  ignoreDuplicatePublishError: true,
  emitSelf: false,
  // Overridden per message: see FLOOD_MESSAGE_BYTES.
  floodPublish: false,
  // One encoding for all recipients.
  batchPublish: true,
  doPX: false,
  directPeers: [],
  asyncValidation: false,
  // A message that is held back must not hold up the next. Every message takes the same steps, so they are judged in the order they came.
  awaitRpcHandler: false,
  awaitRpcMessageHandler: false,
  idontwantMinDataSize: limits.FLOOD_MESSAGE_BYTES + 1,
  idontwantMaxMessages: limits.MAX_FRAME_MESSAGE_IDS,
  // Copies are recognised by author and sequence number before their signature is checked again. Only verified messages enter that cache.
  fastMsgIdFn: (message) => `${latin1(message.from)}|${latin1(message.seqno)}`,
  heartbeatInterval: limits.HEARTBEAT_MS,
  mcacheLength: limits.HISTORY_HEARTBEATS,
  mcacheGossip: limits.HISTORY_GOSSIP_HEARTBEATS,
  seenTTL: limits.SEEN_MS,
  D: limits.MESH_DEGREE,
  Dlo: limits.MESH_DEGREE_LOW,
  Dhi: limits.MESH_DEGREE_HIGH,
  Dscore: limits.MESH_DEGREE_SCORE,
  Dout: limits.MESH_DEGREE_OUTBOUND,
  Dlazy: limits.MESH_DEGREE_LAZY,
  maxInboundStreams: limits.MAX_GOSSIP_STREAMS,
  maxOutboundStreams: limits.MAX_GOSSIP_STREAMS,
  // Parameters never travel over a relay.
  runOnLimitedConnection: false,
  maxInboundDataLength: limits.MAX_GOSSIP_FRAME_BYTES,
  maxOutboundBufferSize: limits.MAX_GOSSIP_BACKLOG_BYTES,
  maxTopicBytesPerPeer: limits.MAX_SUBSCRIPTION_BYTES,
  decodeRpcLimits: {
    maxSubscriptions: limits.MAX_FRAME_SUBSCRIPTIONS,
    maxMessages: limits.MAX_FRAME_MESSAGES,
    maxControlMessages: limits.MAX_FRAME_CONTROLS,
    maxIhaveMessageIDs: limits.MAX_FRAME_MESSAGE_IDS,
    maxIwantMessageIDs: limits.MAX_FRAME_MESSAGE_IDS,
    maxIdontwantMessageIDs: limits.MAX_FRAME_MESSAGE_IDS,
    maxPeerInfos: limits.MAX_FRAME_PEERS,
  },
  scoreThresholds: {
    gossipThreshold: limits.GOSSIP_THRESHOLD,
    publishThreshold: limits.PUBLISH_THRESHOLD,
    graylistThreshold: limits.GRAYLIST_THRESHOLD,
    acceptPXThreshold: 0,
    opportunisticGraftThreshold: 0,
  },
  scoreParams: {
    // Peers of one laboratory share an address, and so do all on one machine; a score would silence them without a word.
    IPColocationFactorWeight: 0,
    behaviourPenaltyWeight: limits.REJECT_WEIGHT,
    behaviourPenaltyThreshold: limits.FORGIVEN_SLIPS,
    behaviourPenaltyDecay: limits.REJECT_DECAY,
    retainScore: limits.SCORE_MEMORY_MS,
  },
}

function latin1(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
