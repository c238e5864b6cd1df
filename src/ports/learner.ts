/**
 * The learner as the peer sees it: one asynchronous interface whose values are all structured-cloneable, so that it may live in a thread
 * (daemon) or inline on virtual time (simulator). All parameter vectors that pass here are canonical: slices in the order of
 * `LearnerDescription.slices`, row-major, no padding.
 */
export type Activation = 'tanh' | 'relu' | 'silu' | 'linear'

/** Dense kernels are [inputs, units]; convolution kernels [height, width, inputs, filters], valid padding, NHWC; a convolution's output is flattened row-major where a dense layer follows. */
export type LayerSpec =
  | { readonly kind: 'dense'; readonly units: number; readonly activation: Activation }
  | { readonly kind: 'conv'; readonly filters: number; readonly kernel: number; readonly stride: number; readonly activation: Activation }
  | { readonly kind: 'layerNorm' }

/** A linear output of `size` units on top of its own hidden `layers`, which start from the torso's output. */
export interface HeadSpec {
  readonly name: string
  readonly layers: readonly LayerSpec[]
  readonly size: number
  /** Gain of the orthogonal initialisation of the output layer (0.01 for a policy, 1 for a value). */
  readonly gain: number
}

/** A free parameter vector (the log standard deviation of a Gaussian policy). */
export interface VectorSpec {
  readonly name: string
  readonly size: number
  readonly initial: number
}

