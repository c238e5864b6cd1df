/**
 * How far this swarm's replicas are apart, as one peer sees it just before its mixes, and what it makes of that: the period of its rounds with
 * `--period auto`, and a warning where learning is known to suffer.
 *
 * Two replicas drawn from a swarm of N are apart by root (2 N / (N - 1)) of the consensus distance. Beacons' sketches estimate it as well, but
 * they are seconds old, and replicas that go on learning travel meanwhile; what is about to be mixed is fresh. The median over authors keeps a
 * few liars from moving the estimate.
 */
import { CONSENSUS_MEMORY_MIXES, type ConsensusLevels } from '../average/limits.ts'
import { nextPeriod, type PeriodBounds } from '../average/period.ts'
import { median } from '../average/sketch.ts'

export interface ConsensusOptions {
  readonly levels: ConsensusLevels
  /** Updates between rounds at first, and always where there is no target. */
  readonly period: number
  /** Relative consensus distance to keep; null: the period stays. */
  readonly target: number | null
  readonly bounds: PeriodBounds
  /** Told once each time the dangerous level is crossed. */
  readonly onDanger: (relative: number) => void
}

export class Consensus {
  readonly #options: ConsensusOptions
  #squared: number | null = null
  #mixes = 0
  #period: number
  #inDanger = false

  constructor(options: ConsensusOptions) {
    this.#options = options
    this.#period = options.period
  }

  /** Whole updates between rounds. */
  get period(): number {
    return Math.round(this.#period)
  }

  /** Relative consensus distance, smoothed over CONSENSUS_MEMORY_MIXES mixes; null before the first. */
  get relative(): number | null {
    return this.#squared === null ? null : Math.sqrt(this.#squared)
  }

  /** Whether replicas are no farther apart than learning bears, as far as is known. */
  get together(): boolean {
    return !this.#inDanger
  }

  /** One mix: each author's distance from us over the norm of our own parameters, of a swarm of `peers`, ourselves included. */
  mixed(distances: readonly number[], peers: number): void {
    const seen = distances.filter(Number.isFinite)
    if (seen.length === 0 || peers < 2) return
    const squared = (median(seen.map((distance) => distance * distance)) * (peers - 1)) / (2 * peers)
    this.#mixes++
    // At first the mean of what there is.
    this.#squared =
      this.#squared === null ? squared : this.#squared + (squared - this.#squared) / Math.min(this.#mixes, CONSENSUS_MEMORY_MIXES)
    this.#control()
    this.#watch()
  }

  #control(): void {
    const { target, bounds } = this.#options
    // A new period shows only in the mixes that follow it.
    if (target === null || this.#mixes % CONSENSUS_MEMORY_MIXES !== 0) return
    this.#period = nextPeriod(this.#period, this.relative!, target, bounds)
  }

  #watch(): void {
    const { levels, onDanger } = this.#options
    const relative = this.relative!
    if (relative > levels.danger && !this.#inDanger) {
      this.#inDanger = true
      onDanger(relative)
    } else if (relative < DANGER_OVER * levels.danger) this.#inDanger = false
  }
}

/** Share of the dangerous level below which the danger is over: noise around the level does not warn again and again. */
const DANGER_OVER = 0.8
