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

/**
 * The same as two vectors, half of the environments each, where their steps can begin early: while one half steps, in processes of its own (half of the
 * option `processes`, rounded up), the policy can act in the other. Else they are one vector.
 */
export function overlappingEnvironments(settings: LearnerSettings, count: number, life: ActorLife): readonly WrappedVector[] {
  const whole = livingEnvironments(settings, count, life)
  if (whole.begin === undefined || count < 2) return [whole]
  whole.close()
  const { id, options } = settings.environment
  const { processes } = options
  const halved = typeof processes === 'number' ? { ...options, processes: Math.ceil(processes / 2) } : options
  const half = (size: number) => livingEnvironments({ ...settings, environment: { id, options: halved } }, size, life)
  return [half(Math.ceil(count / 2)), half(Math.floor(count / 2))]
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
