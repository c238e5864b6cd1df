/** Settings of a learner that follows a preset: in one thread, with seeds 1 and 2, deterministic, without an end. */
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'

/** `changes.environment` may bring options; its id stays `environment`. */
export function presetSettings(algorithm: string, environment: string, changes: Partial<LearnerSettings> = {}): LearnerSettings {
  const { hyperparameters, network, wrappers = [], horizonSteps } = preset(algorithm, environment)
  const options = changes.environment?.options ?? {}
  return {
    environment: { id: environment, options },
    modules: [],
    wrappers,
    algorithm: { id: algorithm, hyperparameters, horizonSteps },
    network: presetNetwork(algorithm, network, environment, options, wrappers),
    weightsSeed: 1,
    actorSeed: 2,
    engine: 'wasm',
    deterministic: true,
    threads: 1,
    actors: 0,
    threshold: null,
    untilSteps: null,
    ...changes,
  }
}
