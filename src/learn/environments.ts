/** The environments that a learner's settings name, in their wrappers. */
import type { FaultTeller } from '../envs/mending.ts'
import { findEnvironment, makeVectorEnv } from '../envs/registry.ts'
import { type WrappedVector, wrapVector } from '../envs/wrappers/wrap.ts'
import type { LearnerSettings } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { ActorLife } from './actors.ts'

/** `count` of them as one vector; with `faults`, those that throw are made anew. Throws GrapevineErrors of the registry and the wrappers, and `network_mismatch`. */
export function makeEnvironments(settings: LearnerSettings, count: number, faults?: FaultTeller): WrappedVector {
  const { id, options } = settings.environment
  const made = wrapVector(makeVectorEnv(id, count, options, faults), settings.wrappers)
  const { shape } = made.observationSpace
  const { input } = settings.network
  if (shape.length === input.length && shape.every((size, i) => size === input[i])) return made
  made.close()
  throw new GrapevineError(
    'network_mismatch',
    'local',
    `The network takes observations of shape [${input}], but ${findEnvironment(id).id} gives [${shape}].`,
    { input, shape },
  )
}

/** The same for an actor thread: each step is a sign of life. */
export function livingEnvironments(settings: LearnerSettings, count: number, life: ActorLife): WrappedVector {
  const environment = makeEnvironments(settings, count)
  return {
    ...environment,
    step(actions, out) {
      environment.step(actions, out)
      life.beat()
    },
  }
}

/** Hears when environments are at work, so that whoever cannot look into their thread sees that they do not come back. */
export interface StepWatch {
  begin(): void
  end(): void
}

export function watchedEnvironments(environment: WrappedVector, watch: StepWatch): WrappedVector {
  const watched = (work: () => void): void => {
    watch.begin()
    try {
      work()
    } finally {
      watch.end()
    }
  }
  return {
    ...environment,
    reset: (seed, observations) => watched(() => environment.reset(seed, observations)),
    step: (actions, out) => watched(() => environment.step(actions, out)),
  }
}
