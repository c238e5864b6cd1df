/**
 * Metrics of a run in files, for other tools: TensorBoard's event files and CSV, a line every two seconds (at each `stats` event).
 * A file begins anew with every start. What cannot be written is told of once, and training goes on.
 */
import { messageOf } from '../util/errors.ts'
import type { PeerEvent } from './events.ts'
import { MixMeans } from './http/history.ts'
import { fileHeader, scalars } from './tensorboard.ts'

export const METRIC_FILES = ['tensorboard', 'csv'] as const
export type MetricFile = (typeof METRIC_FILES)[number]

export interface MetricFilesOptions {
  readonly kinds: readonly MetricFile[]
  /** Appends to a file of the data folder. */
  readonly append: (name: string, bytes: Uint8Array) => Promise<void>
  readonly unixSeconds: () => number
  /** Named training statistics of the last update. */
  readonly statistics: () => Readonly<Record<string, number>>
  readonly failed: (message: string) => void
}

/** What each line tells beside the training statistics, under names that sort beside them in TensorBoard. */
export const COLUMNS = {
  'time/steps': 'Environment steps of this peer; the step of every scalar.',
  'time/updates': 'Optimiser steps of this peer.',
  'time/episodes': 'Training episodes of this peer that ended.',
  'time/steps_per_second': 'Environment steps of this peer in one second, over the last two seconds.',
  'rollout/return_mean': 'Mean raw return of the last 100 training episodes of this peer.',
  'swarm/peers': 'Other peers alive.',
  'swarm/consensus_distance': 'Distance of the replicas from their mean over the size of the mean, estimated.',
  'swarm/staleness_updates': 'Mean over what was mixed since the line before: updates of its author since.',
  'swarm/staleness_ms': 'Mean over what was mixed since the line before: its age in milliseconds.',
  'network/bytes_in': 'Bytes received so far.',
  'network/bytes_out': 'Bytes sent so far.',
} as const

type Line = Readonly<Record<keyof typeof COLUMNS, number | null>>

/** Follows events; give it each one. */
export class MetricFiles {
  readonly #options: MetricFilesOptions
  readonly #mixes = new MixMeans()
  readonly #startedAt: number
  /** Columns of the CSV file; null before the first line. */
  #header: readonly string[] | null = null
  #begun = false
  #broken = false

  constructor(options: MetricFilesOptions) {
    this.#options = options
    this.#startedAt = options.unixSeconds()
  }

  take(event: PeerEvent): void {
    if (event.event === 'mix') this.#mixes.add(event)
    if (event.event !== 'stats') return
    const { staleness, stalenessMs } = this.#mixes.take()
    const line: Line = {
      'time/steps': event.steps,
      'time/updates': event.updates,
      'time/episodes': event.episodes,
      'time/steps_per_second': event.stepsPerSecond,
      'rollout/return_mean': event.returnMean,
      'swarm/peers': event.peers,
      'swarm/consensus_distance': event.consensusDistance,
      'swarm/staleness_updates': staleness,
      'swarm/staleness_ms': stalenessMs,
      'network/bytes_in': event.bytesIn,
      'network/bytes_out': event.bytesOut,
    }
    const statistics = this.#options.statistics()
    if (this.#options.kinds.includes('tensorboard')) this.#writeScalars(line, statistics)
    // The statistics' names are known from the first update on.
    if (this.#options.kinds.includes('csv') && event.updates > 0) this.#writeRow(line, statistics)
  }

  #writeScalars(line: Line, statistics: Readonly<Record<string, number>>): void {
    const nowSeconds = this.#options.unixSeconds()
    const name = `metrics/events.out.tfevents.${this.#startedAt}.grapevine`
    if (!this.#begun) this.#append(name, fileHeader(nowSeconds))
    this.#begun = true
    const known = Object.entries(line).filter((entry): entry is [string, number] => entry[1] !== null)
    this.#append(name, scalars(nowSeconds, line['time/steps'] ?? 0, { ...Object.fromEntries(known), ...statistics }))
  }

  /** Statistics that appear later than the first are left out: a table has the columns that it began with. */
  #writeRow(line: Line, statistics: Readonly<Record<string, number>>): void {
    const name = `metrics/metrics-${this.#startedAt}.csv`
    const values: Readonly<Record<string, number | null>> = { unix_seconds: this.#options.unixSeconds(), ...line, ...statistics }
    if (this.#header === null) {
      this.#header = Object.keys(values)
      this.#append(name, new TextEncoder().encode(`${this.#header.join(',')}\n`))
    }
    const row = this.#header.map((column) => values[column] ?? '')
    this.#append(name, new TextEncoder().encode(`${row.join(',')}\n`))
  }

  #append(name: string, bytes: Uint8Array): void {
    this.#options.append(name, bytes).catch((error: unknown) => {
      if (this.#broken) return
      this.#broken = true
      this.#options.failed(`Metrics cannot be written (${messageOf(error)}); training goes on without.`)
    })
  }
}
