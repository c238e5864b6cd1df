import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLearner } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { algorithmSettings, parametersOf, toySettings, update } from './toy.ts'

const settings = (id: string, hyperparameters: Readonly<Record<string, HyperValue>> = {}, changes: Partial<LearnerSettings> = {}) =>
  algorithmSettings('a3c', id, { workers: 3, ...hyperparameters }, changes)

test('A3C finds the action that pays with workers that take turns, and reports it by the usual names', async () => {
  const learner = await createLearner(settings('Toy/Choice', {}, { threshold: 3.8 }))
  update(learner, 200)
  const progress = learner.progress(false, null)
  assert.equal(progress.updates, 200)
  // Each update is a rollout of four environments; up to two more are computed and wait for their turn.
  assert.ok(progress.steps >= 200 * 20 && progress.steps <= 203 * 20, `${progress.steps} steps`)
  assert.ok(progress.returnMean! > 3.8, `mean return ${progress.returnMean}`)
  assert.ok(progress.solved !== null)
  assert.equal(progress.actors, null)
  const lag = progress.statistics['train/policy_lag']!
  assert.ok(lag > 1.5 && lag < 2.5, `lag ${lag} of three workers`)
  assert.deepEqual(Object.keys(progress.statistics).sort(), [
    'rollout/ep_len_mean',
    'rollout/ep_rew_mean',
    'train/entropy_loss',
    'train/explained_variance',
    'train/gradient_norm',
    'train/learning_rate',
    'train/n_updates',
    'train/policy_lag',
    'train/policy_lag_max',
    'train/policy_loss',
    'train/skipped_updates',
    'train/value_loss',
  ])
  learner.dispose()
})

test('A3C finds a continuous action', async () => {
  const learner = await createLearner(settings('Toy/Target', { normaliseAdvantages: true, environments: 8 }))
  update(learner, 800)
  const { returnMean, statistics } = learner.progress(false, null)
  assert.ok(returnMean! > -0.5, `mean return ${returnMean}`)
  assert.ok(statistics['train/std']! < 0.5, `deviation ${statistics['train/std']}`)
  learner.dispose()
})

test('a gradient is applied to parameters that others have moved: a mix between turns stays', async () => {
  const learner = await createLearner(settings('Toy/Choice', { workers: 1, learningRate: 1e-9, finalLearningRate: 1e-9 }))
  update(learner, 1)
  const before = parametersOf(learner)
  const delta = before.map((_, i) => (i % 3) / 8)
  learner.mix(delta)
  update(learner, 3)
  const after = parametersOf(learner)
  for (let i = 0; i < after.length; i++) assert.ok(Math.abs(after[i]! - before[i]! - delta[i]!) < 1e-5)
  learner.dispose()
})

test('equal seeds give equal replicas, other actor seeds others', async () => {
  const learners = await Promise.all([2, 2, 3].map((actorSeed) => createLearner(settings('Toy/Choice', {}, { actorSeed }))))
  for (const learner of learners) update(learner, 20)
  const [a, b, c] = learners.map(parametersOf)
  assert.deepEqual(a, b)
  assert.notDeepEqual(a, c)
})

test('a gradient that is not finite is never applied; ten in a row end the learner with the terms named', async () => {
  const some = { id: 'Toy/Broken', options: { from: 6, to: 15 } }
  const learner = await createLearner(settings('Toy/Broken', { workers: 2 }, { environment: some }))
  update(learner, 12)
  const { statistics } = learner.progress(false, null)
  assert.equal(statistics['train/skipped_updates'], 4, 'two rollouts of each of two workers')
  assert.ok(parametersOf(learner).every(Number.isFinite))

  const all = { id: 'Toy/Broken', options: { from: 1, to: 1e9 } }
  const broken = await createLearner(settings('Toy/Broken', {}, { environment: all }))
  update(broken, 9)
  assert.throws(() => broken.update(), {
    code: 'diverged',
    message: /^Training stopped because policy loss and value loss were no finite numbers/,
  })
})

test('the preset solves CartPole-v1 within 150,000 steps', async () => {
  const { hyperparameters, network, horizonSteps } = preset('a3c', 'CartPole-v1')
  const algorithm = { id: 'a3c', hyperparameters, horizonSteps }
  const changes = { algorithm, network: presetNetwork('a3c', network, 'CartPole-v1', {}), threshold: 475 }
  const learner = await createLearner(toySettings('CartPole-v1', {}, changes))
  while (learner.solved === null && learner.steps < 150_000) learner.update()
  assert.ok(learner.solved !== null)
  learner.dispose()
})
