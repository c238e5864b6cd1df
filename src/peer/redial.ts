/**
 * Staying connected: dials the known addresses with jittered back-off whenever fewer peers are connected than wanted, for ever.
 * Who is connected through a relay only is tried directly all the same. A peer that lost everybody goes on learning meanwhile; nothing waits for this loop.
 */
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Network } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { follow } from '../util/abort.ts'
import { messageOf } from '../util/errors.ts'
import { isRelayed, peerOf } from '../wire/address.ts'
import { DIAL_TIMEOUT_MS, REDIAL_FIRST_MS, REDIAL_LAST_MS, RELAYED_TURN_MS, TARGET_CONNECTIONS } from './limits.ts'
import { relayedPeers } from './relayed.ts'

export interface RedialOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Addresses worth a try, best first. */
  readonly addresses: () => readonly string[]
}

interface Attempt {
  /** Pause before the next try, without jitter; doubles with every failure. */
  readonly delayMs: number
  readonly notBeforeMs: number
}

export class Redialler {
  readonly #options: RedialOptions
  readonly #attempts = new Map<string, Attempt>()

  constructor(options: RedialOptions) {
    this.#options = options
  }

  /** Looks once a second; returns when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options
    while (!signal.aborted) {
      await clock.sleep(REDIAL_FIRST_MS * (0.75 + 0.5 * random.uniform()), signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#once(signal)
    }
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { network, clock } = this.#options
    const known = this.#options.addresses()
    for (const address of this.#attempts.keys()) if (!known.includes(address)) this.#attempts.delete(address)
    const connected = new Set(network.peers().map((peer) => peer.id))
    const relayed = relayedPeers(network)
    for (const address of known) {
      if (signal.aborted || connected.size >= TARGET_CONNECTIONS) return
      const id = peerOf(address)
      if (id === network.id) continue
      // Who is met through a relay may still be reached directly one day.
      if (id !== null && connected.has(id) && (isRelayed(address) || !relayed.has(id))) continue
      // Two that know each other's places would both dial through the relay, and be in each other's way when they punch: one of them waits.
      if (isRelayed(address) && id !== null && id < network.id && !this.#attempts.has(address))
        this.#attempts.set(address, { delayMs: REDIAL_FIRST_MS, notBeforeMs: clock.now() + RELAYED_TURN_MS })
      const attempt = this.#attempts.get(address)
      if (attempt !== undefined && clock.now() < attempt.notBeforeMs) continue
      const found = await this.#dial(address, signal)
      if (found === null) continue
      connected.add(found)
      if (!isRelayed(address)) relayed.delete(found)
    }
  }

  async #dial(address: string, signal: AbortSignal): Promise<string | null> {
    const { network, clock, random, log } = this.#options
    const deadline = new AbortController()
    const unlink = follow(signal, deadline)
    const cancel = clock.after(DIAL_TIMEOUT_MS, () => deadline.abort())
    try {
      const id = await network.dial(address, deadline.signal)
      this.#attempts.delete(address)
      return id
    } catch (error) {
      const before = this.#attempts.get(address)
      const delayMs = before === undefined ? REDIAL_FIRST_MS : Math.min(REDIAL_LAST_MS, 2 * before.delayMs)
      this.#attempts.set(address, { delayMs, notBeforeMs: clock.now() + delayMs * (0.5 + random.uniform()) })
      log.debug('a known address does not answer', { address, reason: messageOf(error) })
      return null
    } finally {
      cancel()
      unlink()
    }
  }
}
