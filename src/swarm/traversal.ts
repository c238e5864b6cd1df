/**
 * Getting through NAT. Whether we can be reached is found out by asking peers to dial us back at the address they see us from (and at no
 * other, so that nobody is dialled in another's name). Who cannot be reached asks relays among its neighbours for a place, and is announced
 * there. A connection through a relay is an introduction: both sides try each other's addresses for a direct one, and dial at the same moment
 * where a NAT saw the other's dials come from (DCUtR).
 */
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerId, RequestOptions } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { Gcra, KeyedGcra } from '../util/gcra.ts'
import { isLoopback, isRelayed, readAddress, withPeer } from '../wire/address.ts'
import { networkOf } from '../wire/address-range.ts'
import { closeConnection, isDirect } from './admission.ts'
import * as limits from './limits.ts'
import type { Components } from './node.ts'
import { Operation } from './operation.ts'
import { type RequestContext, request } from './requests.ts'

/** "Dial me back": ports as 16-bit numbers; answered by one byte, 1 when one of them led to the asker. */
export const DIAL_BACK_PROTOCOL = '/grapevine/dial-back/1'

/** A request of it, in bytes. */
export const MAX_DIAL_BACK_BYTES = 2 * limits.MAX_DIAL_BACK_PORTS

const REACHED = 1

export interface TraversalOptions {
  /** Multiaddrs that we listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs told to others instead; who gives them knows that they lead here. */
  readonly announce: readonly string[]
  readonly random: Random
  readonly dial: (address: string, signal: AbortSignal) => Promise<PeerId>
}

export class Traversal {
  readonly #options: TraversalOptions
  /** What each of those who tried said. */
  readonly #answers = new Map<PeerId, boolean>()
  readonly #perPeer = new KeyedGcra(limits.DIAL_BACK_RATE, limits.MAX_CONNECTIONS)
  readonly #total = new Gcra(limits.TOTAL_DIAL_BACK_RATE)
  readonly #observed = new Map<string, Multiaddr>()
  #components: Components | null = null
  #context: RequestContext | null = null
  #relaysAsked = false

  constructor(options: TraversalOptions) {
    this.#options = options
  }

  attach(components: Components): void {
    this.#components = components
  }

