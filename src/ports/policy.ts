/** A trained policy as plain values: all that acting needs, and where it came from. JSON but for the arrays. */
import type { Activation, NetworkSpec } from './learner.ts'

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

/** What a described layer may end with. */
export type GraphActivation = Activation | 'elu' | 'relu6' | 'sigmoid' | 'softplus'

/** Of pictures [height, width, channels]: heights before widths. `same`: as many places as strides fit, with zeros around, fewer of them before than after. */
interface Window {
  readonly strides: readonly [number, number]
  readonly padding: 'valid' | 'same'
}

/**
 * One layer of a network on one row: `inputs` are the values that it reads, and it makes the next one. Weights are those of the network, by name (or,
 * once resolved, as `Weight`); null: it has none.
 */
export type GraphLayer<Weight = string> = { readonly name: string; readonly inputs: readonly number[] } & (
  | {
      /** Of the last axis; kernel [inputs, units], bias [units]. */
      readonly kind: 'dense'
      readonly kernel: Weight
      readonly bias: Weight | null
      readonly activation: GraphActivation
    }
  /** kernel [height, width, channels, filters], bias [filters]. */
  | ({ readonly kind: 'conv'; readonly kernel: Weight; readonly bias: Weight | null; readonly activation: GraphActivation } & Window)
  /** What padding adds counts for nothing. */
  | ({ readonly kind: 'pool'; readonly of: 'max' | 'average'; readonly size: readonly [number, number] } & Window)
  /** Over the last axis. */
  | { readonly kind: 'layerNorm'; readonly gain: Weight | null; readonly bias: Weight | null; readonly epsilon: number }
  | { readonly kind: 'activation'; readonly activation: GraphActivation }
  | { readonly kind: 'reshape'; readonly shape: readonly number[] }
  /** `axis` of one row. */
  | { readonly kind: 'concatenate'; readonly axis: number }
  | { readonly kind: 'add' }
)

/** A network as its layers, in an order in which each reads only values made before: value 0 is the observation, layer i makes value i + 1. */
export interface NetworkGraph {
  readonly layers: readonly GraphLayer[]
  readonly outputs: readonly { readonly name: string; readonly value: number }[]
}

/** What a policy was trained for and how it acts: what its file says beside the parameters. */
export interface PolicyFacts {
  readonly environment: { readonly id: string; readonly version: string; readonly options: Readonly<Record<string, unknown>> }
  readonly wrappers: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly algorithm: string
  readonly network: NetworkSpec
  /** The layers of a model of one's own, where they are of the kinds described here; absent, too, of other networks, whose spec says it all. */
  readonly graph?: NetworkGraph
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
