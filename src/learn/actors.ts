/**
 * Actor threads as algorithms see them. `learn` says what a thread does (a job, structured-cloneable, and the loop that runs it); whoever has
 * threads (src/node) starts them, watches over them, and starts those again that crash or hang.
 */
import type { LearnerSettings } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Engine } from './engine.ts'
import type { WasmEngine } from './engines/wasm.ts'

/** Seeds of environments are 32-bit words, and rows add their number. */
export const MAX_ENVIRONMENT_SEED = 2_147_483_648

/** What the threads of one learner do, each with its own number. */
export interface ActorJob {
  readonly kind: 'impala' | 'apex' | 'a3c'
  readonly settings: LearnerSettings
  /** The learner's: arenas have the same address for all. */
  readonly memory: WebAssembly.Memory
  /** Addresses of arenas, and shared buffers, as the kind of job orders them. */
  readonly addresses: readonly number[]
  readonly buffers: readonly SharedArrayBuffer[]
}

/** What a loop knows of its thread. */
export interface ActorLife {
  readonly index: number
  /** How many times this actor was started before. */
  readonly restarts: number
  readonly stopped: boolean
  /** Says that the environments still move; not called for long means hung. */
  beat(): void
  /** While resting (waiting for the learner) no beat is expected. */
  rest(resting: boolean): void
}

export interface RunningActors {
  /** Crashes and hangs so far, after each of which the actor was started again. */
  readonly restarts: number
  /** The last of them in words: which actor, and why. */
  readonly lastFault: string | null
  /** Looks after the threads; called by the learner now and then. */
  supervise(): void
  /** Ends all threads; idempotent. */
  stop(): void
}

/** Before any thread runs. */
export const NO_FAULTS = { restarts: 0, lastFault: null } as const

/** Whether an algorithm has work for actor threads; the others step their environments in the learner's own. */
export function usesActors(algorithm: string): boolean {
  return algorithm === 'impala' || algorithm === 'apex' || algorithm === 'a3c'
}

export interface ActorThreads {
  readonly count: number
  start(job: ActorJob): RunningActors
}

/** The engine, known to lie in memory that threads share. Throws GrapevineError `actors` for another one. */
export function requireShared(engine: Engine): WasmEngine {
  if ('memory' in engine) return engine as WasmEngine
  throw new GrapevineError(
    'actors',
    'local',
    'Actor threads share the memory of the engine wasm, and this learner runs on another; use --engine wasm, or --actors 0.',
  )
}

/** Throws GrapevineError `actors` where wrappers normalise: each thread would see moments of its own. */
export function requireNoMoments(moments: readonly unknown[]): void {
  if (moments.length === 0) return
  throw new GrapevineError(
    'actors',
    'local',
    'Actor threads do not share the moments of normalising wrappers; use --actors 0 with this preset.',
  )
}
