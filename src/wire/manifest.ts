/**
 * The manifest: what every peer of a run must agree on. Deterministic CBOR, at most 64 KiB and 8 levels deep; its SHA-256 is the run id.
 * It carries ids and digests, never paths or code.
 */
import type { HyperValue, NetworkSpec } from '../ports/learner.ts'

export interface Manifest {
  /** [major, minor]; equal majors join. */
  readonly protocol: readonly [number, number]
  readonly name: string
  readonly environment: { readonly id: string; readonly version: string; readonly options: Readonly<Record<string, unknown>> }
  readonly wrappers: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly algorithm: { readonly id: string; readonly hyperparameters: Readonly<Record<string, HyperValue>>; readonly horizonSteps: number }
  readonly network: NetworkSpec
  readonly averaging: {
    readonly strategy: string
    /** Updates between rounds. */
    readonly period: number
    readonly codec: string
    readonly partner: string
    readonly robust: string
  }
  readonly seed: number
  /** SHA-256 (hex) of the initial parameters in canonical order, little-endian float32. */
  readonly initialDigest: string
  /** 16 random bytes, hex: two runs with the same settings differ. */
  readonly nonce: string
}
