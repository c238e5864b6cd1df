/**
 * The clock of one simulated peer: the swarm's virtual time with the peer's own wall clock, which may be wrong, and its own standstills.
 * While it is held (a stopped process, a sleeping machine) time goes on but nothing happens; what fell due meanwhile happens on release, in order.
 */
import type { Clock } from '../ports/clock.ts'
import { sleepOn } from '../util/abort.ts'

export class NodeClock implements Clock {
  readonly sleep = sleepOn((ms, run) => this.after(ms, run))
  readonly #clock: Clock
  /** Seconds by which the wall clock is ahead. */
  skewSeconds = 0
  #held = false
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  unixSeconds(): number {
    return this.#clock.unixSeconds() + this.skewSeconds
  }

  after(ms: number, run: () => void): () => void {
    let cancelled = false
    const cancel = this.#clock.after(ms, () => this.admit(() => !cancelled && run()))
    return () => {
      cancelled = true
      cancel()
    }
  }

  /** Runs `act` now, or on release. */
  admit(act: () => void): void {
    if (this.#held) this.#waiting.push(act)
    else act()
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    const waiting = this.#waiting
    this.#waiting = []
    // One timer each, so that promises go on in between as they would have.
    for (const act of waiting) this.#clock.after(0, () => this.admit(act))
  }
}
