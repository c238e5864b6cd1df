/**
 * What a worker thread of A3C tells its learner: counters and statistics of its own, and its finished episodes through a ring. One writer, one
 * reader. A full ring holds the worker back until the learner has read.
 *
 * Doubles: the counters in the order of COUNTERS, then for each place of the ring a return and a length. Words: episodes written, and read.
 */

import { EPISODES_AHEAD } from '../limits.ts'
import type { EpisodeRecord } from '../rollout.ts'
import { waitWhile } from './waiting.ts'

/** Environment steps, updates, and bad updates of the thread; which terms the last bad one had; the statistics of its last update. */
const COUNTERS = [
  'steps',
  'updates',
  'bad',
  'badTerms',
  'policyLoss',
  'valueLoss',
  'entropy',
  'gradientNorm',
  'explainedVariance',
  'policyLag',
  'policyLagMax',
] as const
const DOUBLES = COUNTERS.length + 2 * EPISODES_AHEAD
const WRITTEN = 0
const READ = 1

type Counter = (typeof COUNTERS)[number]

export function reportBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(DOUBLES * Float64Array.BYTES_PER_ELEMENT + 2 * Int32Array.BYTES_PER_ELEMENT)
}

export class WorkerReport {
  readonly #doubles: Float64Array
  readonly #words: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.#doubles = new Float64Array(buffer, 0, DOUBLES)
    this.#words = new Int32Array(buffer, DOUBLES * Float64Array.BYTES_PER_ELEMENT, 2)
  }

  /** One writer, so that a reader is off by the last change at most. */
  get(counter: Counter): number {
    return this.#doubles[COUNTERS.indexOf(counter)]!
  }

  set(counter: Counter, value: number): void {
    this.#doubles[COUNTERS.indexOf(counter)] = value
  }

  add(counter: Counter, value: number): void {
    this.#doubles[COUNTERS.indexOf(counter)]! += value
  }

  /** The worker's: false where the ring is full, after a wait. */
  push(episodeReturn: number, length: number): boolean {
    const written = Atomics.load(this.#words, WRITTEN)
    const read = Atomics.load(this.#words, READ)
    if (((written - read) | 0) >= EPISODES_AHEAD) {
      waitWhile(this.#words, READ, read)
      return false
    }
    const at = COUNTERS.length + 2 * place(written)
    this.#doubles[at] = episodeReturn
    this.#doubles[at + 1] = length
    Atomics.store(this.#words, WRITTEN, (written + 1) | 0)
    return true
  }

  /** The learner's: hands over all finished episodes. */
  drain(take: (episodeReturn: number, length: number) => void): void {
    let read = Atomics.load(this.#words, READ)
    const written = Atomics.load(this.#words, WRITTEN)
    for (; read !== written; read = (read + 1) | 0) {
      const at = COUNTERS.length + 2 * place(read)
      take(this.#doubles[at]!, this.#doubles[at + 1]!)
    }
    Atomics.store(this.#words, READ, read)
    Atomics.notify(this.#words, READ)
  }
}

/** Counts the episodes of one worker and reports them as they finish. */
export class ReportedEpisodes implements EpisodeRecord {
  readonly #report: WorkerReport
  readonly #stopped: () => boolean
  readonly #returns: Float64Array
  readonly #lengths: Float64Array

  constructor(environments: number, report: WorkerReport, stopped: () => boolean) {
    this.#report = report
    this.#stopped = stopped
    this.#returns = new Float64Array(environments)
    this.#lengths = new Float64Array(environments)
  }

  record(rewards: Float32Array, terminated: Uint8Array, truncated: Uint8Array): void {
    this.#report.add('steps', rewards.length)
    for (let row = 0; row < rewards.length; row++) {
      this.#returns[row]! += rewards[row]!
      this.#lengths[row]! += 1
      if (terminated[row] !== 1 && truncated[row] !== 1) continue
      while (!this.#report.push(this.#returns[row]!, this.#lengths[row]!)) if (this.#stopped()) return
      this.#returns[row] = 0
      this.#lengths[row] = 0
    }
  }
}

/** Counters wrap at 32 bits; EPISODES_AHEAD divides 2^32. */
function place(count: number): number {
  return (count >>> 0) % EPISODES_AHEAD
}
