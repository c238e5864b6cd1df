/**
 * Peers of the run that are reached through a relay only. Gossip does not run there, so every other own beacon is handed to them directly; a
 * relayed connection has room for that. Nothing larger goes there: who has no other way to anybody of the run learns alone meanwhile, which
 * is told once it has lasted RELAYED_ONLY_AFTER_MS, and every time it begins anew.
 */
import { RELAYED_ONLY } from '../observe/status-text.ts'
import type { Clock } from '../ports/clock.ts'
import type { Network, PeerId } from '../ports/network.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic, relayedBeaconProtocol } from '../wire/protocol.ts'
import type { Authors } from './authors.ts'
import { RELAYED_ONLY_AFTER_MS, REQUEST_TIMEOUT_MS } from './limits.ts'
import type { Run } from './run.ts'

export interface RelayedOptions {
  readonly network: Network
  readonly clock: Clock
  readonly run: Run
  readonly authors: Authors
  /** A beacon that came directly from its author. */
  readonly receive: (author: PeerId, bytes: Uint8Array) => void
  readonly warn: (code: string, message: string) => void
}

const NOTHING = new Uint8Array(0)

export class Relayed {
  readonly #options: RelayedOptions
  readonly #protocol: string
  #beacons = 0
  #aloneSinceMs: number | null = null
  #told = false

  constructor(options: RelayedOptions) {
    this.#options = options
    this.#protocol = relayedBeaconProtocol(options.run.id)
  }

  serve(): void {
    const receive = async (author: PeerId, bytes: Uint8Array) => {
      this.#options.receive(author, bytes)
      return NOTHING
    }
    this.#options.network.serve(this.#protocol, MAX_BEACON_BYTES, receive, { overRelay: true })
  }

  /** An own beacon went out through gossip. */
  published(beacon: Uint8Array, signal: AbortSignal): void {
    const { network } = this.#options
    this.#watch()
    if (this.#beacons++ % 2 > 0) return
    for (const id of relayedPeers(network)) {
      const options = { maxResponseBytes: 0, timeoutMs: REQUEST_TIMEOUT_MS, signal, overRelay: true }
      // Of another run, or gone; the next beacon tries again.
      network.request(id, this.#protocol, beacon, options).catch(() => undefined)
    }
  }

  /** Is there somebody of the run, and only through relays? */
  get isAlone(): boolean {
    const { network, run, authors } = this.#options
    if (network.subscribers(beaconTopic(run.id)).length > 0) return false
    return [...relayedPeers(network)].some((id) => authors.get(id)?.state === 'alive')
  }

  #watch(): void {
    const { clock, warn } = this.#options
    if (!this.isAlone) {
      this.#aloneSinceMs = null
      this.#told = false
      return
    }
    this.#aloneSinceMs ??= clock.now()
    if (this.#told || clock.now() - this.#aloneSinceMs < RELAYED_ONLY_AFTER_MS) return
    this.#told = true
    warn('relayed_only', `This peer is ${RELAYED_ONLY}. To help: forward a port to it and name it with --announce, or try --upnp.`)
  }
}

/** Whom this peer reaches through a relay only. */
export function relayedPeers(network: Network): Set<PeerId> {
  return new Set(network.peers().flatMap(({ id, relayed }) => (relayed === true ? [id] : [])))
}
