/**
 * Holds a learner to at most so many environment steps a second, for a machine that has other things to do, or a fair comparison. It is asked before
 * each update how long to wait; an update may overshoot, and the next one waits for it. What a learner missed while it held, or was slow, it makes
 * up for at most MAX_CATCH_UP_MS. Knows no clock: times are the caller's, in milliseconds.
 */
import { MAX_CATCH_UP_MS } from './limits.ts'

export class StepPace {
  readonly #stepsPerMs: number
  #from: { readonly atMs: number; readonly steps: number } | null = null

  /** `maxStepsPerSecond` null: as fast as it can. */
  constructor(maxStepsPerSecond: number | null) {
    this.#stepsPerMs = (maxStepsPerSecond ?? Number.POSITIVE_INFINITY) / 1_000
  }

  /** Milliseconds to wait before the next update, at `nowMs` and with `steps` made so far. */
  waitMs(nowMs: number, steps: number): number {
    const from = this.#from ?? { atMs: nowMs, steps }
    const earlyMs = from.atMs + (steps - from.steps) / this.#stepsPerMs - nowMs
    this.#from = earlyMs < -MAX_CATCH_UP_MS ? { atMs: nowMs, steps } : from
    return Math.max(0, earlyMs)
  }
}
