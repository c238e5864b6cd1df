/** A trained policy as plain values: all that acting needs, and where it came from. JSON but for the arrays. */
import type { NetworkSpec } from './learner.ts'

/** What happens to an observation before the network sees it, in this order. */
export type ObservationStage =
  /** Minus `mean`, over the root of `variance` + `epsilon`, clipped to +-`clip`. */
  | {
      readonly kind: 'normalise'
      readonly clip: number
      readonly epsilon: number
      readonly mean: readonly number[]
      readonly variance: readonly number[]
    }
  /** The last `frames` observations of an episode at once, oldest first along the last axis, which has `depth` values per observation. */
  | { readonly kind: 'stack'; readonly frames: number; readonly depth: number }

/** What happens to a continuous action before the environment gets it, in this order. A bound of null is none. */
export type ActionStage =
  | { readonly kind: 'clip'; readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] }
  /** From `from` to the bounds, in a straight line. */
  | {
      readonly kind: 'rescale'
      readonly from: readonly [number, number]
      readonly low: readonly number[]
      readonly high: readonly number[]
    }

export interface PolicyFacts {
  readonly environment: { readonly id: string; readonly version: string; readonly options: Readonly<Record<string, unknown>> }
  readonly wrappers: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly algorithm: string
  readonly network: NetworkSpec
  /** Of one observation as the environment gives it. */
  readonly observationShape: readonly number[]
  readonly observe: readonly ObservationStage[]
  /** How many discrete actions there are, or how many values a continuous one has and what happens to it. */
  readonly action:
    | { readonly kind: 'discrete'; readonly n: number }
    | { readonly kind: 'box'; readonly size: number; readonly stages: readonly ActionStage[] }
  readonly run: string
  /** Updates behind the parameters. */
  readonly version: number
  /** Environment steps of the peer that saved them. */
  readonly steps: number
  /** Mean return of an evaluation; null: not evaluated. */
  readonly returnMean: number | null
}

export interface PolicyFile {
  readonly facts: PolicyFacts
  /** Canonical [parameterCount]. */
  readonly parameters: Float32Array
}
