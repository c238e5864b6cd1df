/**
 * When rounds come: every `period` updates and never more often than `minPeriodMs`, or, in lock step, when somebody drives them. What a
 * round does is the strategy's business. Learning never waits for it: the learner hands out a copy and later adds a delta, both at an update
 * boundary. While the learner holds, rounds go on, paced by time.
 */
import { nextShift } from '../average/partners.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner } from '../ports/learner.ts'
import { ARRIVING_MS, HOLDING_PERIOD_MS } from './limits.ts'
import type { RoundOptions, RunningStrategy } from './strategies/strategy.ts'

export interface RoundsOptions {
  readonly strategy: RunningStrategy
  readonly clock: Clock
  readonly learner: Learner
  /** Updates between rounds, asked anew for each. */
  readonly period: () => number
  readonly minPeriodMs: number
  /** Of others: their epoch, less our own count when we heard of it. */
  readonly ahead: () => readonly number[]
  /** Is anybody there to average with? */
  readonly inCompany: () => boolean
  /** A round came and nobody was there. */
  readonly onAlone: () => Promise<void>
  readonly onFailure: (error: unknown) => void
}

export class Rounds {
  readonly #options: RoundsOptions
  #shift = 0
  /** When this peer counts as one that was there before; null before its first round. */
  #arrivedAtMs: number | null = null
  /** Own rounds so far. */
  count = 0
  #turn: Promise<unknown> = Promise.resolve()
  /** Rounds that ended in an error. */
  failed = 0

  constructor(options: RoundsOptions) {
    this.#options = options
  }

  /** Of the last own round: their count, moved towards the others' by at most one each round once we have arrived, so that partner rules agree without a clock. */
  get epoch(): number {
    return Math.max(0, this.count + this.#shift)
  }

  /** Rounds at their own pace until `signal` aborts; a failure ends no round but its own. */
  async run(signal: AbortSignal): Promise<void> {
    const { learner, clock, period, minPeriodMs, onFailure } = this.#options
    while (!signal.aborted) {
      const startedAtMs = clock.now()
      const progress = await learner.reach(learner.progress().updates + period(), signal)
      const paceMs = progress.holding ? Math.max(minPeriodMs, HOLDING_PERIOD_MS) : minPeriodMs
      await clock.sleep(Math.max(0, startedAtMs + paceMs - clock.now()), signal)
      try {
        await this.once({})
      } catch (error) {
        if (signal.aborted) return
        onFailure(error)
      }
    }
  }

  /** One round, after those under way; nothing happens while nobody else is there. Rejects when the round fails. */
  once(options: RoundOptions): Promise<void> {
    const round = this.#turn.then(() => this.#round(options))
    this.#turn = round.catch(() => undefined)
    return round
  }

  async #round(options: RoundOptions): Promise<void> {
    const { clock, inCompany, onAlone, ahead, strategy } = this.#options
    if (!inCompany()) return onAlone()
    this.count++
    this.#arrivedAtMs ??= clock.now() + ARRIVING_MS
    this.#shift = nextShift(this.#shift, ahead(), clock.now() < this.#arrivedAtMs)
    try {
      await strategy.round(options)
    } catch (error) {
      this.failed++
      throw error
    }
  }
}
