/**
 * What an algorithm is to the learner: it owns a replica (parameters, target, optimiser) and its environments, and turns experience into
 * updates of that replica. Between two calls of `iterate` its arenas may be read and added to.
 *
 *   const iteration = algorithm.iterate(stepsBehindSchedules, rateFactor)
 *   version += iteration.updates
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import type { ActorThreads } from './actors.ts'
import type { Arena, Engine, EngineNetwork, OptimiserState } from './engine.ts'
import type { Episodes } from './episodes.ts'
import type { Sharing } from './sharing.ts'
import type { StateFields } from './state.ts'

/** What an algorithm is built from. */
export interface AlgorithmContext {
  readonly settings: LearnerSettings
  readonly engine: Engine
  /** Threads for actors; null: actors run in the learner's own. */
  readonly threads: ActorThreads | null
  /** `count` environments of the run, wrapped, as one vector of `count` rows per agent. */
  makeEnvironments(count: number): WrappedVector
}

/** What `iterate` did; one object, reused. */
export interface Iteration {
  /** Optimiser steps taken. */
  updates: number
  /** The terms of the loss that were not finite, for which an update was skipped ("value loss and gradient"); null when none was. */
  bad: string | null
}

export interface Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  /** Target network of value-based algorithms. */
  readonly target: Arena | null
  /** The one whose steps move the parameters. */
  readonly optimiser: OptimiserState
  /** Steps and episodes of this peer. */
  readonly episodes: Episodes
  /** What it does with other peers' experience; absent or null: nothing. */
  readonly sharing?: Sharing | null
  /** Crashes and hangs of its actor threads; null without threads. */
  readonly actors?: Progress['actors']
  /** Collects what the next updates need and takes them; a bad update changes nothing. `steps`: environment steps behind the schedules; `rateFactor`: of the learning rate. */
  iterate(steps: number, rateFactor: number): Iteration
  /** Named statistics of the last update (`train/policy_loss`, ...), as Stable-Baselines3 names them; a fresh object. */
  statistics(): Record<string, number>
  /** All that changes beside parameters, target, optimiser and episodes; `replay`: the replay memory as well. */
  state(fields: StateFields, replay: boolean): void
  dispose(): void
}
