/** Toy environments and settings that the learner's tests share. Importing this file registers the environments. */
import { registerEnv } from '../../src/envs/registry.ts'
import type { BoxSpace, Environment, Space, StepResult } from '../../src/envs/types.ts'
import type { LearnerCore } from '../../src/learn/learner.ts'
import type { HyperValue, LearnerSettings, NetworkSpec } from '../../src/ports/learner.ts'

/** Observation space of every toy: [2] */
const OBSERVED: BoxSpace = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }

/** Episodes of `length` steps on a constant observation; the reward is a function of the action and of the steps made in all. */
function toy(actionSpace: Space, length: number, reward: (action: number, step: number) => number): Environment {
  let total = 0
  let step = 0
  const observation = Float32Array.of(1, -1)
  return {
    observationSpace: OBSERVED,
    actionSpace,
    reset() {
      step = 0
      return { observation, info: {} }
    },
    step(action): StepResult {
      step++
      total++
      const value = typeof action === 'number' ? action : action[0]!
      return { observation, reward: reward(value, total), terminated: step >= length, truncated: false, info: {} }
    },
    close() {},
  }
}

const THREE: Space = { kind: 'discrete', n: 3 }
const LINE: Space = { kind: 'box', shape: [1], low: Float32Array.of(-1), high: Float32Array.of(1) }

/** Action 2 pays 1, the others nothing. */
registerEnv('Toy/Choice', () => toy(THREE, 4, (action) => (action === 2 ? 1 : 0)))
/** The nearer the action to 0.5, the better. */
registerEnv('Toy/Target', () => toy(LINE, 4, (action) => -(action - 0.5) * (action - 0.5)))
/** Rewards beyond float32 in the steps `from` to `to`. */
registerEnv('Toy/Broken', ({ from, to }) => toy(THREE, 4, (_, step) => (step >= (from as number) && step <= (to as number) ? 1e300 : 0)))
/** Throws in step 3. */
registerEnv('Toy/Throws', () =>
  toy(THREE, 4, (_, step) => {
    if (step === 3) throw new Error('the toy broke')
    return 0
  }),
)

/** Episodes of three steps that pay 1 a step and end in the ways that the options say, on an observation that nothing else shows. */
registerEnv('Toy/Ends', ({ terminated, truncated }) => {
  let step = 0
  return {
    observationSpace: OBSERVED,
    actionSpace: THREE,
    reset() {
      step = 0
      return { observation: Float32Array.of(1, 0), info: {} }
    },
    step() {
      const over = ++step === 3
      return {
        observation: over ? Float32Array.of(-1, 1) : Float32Array.of(1, step / 3),
        reward: 1,
        terminated: over && terminated === true,
        truncated: over && truncated === true,
        info: {},
      }
    },
    close() {},
  }
})

const HIDDEN = [{ kind: 'dense', units: 8, activation: 'tanh' }] as const
const DISCRETE: NetworkSpec = {
  input: [2],
  torso: HIDDEN,
  heads: [
    { name: 'logits', layers: [], size: 3, gain: 0.01 },
    { name: 'value', layers: [], size: 1, gain: 1 },
  ],
  vectors: [],
}
const CONTINUOUS: NetworkSpec = {
  input: [2],
  torso: HIDDEN,
  heads: [
    { name: 'mean', layers: [], size: 1, gain: 0.01 },
    { name: 'value', layers: [], size: 1, gain: 1 },
  ],
  vectors: [{ name: 'logStd', size: 1, initial: 0 }],
}

export function toySettings(
  id: string,
  hyperparameters: Readonly<Record<string, HyperValue>> = {},
  changes: Partial<LearnerSettings> = {},
): LearnerSettings {
  return {
    environment: { id, options: {} },
    modules: [],
    wrappers: [],
    algorithm: {
      id: 'a2c',
      hyperparameters: { environments: 4, learningRate: 0.02, finalLearningRate: 0.01, ...hyperparameters },
      horizonSteps: 10_000,
    },
    network: id === 'Toy/Target' ? CONTINUOUS : DISCRETE,
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

/** Settings of `algorithm` in a toy. */
export function algorithmSettings(
  algorithm: string,
  id: string,
  hyperparameters: Readonly<Record<string, HyperValue>> = {},
  changes: Partial<LearnerSettings> = {},
): LearnerSettings {
  const base = toySettings(id, hyperparameters, changes)
  return { ...base, algorithm: { ...base.algorithm, id: algorithm } }
}

/** A copy of the learner's parameters. */
export function parametersOf(learner: LearnerCore): Float32Array {
  const parameters = new Float32Array(learner.description.parameterCount)
  learner.snapshot({ parameters, target: null })
  return parameters
}

/** So many calls of `update`. */
export function update(learner: LearnerCore, times: number): void {
  for (let i = 0; i < times; i++) learner.update()
}
