/**
 * Rates of requests: of one peer, and of all together. What comes too soon waits, which slows an honest asker down to its rate without an
 * error; who would have to wait longer than MAX_REQUEST_WAIT_MS is refused.
 */
import type { Clock } from '../ports/clock.ts'
import type { PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'
import { Gcra, KeyedGcra } from '../util/gcra.ts'
import { MAX_CONNECTIONS, MAX_REQUEST_WAIT_MS, REQUEST_RATE, TOTAL_REQUEST_RATE } from './limits.ts'

export class Turns {
  readonly #clock: Clock
  readonly #perPeer = new KeyedGcra(REQUEST_RATE, MAX_CONNECTIONS)
  readonly #total = new Gcra(TOTAL_REQUEST_RATE)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the request may be answered; throws `rate_limited` (fault peer). */
  async take(peer: PeerId, signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.now() + MAX_REQUEST_WAIT_MS
    const next = (nowMs: number) => this.#perPeer.take(peer, nowMs) || this.#total.take(nowMs)
    for (let waitMs = next(this.#clock.now()); waitMs > 0; waitMs = next(this.#clock.now())) {
      if (this.#clock.now() + waitMs > untilMs) {
        throw new GrapevineError('rate_limited', 'peer', `Peer ${peer} asks more often than anyone needs to.`, { peer })
      }
      await this.#clock.sleep(waitMs, signal)
    }
  }
}
