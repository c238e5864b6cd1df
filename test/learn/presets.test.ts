import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findEnvironment, listEnvironments } from '../../src/envs/registry.ts'
import { ALGORITHMS, hyperparameterFaults } from '../../src/learn/hyperparameters.ts'
import { createLearner } from '../../src/learn/learner.ts'
import { DEFAULT_PRESET, preset, presetNames, presetNetwork } from '../../src/learn/presets.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'

function settings(algorithm: string, environment: string, name: string, actorSeed: number): LearnerSettings {
  const { hyperparameters, network, horizonSteps, wrappers = [] } = preset(algorithm, environment, name)
  return {
    environment: { id: environment, options: {} },
    modules: [],
    wrappers,
    algorithm: { id: algorithm, hyperparameters, horizonSteps },
    network: presetNetwork(algorithm, network, environment, {}, wrappers),
    weightsSeed: actorSeed,
    actorSeed,
    engine: 'wasm',
    deterministic: true,
    threads: 1,
    actors: 0,
    threshold: findEnvironment(environment).threshold,
    untilSteps: null,
  }
}

/** What has presets of its own, and one environment that has none. */
const ENVIRONMENTS = [...listEnvironments().map(({ id }) => id)]

for (const algorithm of ALGORITHMS) {
  test(`the presets of ${algorithm} are valid, run, and say how they were measured`, async () => {
    const own = new Set([preset(algorithm, 'None-v9')])
    for (const environment of ENVIRONMENTS) {
      for (const name of presetNames(algorithm, environment)) {
        const chosen = preset(algorithm, environment, name)
        if (name === DEFAULT_PRESET && own.has(chosen)) continue
        own.add(chosen)
        const { hyperparameters, horizonSteps, period, result } = chosen
        const which = `${environment} ${name}`
        assert.deepEqual(hyperparameterFaults(algorithm, hyperparameters), [], which)
        assert.ok(Number.isInteger(horizonSteps) && Number.isInteger(period), which)
        if (result !== null) {
          const words = result.command.split(' ')
          assert.equal(words.slice(0, 4).join(' '), 'npm run bench --', which)
          const value = (flag: string, otherwise: string) => words[words.indexOf(flag) + 1 || words.length] ?? otherwise
          assert.deepEqual(
            [value('--env', 'CartPole-v1'), value('--preset', DEFAULT_PRESET), Number(value('--seeds', '5'))],
            [environment, name, result.seeds],
          )
        }
        const learner = await createLearner(settings(algorithm, environment, name, 1))
        learner.update()
        assert.ok(learner.steps > 0, which)
        learner.dispose()
      }
    }
  })
}

test('an environment without a preset of its own gets the one for all others; an unknown algorithm is refused', () => {
  assert.equal(preset('a2c', 'None-v9'), preset('a2c', '*'))
  assert.equal(preset('a2c', 'toString'), preset('a2c', '*'))
  assert.throws(() => preset('sarsa', 'CartPole-v1'), { code: 'algorithm' })
})

test('a preset that there is not is refused with the names of those that there are', () => {
  assert.equal(preset('a2c', 'CartPole-v1', 'default'), preset('a2c', 'CartPole-v1'))
  assert.throws(() => preset('a2c', 'None-v9', 'fast'), {
    code: 'unknown_preset',
    message: 'There is no preset "fast" of a2c for None-v9; there is: default.',
  })
})

test('A2C solves CartPole-v1 within 150,000 steps', async () => {
  const learner = await createLearner(settings('a2c', 'CartPole-v1', 'default', 5))
  while (learner.solved === null && learner.steps < 150_000) learner.update()
  assert.ok(learner.solved !== null)
  learner.dispose()
})
