/**
 * Local settings of one daemon, resolved and frozen. What the swarm must agree on is in the manifest (`founding` proposes one).
 */
import type { HyperValue } from '../ports/learner.ts'

/** What `start` chooses for a new run; everything else comes from the preset of the algorithm and environment. */
export interface Founding {
  readonly environment: string
  readonly environmentOptions: Readonly<Record<string, unknown>>
  readonly algorithm: string
  readonly hyperparameters: Readonly<Record<string, HyperValue>>
  readonly horizonSteps: number
  readonly strategy: string
  readonly codec: string
  readonly period: number
  readonly seed: number
  readonly name: string
}

export type Until =
  | { readonly kind: 'forever' }
  | { readonly kind: 'solved' }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'minutes'; readonly minutes: number }

export interface PeerSettings {
  /** A new run to found, or addresses of a run to join. */
  readonly run: { readonly found: Founding } | { readonly join: readonly string[] }
  /** null: the first free default folder. */
  readonly dataDir: string | null
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly mdns: boolean
  readonly engine: 'wasm' | 'tfjs'
  readonly deterministic: boolean
  readonly threads: number
  readonly until: Until
  /** Overrides the environment's threshold. */
  readonly threshold: number | null
  readonly minPeriodMs: number
  readonly maxMemoryBytes: number
  /** Hidden, for tests: training holds until this many peers are alive. */
  readonly waitForPeers: number
}
