/** How learning goes, told every STATS_PERIOD_MS as the event `stats`. */
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner } from '../ports/learner.ts'
import type { Network } from '../ports/network.ts'
import { STATS_PERIOD_MS } from './limits.ts'

interface StatsOptions {
  readonly learner: Learner
  readonly clock: Clock
  readonly network: Network
  /** Others that learn and average. */
  readonly peers: () => number
  readonly consensusDistance: () => number | null
  readonly emit: (event: PeerEvent) => void
}

export class Stats {
  readonly #options: StatsOptions
  #last: { atMs: number; steps: number } | null = null
  /** Between the last two events; null before. */
  stepsPerSecond: number | null = null

  constructor(options: StatsOptions) {
    this.#options = options
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      await clock.sleep(STATS_PERIOD_MS, signal).catch(() => undefined)
      if (!signal.aborted) this.#tell()
    }
  }

  #tell(): void {
    const { learner, clock, network, peers, consensusDistance, emit } = this.#options
    const progress = learner.progress()
    const atMs = clock.now()
    const last = this.#last
    if (last !== null && atMs > last.atMs) this.stepsPerSecond = Math.round(((progress.steps - last.steps) / (atMs - last.atMs)) * 1_000)
    this.#last = { atMs, steps: progress.steps }
    emit({
      event: 'stats',
      steps: progress.steps,
      updates: progress.updates,
      stepsPerSecond: this.stepsPerSecond,
      returnMean: progress.returnMean,
      episodes: progress.episodes,
      peers: peers(),
      consensusDistance: consensusDistance(),
      ...network.counters(),
    })
  }
}
