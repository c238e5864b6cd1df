/** What a report tells of a run: plain values, gathered from whatever there is. */
import type { RunRecord } from './run-record.ts'

export interface ReportedCheckpoint {
  readonly name: string
  readonly best: boolean
  /** Why it cannot be used; null: it is whole. The rest is null then. */
  readonly problem: string | null
  readonly facts: {
    readonly savedAtUnixSeconds: number
    readonly incarnation: number
    readonly version: number
    readonly steps: number
    readonly returnMean: number | null
    readonly evaluation: { readonly mean: number; readonly episodes: number } | null
  } | null
  readonly bytes: number
}

/** What is known from a replica alone, where there is no record. */
export interface ReplicaFacts {
  readonly run: string
  readonly peer: string | null
  readonly steps: number
  readonly updates: number | null
  readonly version: number
  readonly returnMean: number | null
}

export interface RunReport {
  /** Such as "CartPole-v1 with a2c". */
  readonly title: string
  /** Of the run, as its founder called it; null where that is not known. */
  readonly name: string | null
  /** A daemon has the data folder open. */
  readonly running: boolean
  readonly replica: ReplicaFacts
  readonly record: RunRecord | null
  readonly checkpoints: readonly ReportedCheckpoint[]
  readonly manifest: unknown
  readonly settings: unknown
  /** What the page lacks and why, in sentences. */
  readonly missing: readonly string[]
  /** Statistics by name: what each means. */
  readonly meanings: Readonly<Record<string, string>>
  /** Of the program, and when the page was made. */
  readonly version: string
  readonly unixSeconds: number
}
