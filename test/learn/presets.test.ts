import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findEnvironment } from '../../src/envs/registry.ts'
import { hyperparameterFaults } from '../../src/learn/hyperparameters.ts'
import { createLearner } from '../../src/learn/learner.ts'
import a2c from '../../src/learn/presets/a2c.json' with { type: 'json' }
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'

function settings(environment: string, actorSeed: number): LearnerSettings {
  const { hyperparameters, network, horizonSteps } = preset('a2c', environment)
  return {
    environment: { id: environment, options: {} },
    modules: [],
    wrappers: [],
    algorithm: { id: 'a2c', hyperparameters, horizonSteps },
    network: presetNetwork('a2c', network, environment, {}),
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

for (const named of Object.keys(a2c)) {
  // The entry for all others, by an environment that has none of its own.
  const environment = named === '*' ? 'LunarLanderContinuous-v3' : named
  test(`the preset of a2c for ${environment} is valid and runs`, async () => {
    const { hyperparameters, horizonSteps, period } = preset('a2c', environment)
    assert.deepEqual(hyperparameterFaults('a2c', hyperparameters), [])
    assert.ok(Number.isInteger(horizonSteps) && Number.isInteger(period))
    const learner = await createLearner(settings(environment, 1))
    learner.update()
    learner.update()
    assert.equal(learner.updates, 2)
    learner.dispose()
  })
}

test('an environment without a preset of its own gets the one for all others; an unknown algorithm is refused', () => {
  assert.equal(preset('a2c', 'None-v9'), preset('a2c', '*'))
  assert.equal(preset('a2c', 'toString'), preset('a2c', '*'))
  assert.throws(() => preset('sarsa', 'CartPole-v1'), { code: 'algorithm' })
})

test('A2C solves CartPole-v1 within 150,000 steps', async () => {
  const learner = await createLearner(settings('CartPole-v1', 5))
  while (learner.solved === null && learner.steps < 150_000) learner.update()
  assert.ok(learner.solved !== null)
  learner.dispose()
})
