/**
 * The wrappers by id, as the manifest names them, and how they are put around a vector environment, innermost first.
 *
 *   const env = wrapVector(makeVectorEnv('Pendulum-v1', 16), [{ id: 'normaliseObservations', options: {} }])
 */
import { GrapevineError } from '../../util/errors.ts'
import { nearest } from '../../util/nearest.ts'
import type { VectorEnvironment } from '../types.ts'
import { clipActions, rescaleActions, stickActions } from './actions.ts'
import { type EpisodeStatistics, keepEpisodes } from './episode-statistics.ts'
import type { Layer } from './layer.ts'
import type { RunningMoments } from './moments.ts'
import { normaliseObservations, normaliseRewards } from './normalise.ts'
import { limitSteps, stackFrames } from './time.ts'

export interface WrapperUse {
  readonly id: string
  readonly options: Readonly<Record<string, unknown>>
}

type Wrap = (inner: VectorEnvironment, options: Readonly<Record<string, unknown>>) => Layer & { readonly statistics?: EpisodeStatistics }

const wrappers: Readonly<Record<string, Wrap>> = {
  timeLimit: limitSteps,
  normaliseObservations,
  normaliseRewards,
  frameStack: stackFrames,
  clipAction: clipActions,
  rescaleAction: rescaleActions,
  stickyActions: stickActions,
  episodeStatistics: keepEpisodes,
}

/** A vector environment with everything that its wrappers keep. */
export interface WrappedVector extends VectorEnvironment {
  /** Moments of the normalisers, innermost first: part of the replica. */
  readonly moments: readonly RunningMoments[]
  /** [n] rewards of the last step before any wrapper changed them; null where none does (then the step's own are raw). */
  readonly rawRewards: Float32Array | null
  /** Of the outermost episodeStatistics; null without one. */
  readonly statistics: EpisodeStatistics | null
}

/** Ids of all wrappers. */
export function wrapperIds(): string[] {
  return Object.keys(wrappers)
}

/** Throws `unknown_wrapper` for an id that is none, `option` or `wrapper` for one that does not suit the environment. */
export function wrapVector(environment: VectorEnvironment, uses: readonly WrapperUse[]): WrappedVector {
  const moments: RunningMoments[] = []
  let wrapped = environment
  let rawRewards: Float32Array | null = null
  let statistics: EpisodeStatistics | null = null
  for (const { id, options } of uses) {
    const layer = findWrapper(id)(wrapped, options)
    wrapped = layer.environment
    if (layer.moments !== undefined) moments.push(layer.moments)
    rawRewards ??= layer.rawRewards ?? null
    statistics = layer.statistics ?? statistics
  }
  return { ...bound(wrapped), moments, rawRewards, statistics }
}

/** The methods of an environment that may be a class instance, whose methods a spread leaves behind. */
function bound(environment: VectorEnvironment): VectorEnvironment {
  const { begin, ignore, restart, saveState, restoreState, render } = environment
  return {
    count: environment.count,
    observationSpace: environment.observationSpace,
    actionSpace: environment.actionSpace,
    reset: (seed, observations) => environment.reset(seed, observations),
    step: (actions, out) => environment.step(actions, out),
    close: () => environment.close(),
    ...(begin === undefined ? {} : { begin: begin.bind(environment) }),
    ...(ignore === undefined ? {} : { ignore: ignore.bind(environment) }),
    ...(restart === undefined ? {} : { restart: restart.bind(environment) }),
    ...(saveState === undefined ? {} : { saveState: saveState.bind(environment) }),
    ...(restoreState === undefined ? {} : { restoreState: restoreState.bind(environment) }),
    ...(render === undefined ? {} : { render: render.bind(environment) }),
  }
}

function findWrapper(id: string): Wrap {
  const wrap = Object.hasOwn(wrappers, id) ? wrappers[id] : undefined
  if (wrap !== undefined) return wrap
  const like = nearest(id, wrapperIds())
  const hint = like.length === 0 ? `there are ${wrapperIds().join(', ')}` : `did you mean ${like.join(' or ')}?`
  throw new GrapevineError('unknown_wrapper', 'local', `Wrapper "${id}" is not known here; ${hint}`, { id, nearest: like })
}