/** A model of the user's own in the place of layers: which module builds it, and the weights that it has, in canonical order. */
export interface OwnModelSpec {
  /** The file's name without its extension, for people. */
  readonly id: string
  /** SHA-256 of the module's file, hex. */
  readonly digest: string
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

export interface NetworkSpec {
  /** Shape of one observation: [n] or [height, width, channels]. */
  readonly input: readonly number[]
  readonly torso: readonly LayerSpec[]
  readonly heads: readonly HeadSpec[]
  readonly vectors: readonly VectorSpec[]
  /** Then `torso` and the heads' `layers` are empty, heads are outputs of the model, and `vectors` are trained beside it. */
  readonly own?: OwnModelSpec | undefined
}

/** One named tensor of the canonical arena; offset and length in floats. */
export interface Slice {
  readonly name: string
  readonly shape: readonly number[]
  readonly offset: number
  readonly length: number
}

export type HyperValue = number | string | boolean | null

/** A module file of the user's own, with an environment or a model; `version` is a digest of the file. Its path is local: never in a manifest. */
export interface OwnModule {
  /** Absolute path. */
  readonly file: string
  readonly version: string
}

export interface LearnerSettings {
  /** Modules that the learner's thread registers before it builds anything. */
  readonly modules: readonly OwnModule[]
  readonly environment: { readonly id: string; readonly options: Readonly<Record<string, unknown>> }
  /** Names of wrappers with their options, innermost first. */
  readonly wrappers: readonly { readonly id: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly algorithm: { readonly id: string; readonly hyperparameters: Readonly<Record<string, HyperValue>>; readonly horizonSteps: number }
  readonly network: NetworkSpec
  /** The module that builds `network.own`; null or absent: none was given here. */
  readonly networkModule?: OwnModule | null
  /** Seed of the initial weights: equal for all peers of a run. */
  readonly weightsSeed: number
  /** Seed of this peer's environments and action sampling: different for each peer. */
  readonly actorSeed: number
  readonly engine: 'wasm' | 'tfjs'
  readonly deterministic: boolean
  readonly threads: number
  /** Threads that act beside the learner's own; 0: environments are stepped inside it. Some algorithms have no use for them. */
  readonly actors: number
  /** Mean raw return of the last 100 training episodes at which `solved` is reported; null: never. */
  readonly threshold: number | null
  /** Share of what it learns from that may be other peers' experience; absent: none is taken in or given. */
  readonly experienceShare?: number
  /** Every mix makes the optimiser begin anew, or averages its moments as well; absent: they stay as they are. */
  readonly moments?: MomentsPolicy
  /** Environment steps a second at most; null or absent: as many as it can. Virtual time has a pace of its own and knows no such limit. */
  readonly maxStepsPerSecond?: number | null
  /** The learner holds by itself after this many environment steps (at the next update boundary); null: never. */
  readonly untilSteps: number | null
}

/** What a mix does to the optimiser's moments, where it does anything. */
export type MomentsPolicy = 'reset' | 'averaged'

/** A running mean of gradients (or their sum, for plain momentum), or of their squares, which are never negative. */
export type MomentKind = 'mean' | 'square'

export interface LearnerDescription {
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  readonly engine: string
  /** The optimiser's moments that snapshots bring along and mixes average; absent: none. */
  readonly moments?: readonly MomentKind[]
  /** How what it experienced is laid out for others; absent where it shares nothing. */
  readonly experience?: ExperienceFormat
}

/** What experience looks like that peers share. It follows from the manifest, so that all peers of a run agree. */
export type ExperienceFormat = TransitionFormat | RolloutFormat

export interface TransitionFormat {
  readonly kind: 'transitions'
  readonly observationSize: number
  /** Observations are whole numbers from 0 to 255. */
  readonly bytes: boolean
  /** Of a discrete space. */
  readonly actions: number
}

export interface RolloutFormat {
  readonly kind: 'rollout'
  /** T steps of B environments. */
  readonly steps: number
  readonly environments: number
  readonly observationSize: number
  /** Of a discrete space; null: actions are `actionWidth` numbers. */
  readonly actions: number | null
  readonly actionWidth: number
}

/** n transitions of m steps each, d numbers an observation; for value-based algorithms. */
export interface SharedTransitions {
  readonly kind: 'transitions'
  /** [n, d] */
  readonly observations: Float32Array
  /** [n, d]; the observation itself where the discount is 0 */
  readonly nextObservations: Float32Array
  /** [n] */
  readonly actions: Int32Array
  /** [n]: m-step sums */
  readonly rewards: Float32Array
  /** [n]: gamma^m, or 0 */
  readonly discounts: Float32Array
  /** [n]: sizes of their author's errors, from which first priorities come */
  readonly tdErrors: Float32Array
}

/** T steps of B environments, row t * B + b, with the log-probabilities of the policy that acted. */
export interface SharedRollout {
  readonly kind: 'rollout'
  /** [T * B, d] */
  readonly observations: Float32Array
  /** What follows the last step [B, d]. */
  readonly lastObservations: Float32Array
  /** [T * B] numbers of actions, or [T * B, a] */
  readonly actions: Int32Array | Float32Array
  /** [T * B] */
  readonly logProbs: Float32Array
  /** [T * B] */
  readonly rewards: Float32Array
  /** [T * B], 0 or 1 */
  readonly terminated: Uint8Array
  /** [T * B], 0 or 1 */
  readonly truncated: Uint8Array
  /** Of the truncated rows, in their order [k, d]. */
  readonly finalObservations: Float32Array
}

export type SharedExperience = SharedTransitions | SharedRollout

/** Counters of this peer; `returnMean` is over the last 100 finished training episodes (fewer at the start), null before the first. */
export interface Progress {
  readonly steps: number
  readonly updates: number
  readonly episodes: number
  readonly returnMean: number | null
  readonly lengthMean: number | null
  /** Steps at which the threshold was first reached over 100 episodes, with the mean then; null before. */
  readonly solved: { readonly steps: number; readonly returnMean: number } | null
  readonly holding: boolean
  /** Named training statistics of the last update (`train/entropy_loss`, ...). */
  readonly statistics: Readonly<Record<string, number>>
  /** How often an actor thread, or an environment in the learner's own, crashed or hung and was replaced, and the last time in words; null without threads until an environment does. */
  readonly actors: { readonly restarts: number; readonly lastFault: string | null } | null
  /** CPU milliseconds of the learner's own thread; null where unknown. */
  readonly cpuMs: number | null
}

/** Running moments of one normaliser (Welford's triple): `count` samples of `mean.length` values each, M2 the sum of squared deviations. */
export interface Normaliser {
  readonly count: number
  readonly mean: Float64Array
  readonly m2: Float64Array
}

export interface Replica {
  readonly parameters: Float32Array
  /** Target network parameters of value-based algorithms. */
  readonly target: Float32Array | null
  readonly version: number
  /** Environment steps behind the schedules. */
  readonly steps: number
  /** What its normalising wrappers know, own and others' together, innermost first; empty without such wrappers. */
  readonly normalisers: readonly Normaliser[]
}

/** Elements of one field of a saved state. */
export type StateArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array

/**
 * Everything that a learner needs to go on bit for bit, by name. Canonical vectors of [parameterCount]: `parameters`, `target` (of value-based
 * algorithms), and the optimiser's moments `optimiser/0`, `optimiser/1`; the other names belong to the algorithm.
 */
export type LearnerState = Readonly<Record<string, StateArray>>

export interface SaveOptions {
  /** The replay memory as well, which may be a thousand times as large as the rest; without it the memory fills anew. */
  readonly replay: boolean
}

export interface Snapshot extends Replica {
  /** What this peer's own environments showed its normalisers: what travels to others, who must not count anything twice. */
  readonly ownNormalisers: readonly Normaliser[]
  /** Where they are averaged. */
  readonly moments?: Moments
}

/** The optimiser's moments as a learner describes them. */
export interface Moments {
  /** Optimiser steps behind them: Adam corrects its moments by them. */
  readonly steps: number
  /** One moment after the other, each [parameterCount], canonical. */
  readonly values: Float32Array
}

/** What a mix does to the moments: m += delta, and no square falls below what others that know only zeros would have left of it. */
export interface MomentMix {
  /** As `Moments.values`. */
  readonly delta: Float32Array
  /** Whose moments are in `delta`: each with its weight, which together are at most 1, and the steps behind them. */
  readonly others: readonly { readonly weight: number; readonly steps: number }[]
}

export interface Learner {
  describe(): LearnerDescription
  /** Starts or goes on collecting and updating. A fresh learner holds. */
  run(): Promise<void>
  /** Stops collecting at the next update boundary; snapshots and mixes still work. */
  hold(): Promise<void>
  /** Resolves once `updates` is reached, at once when the learner holds. */
  reach(updates: number, signal?: AbortSignal): Promise<Progress>
  progress(): Progress
  /** A copy of the replica as of an update boundary, after every earlier mix was applied. The arrays are the caller's until the next snapshot. */
  snapshot(): Promise<Snapshot>
  /**
   * Adds `delta` (canonical) to the parameters, and to the moments what belongs to them, at the next update boundary; resolves when done. The
   * arrays are the caller's again then.
   */
  mix(delta: Float32Array, moments?: MomentMix): Promise<void>
  /** Replaces what other peers' normalisers have seen: one list for each peer, in the order of the wrappers. Resolves when in force. */
  mergeNormalisers(others: readonly (readonly Normaliser[])[]): Promise<void>
  /** Multiplies the learning rates of all updates from the next one on; 1 at first, and no part of a saved state: it follows from who is there. */
  setRateFactor(factor: number): Promise<void>
  /** What is most worth showing to others of what is new since the last call: a rollout, or at most `most` transitions; null: nothing. */
  offerExperience(most: number): Promise<SharedExperience | null>
  /**
   * Keeps what the peer `author` experienced, in the learner's own format, to learn from as far as its share goes. False: it cannot be true, by what
   * this learner knows of rewards, and is not kept.
   */
  takeExperience(author: string, experience: SharedExperience): Promise<boolean>
  /** Replaces the replica (a joiner's first weights); its normalisers count as another peer's. Only while holding. */
  adopt(replica: Replica): Promise<void>
  /** Everything that a learner with the same settings needs to go on, as of an update boundary; the arrays are the caller's. */
  saveState(options: SaveOptions): Promise<LearnerState>
  /**
   * Goes on where a saved learner stood. Where environments cannot save their state, where actors are threads, and where the number of threads
   * changed, new episodes begin. Only while holding, and before the first update. Fails with `state` where it does not fit.
   */
  restoreState(state: LearnerState): Promise<void>
  /** The returned function unsubscribes. Called at most every 100 ms, and at once when `solved` is first set, a hold begins, or the learner fails. */
  onProgress(listener: (progress: Progress) => void): () => void
  /** Rejects when the learner fails for good (a crashed thread, ten bad updates in a row); never resolves otherwise before `stop`. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}
