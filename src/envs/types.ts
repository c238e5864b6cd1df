/**
 * The environment contract: Gymnasium's, in TypeScript, plus a vector form that writes into arrays of the caller and allocates nothing per step.
 * Observations are row-major Float32Array; a discrete action is a number, a continuous one a Float32Array (float32 before use).
 */
import type { NumberOption } from './options.ts'
import type { Picture } from './picture.ts'

/** What actions are: one of `n`, or `shape` floats between `low` and `high`. Observations are always a box. */
export type Space =
  | { readonly kind: 'discrete'; readonly n: number }
  | { readonly kind: 'box'; readonly shape: readonly number[]; readonly low: Float32Array; readonly high: Float32Array }

/** Bounds by element, row-major; infinite: none. */
export type BoxSpace = Extract<Space, { kind: 'box' }>

/** How an episode begins. */
export interface ResetOptions {
  /** Seeds the environment's random stream; without it the stream goes on. */
  readonly seed?: number
  readonly options?: Readonly<Record<string, unknown>>
}

/** What an action led to, as Gymnasium has it: `terminated` by the task itself, `truncated` by a limit of time. */
export interface StepResult {
  readonly observation: Float32Array
  readonly reward: number
  readonly terminated: boolean
  readonly truncated: boolean
  readonly info: Readonly<Record<string, unknown>>
}

/** One environment. `reset` must come first; stepping a finished episode throws `episode_over`. */
export interface Environment {
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  reset(options?: ResetOptions): { readonly observation: Float32Array; readonly info: Readonly<Record<string, unknown>> }
  step(action: number | Float32Array): StepResult
  saveState?(): Uint8Array
  restoreState?(bytes: Uint8Array): void
  /** What the environment looks like now; `rasterise` turns it into RGB. */
  render?(): Picture
  close(): void
}

/** Buffers of one vector step; n = rows, d = floats of one observation. */
export interface VectorBuffers {
  /** [n, d]: where an episode ended, already the first observation of the next (same-step autoreset). */
  readonly observations: Float32Array
  /** [n] */
  readonly rewards: Float32Array
  /** [n], 0 or 1 */
  readonly terminated: Uint8Array
  /** [n], 0 or 1 */
  readonly truncated: Uint8Array
  /** [n, d]: the last observation of an episode that ended in this step; other rows are left as they were. */
  readonly finalObservations: Float32Array
}

/** `count` environments (or agents) as rows. */
export interface VectorEnvironment {
  readonly count: number
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  /** Begins new episodes everywhere; row i is seeded with `seed` + i (null: streams go on). Writes [n, d]. */
  reset(seed: number | null, observations: Float32Array): void
  /** Actions: Int32Array [n] for a discrete space, Float32Array [n, a] for a box. */
  step(actions: Int32Array | Float32Array, out: VectorBuffers): void
  /**
   * Starts a step with `actions` and returns at once; the next `step`, which is given the same actions, waits for it. Nothing but `close` may come
   * between. Only environments that step elsewhere offer it: in other processes, while the caller has something else to do.
   */
  begin?(actions: Int32Array | Float32Array): void
  /**
   * From now on (null: no longer) nobody looks at rows whose flag is 1, so steps need not step them; `flags` is read at each step. Only
   * environments whose steps are dear heed it. Other rows are the same bit for bit; such a row is to be begun again before it is looked at.
   */
  ignore?(flags: Uint8Array | null): void
  /** Begins a new episode in every row whose flag is 1, from the row's stream, and writes its observation; other rows are left as they were. */
  restart?(flags: Uint8Array, observations: Float32Array): void
  saveState?(): Uint8Array
  restoreState?(bytes: Uint8Array): void
  render?(row: number): Picture
  close(): void
}

/** An entry of the registry. */
export interface EnvironmentSpec {
  readonly id: string
  /** Changes whenever the behaviour does; part of the manifest. */
  readonly version: string
  /** One line for `grapevine envs`: task, reward, end of an episode. */
  readonly description: string
  /** Mean return over 100 episodes that counts as solved; null when none is agreed. */
  readonly threshold: number | null
  /** Steps after which an episode is truncated; `makeEnv` and `makeVectorEnv` see to it. */
  readonly maxEpisodeSteps: number | null
  /** Rows of the vector form for each environment of `makeVectorEnv`'s count: agents that share one world. Default 1. */
  readonly agents?: number
  /** Numbers that it takes as options, by name; absent: it has none, or does not tell. */
  readonly options?: Readonly<Record<string, NumberOption>>
  /** One environment without time limit. */
  make(options: Readonly<Record<string, unknown>>): Environment
  /** A fast vector form that truncates after `maxEpisodeSteps` (null: never) itself; without it the registry builds one from `make`. */
  makeVector?(count: number, options: Readonly<Record<string, unknown>>, maxEpisodeSteps: number | null): VectorEnvironment
}