  /** Where others saw our dials come from, newest first. */
  observed(): readonly Multiaddr[] {
    return [...this.#observed.values()].reverse()
  }

  /** Can others reach us directly? null: nobody has told yet. */
  get reachable(): boolean | null {
    const answers = [...this.#answers.values()]
    return answers.includes(true) ? true : answers.length > 0 ? false : null
  }

  /** Until the network stops; never rejects. */
  async run(context: RequestContext): Promise<void> {
    this.#context = context
    this.#vouch()
    const { clock, stopping, admission } = context
    const patience = clock.after(limits.RELAY_PATIENCE_MS, () => this.#askRelays())
    stopping.addEventListener('abort', patience, { once: true })
    while (!stopping.aborted) {
      await clock.sleep(limits.DIAL_BACK_AGAIN_MS, stopping).catch(() => undefined)
      if (stopping.aborted) return
      const direct = admission.peers().filter(({ relayed }) => relayed !== true)
      const chosen = direct[Math.floor(this.#options.random.uniform() * direct.length)]
      if (chosen !== undefined && this.reachable !== true) await this.#askBack(chosen.id)
    }
  }

  /** libp2p keeps public addresses that we listen on to itself until somebody confirms them; an address of an interface of ours needs nobody. */
  #vouch(): void {
    const manager = this.#components?.addressManager
    for (const { multiaddr: address, type, verified } of manager?.getAddressesWithMetadata() ?? []) {
      if (type === 'transport' && !verified) manager?.confirmObservedAddr(address, { type })
    }
  }

  /** A connection was admitted. */
  admitted(connection: Connection, { listenAddrs, observedAddr }: Pick<IdentifyResult, 'listenAddrs' | 'observedAddr'>): void {
    const peer = connection.remotePeer.toString()
    if (isDirect(connection) && connection.direction === 'outbound' && observedAddr !== undefined) this.#seenAs(observedAddr)
    if (!isDirect(connection)) void this.#upgrade(peer, listenAddrs.map(String))
    else if (this.reachable !== true) void this.#askBack(peer)
  }

  /** Answers DIAL_BACK_PROTOCOL. */
  async dialBack(peer: PeerId, body: Uint8Array): Promise<Uint8Array> {
    const context = this.#context
    const connection = context?.admission.connections(peer).find(isDirect)
    const [, kind, host] = connection?.remoteAddr.toString().split('/') ?? []
    const nowMs = context?.clock.now() ?? 0
    if (context === null || connection === undefined || (kind !== 'ip4' && kind !== 'ip6')) throw new Error('not connected directly')
    if (context.node.getConnections().length >= limits.MAX_CONNECTIONS) throw new Error('full')
    if (this.#perPeer.take(peer, nowMs) > 0 || this.#total.take(nowMs) > 0) throw new Error('asked too often')
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    const ports = Array.from({ length: body.length >>> 1 }, (_, i) => view.getUint16(2 * i)).filter((port) => port > 0)
    const operation = new Operation(context.clock, context.stopping)
    operation.deadline(limits.DIAL_BACK_TIMEOUT_MS, () => new Error('cannot be reached'))
    const attempts = ports.map(async (port) => {
      const back = multiaddr(`/${kind}/${host}/tcp/${port}/p2p/${peer}`)
      const reached = await context.node.dial(back, { force: true, signal: operation.signal })
      await closeConnection(reached, context.clock)
    })
    try {
      await Promise.any(attempts)
      return Uint8Array.of(REACHED)
    } catch {
      return Uint8Array.of(0)
    } finally {
      operation.end()
    }
  }

  #seenAs(address: Multiaddr): void {
    const text = address.toString()
    if (networkOf(text)?.isPublic !== true) return
    this.#observed.delete(text)
    this.#observed.set(text, address)
    for (const oldest of this.#observed.keys()) if (this.#observed.size > limits.MAX_OBSERVED) this.#observed.delete(oldest)
  }

  async #askBack(peer: PeerId): Promise<void> {
    const context = this.#context
    if (context === null || this.#isClosed()) return
    const body = new Uint8Array(MAX_DIAL_BACK_BYTES)
    const view = new DataView(body.buffer)
    for (const [i, port] of this.#ports(context).entries()) view.setUint16(2 * i, port)
    const timeoutMs = limits.DIAL_BACK_TIMEOUT_MS + limits.HANDSHAKE_TIMEOUT_MS
    const options: RequestOptions = { maxResponseBytes: 1, timeoutMs }
    try {
      const [answer] = await request(context, peer, DIAL_BACK_PROTOCOL, body, options)
      this.#answers.delete(peer)
      this.#answers.set(peer, answer === REACHED)
      for (const [oldest] of this.#answers) if (this.#answers.size > limits.MAX_CONNECTIONS) this.#answers.delete(oldest)
    } catch {
      // Others will be asked.
      return
    }
    if (this.reachable === false) this.#askRelays()
  }

  /** The ports that we might be reached at. */
  #ports({ node }: RequestContext): readonly number[] {
    const ports = node.getMultiaddrs().flatMap((address) => {
      const text = address.toString()
      return isRelayed(text) ? [] : [Number(/\/tcp\/(\d+)/.exec(text)?.[1])]
    })
    return [...new Set(ports)].filter((port) => port > 0).slice(0, limits.MAX_DIAL_BACK_PORTS)
  }

  /** This machine only, as asked: nobody is to reach it from elsewhere, through a relay neither. */
  #isClosed(): boolean {
    const { listen, announce } = this.#options
    return announce.length > 0 || (listen.length > 0 && listen.every(isLoopback))
  }

  /** From now on every relay among our neighbours is asked for a place, until there are RELAYS_WANTED. */
  #askRelays(): void {
    if (this.#relaysAsked || this.#isClosed() || this.reachable === true || this.#components === null) return
    this.#relaysAsked = true
    const { log, stopping } = this.#context!
    const search = multiaddr('/p2p-circuit')
    const listening = this.#components.transportManager.listen(Array.from({ length: limits.RELAYS_WANTED }, () => search))
    listening.catch((error: unknown) => {
      if (!stopping.aborted) log.warn('places on relays cannot be had', { error: String(error) })
    })
  }

  /** Its addresses, all at once; the first that leads there is kept. */
  async #upgrade(peer: PeerId, announced: readonly string[]): Promise<void> {
    const context = this.#context
    if (context === null) return
    const { log, stopping } = context
    const addresses = announced.filter((address) => !isRelayed(address) && !('fault' in readAddress(address, 'dial')))
    const attempts = addresses
      .slice(0, limits.MAX_UPGRADE_ADDRESSES)
      .map((address) => this.#options.dial(withPeer(address, peer), stopping))
    await Promise.any(attempts).catch(() => log.debug('met through a relay, and not reached directly', { peer }))
  }
}
