/**
 * Environment steps and finished training episodes of one peer: raw returns and lengths of the last 100, and when they first solved the task.
 * One record per vector step; nothing is allocated.
 */
import { EPISODE_WINDOW } from './limits.ts'
import { requireLength } from './shapes.ts'
import type { StateFields } from './state.ts'

export class Episodes {
  /** Environment steps recorded. */
  steps = 0
  /** Episodes finished. */
  finished = 0
  /** When the mean of a full window first reached the threshold; null before. */
  solved: { readonly steps: number; readonly returnMean: number } | null = null
  readonly #threshold: number | null
  readonly #counted: Uint8Array | null
  readonly #running: Float64Array
  readonly #lengths: Int32Array
  readonly #lastReturns = new Float64Array(EPISODE_WINDOW)
  readonly #lastLengths = new Float64Array(EPISODE_WINDOW)

  /** Episodes behind the means so far. */
  #recorded = 0

  /** `environments` rows; `threshold` null: never solved; `counted` [rows]: 1 where returns and lengths enter the means (null: everywhere). */
  constructor(environments: number, threshold: number | null, counted: Uint8Array | null = null) {
    this.#threshold = threshold
    this.#counted = counted
    this.#running = new Float64Array(environments)
    this.#lengths = new Int32Array(environments)
  }

  /** Mean raw return over the last 100 finished episodes, fewer at the start; null before the first and when it is not finite. */
  get returnMean(): number | null {
    return this.#mean(this.#lastReturns)
  }

  /** Mean length in steps over the same episodes. */
  get lengthMean(): number | null {
    return this.#mean(this.#lastLengths)
  }

  /** One step of every environment: rewards, terminated and truncated, each one per row. */
  record(rewards: Float32Array, terminated: Uint8Array, truncated: Uint8Array): void {
    const rows = this.#running.length
    requireLength('rewards', rewards, rows)
    requireLength('terminated', terminated, rows)
    requireLength('truncated', truncated, rows)
    this.recordFrom(0, rewards, terminated, truncated)
  }

  /** One step of the environments from row `first` on, as many as there are rewards. */
  recordFrom(first: number, rewards: Float32Array, terminated: Uint8Array, truncated: Uint8Array): void {
    this.steps += rewards.length
    for (let i = 0; i < rewards.length; i++) {
      const row = first + i
      this.#running[row]! += rewards[i]!
      this.#lengths[row]! += 1
      if (terminated[i] === 1 || truncated[i] === 1) this.#finish(row)
    }
  }

  /** Forgets the episodes that run in the `count` rows from `first` on: their environments began anew. */
  forget(first: number, count: number): void {
    this.#running.fill(0, first, first + count)
    this.#lengths.fill(0, first, first + count)
  }

  /** Counters and means; episodes that run go on with `runningState`. */
  state(fields: StateFields): void {
    fields.array('returns', this.#lastReturns)
    fields.array('lengths', this.#lastLengths)
    fields.numbers(
      'counters',
      () => [this.steps, this.finished, this.#recorded, this.solved?.steps ?? -1, this.solved?.returnMean ?? 0],
      ([steps, finished, recorded, solvedSteps, returnMean]) => {
        this.steps = steps!
        this.finished = finished!
        this.#recorded = recorded!
        this.solved = solvedSteps === -1 ? null : { steps: solvedSteps!, returnMean: returnMean! }
      },
    )
  }

  /** Returns and lengths of the episodes that run. */
  runningState(fields: StateFields): void {
    fields.array('running', this.#running)
    fields.array('elapsed', this.#lengths)
  }

  #finish(row: number): void {
    const episodeReturn = this.#running[row]!
    const length = this.#lengths[row]!
    this.#running[row] = 0
    this.#lengths[row] = 0
    if (this.#counted !== null && this.#counted[row] !== 1) this.finished++
    else this.recordFinished(episodeReturn, length)
  }

  /** An episode that was counted elsewhere. */
  recordFinished(episodeReturn: number, length: number): void {
    this.finished++
    const slot = this.#recorded++ % EPISODE_WINDOW
    this.#lastReturns[slot] = episodeReturn
    this.#lastLengths[slot] = length
    if (this.solved !== null || this.#threshold === null || this.#recorded < EPISODE_WINDOW) return
    const { returnMean } = this
    if (returnMean !== null && returnMean >= this.#threshold) this.solved = { steps: this.steps, returnMean }
  }

  #mean(values: Float64Array): number | null {
    const count = Math.min(this.#recorded, EPISODE_WINDOW)
    if (count === 0) return null
    let sum = 0
    for (let i = 0; i < count; i++) sum += values[i]!
    return Number.isFinite(sum) ? sum / count : null
  }
}
