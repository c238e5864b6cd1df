/**
 * Finding peers of the same run on the local network (multicast DNS, RFC 6762). The service name carries the run, so other runs are never
 * dialled; what answers is dialled once after a random delay, and not again before DISCOVERY_RETRY_MS. It starts when the run is known.
 */
import { type PeerInfo, start, stop } from '@libp2p/interface'
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { DISCOVERY_INTERVAL_MS, DISCOVERY_JITTER_MS, DISCOVERY_RETRY_MS, MAX_ADDRESSES_PER_PEER, MAX_DISCOVERED } from './limits.ts'

/** DNS-SD allows 15 characters: `_gv` and 12 of the run id. Null for topics of no run. */
export function serviceName(topic: string): string | null {
  const match = /^\/grapevine\/\d+\/([0-9a-f]{12,64})\//.exec(topic)
  return match?.[1] === undefined ? null : `_gv${match[1].slice(0, 12)}._udp.local`
}

export interface DiscoveryContext {
  readonly self: PeerId
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly connected: (peer: PeerId) => boolean
  readonly dial: (address: string, signal: AbortSignal) => Promise<PeerId>
}

export class Discovery {
  readonly #context: DiscoveryContext
  readonly #triedAtMs = new Map<PeerId, number>()
  readonly #stopping = new AbortController()
  #components: MulticastDNSComponents | null = null
  #service: ReturnType<ReturnType<typeof mdns>> | null = null

  constructor(context: DiscoveryContext) {
    this.#context = context
  }

  /** What multicast DNS needs of libp2p: the addresses to announce. */
  attach(components: MulticastDNSComponents): void {
    this.#components = components
  }

  /** Answers and asks for the run of `topic`; the first topic of a run decides, later calls do nothing. */
  async begin(topic: string): Promise<void> {
    const serviceTag = serviceName(topic)
    if (serviceTag === null || this.#components === null || this.#service !== null || this.#stopping.signal.aborted) return
    this.#service = mdns({ serviceTag, interval: DISCOVERY_INTERVAL_MS })(this.#components)
    this.#service.addEventListener('peer', (event) => void this.found(event.detail))
    try {
      await start(this.#service)
    } catch (error) {
      this.#context.log.warn('peers on the local network cannot be found; connect to them by address', { error: String(error) })
    }
  }

  async found(info: PeerInfo): Promise<void> {
    const { clock, random, connected, dial, log, self } = this.#context
    const peer = info.id.toString()
    const nowMs = clock.now()
    for (const [known, at] of this.#triedAtMs) if (nowMs - at >= DISCOVERY_RETRY_MS) this.#triedAtMs.delete(known)
    if (peer === self || connected(peer) || this.#triedAtMs.has(peer) || this.#triedAtMs.size >= MAX_DISCOVERED) return
    this.#triedAtMs.set(peer, nowMs)
    const { signal } = this.#stopping
    try {
      await clock.sleep(random.uniform() * DISCOVERY_JITTER_MS, signal)
    } catch {
      return
    }
    for (const address of info.multiaddrs.slice(0, MAX_ADDRESSES_PER_PEER)) {
      if (connected(peer) || signal.aborted) return
      try {
        await dial(`${address}/p2p/${peer}`, signal)
        return
      } catch (error) {
        log.debug('a peer on the local network could not be reached', { peer, address: address.toString(), error: String(error) })
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    if (this.#service !== null) await stop(this.#service)
  }
}
