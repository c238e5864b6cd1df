import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLearner } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { assertClose } from './helpers.ts'
import { algorithmSettings, parametersOf, toySettings, update } from './toy.ts'

const settings = (id: string, hyperparameters: Readonly<Record<string, HyperValue>> = {}, changes: Partial<LearnerSettings> = {}) =>
  algorithmSettings('impala', id, { rolloutLength: 5, inlineLag: 2, ...hyperparameters }, changes)

test('IMPALA finds the action that pays from lagging actors, counts, and reports it by the usual names', async () => {
  const learner = await createLearner(settings('Toy/Choice', {}, { threshold: 3.8 }))
  update(learner, 150)
  const progress = learner.progress(false, null)
  assert.equal(progress.steps, 150 * 4 * 5)
  assert.equal(progress.updates, 150)
  assert.equal(progress.episodes, 4 * Math.floor((150 * 5) / 4))
  assert.ok(progress.returnMean! > 3.8, `mean return ${progress.returnMean}`)
  assert.ok(progress.solved!.steps >= 400)
  assert.deepEqual([progress.statistics['train/policy_lag'], progress.statistics['train/policy_lag_max']], [2, 2])
  assert.deepEqual(Object.keys(progress.statistics).sort(), [
    'rollout/ep_len_mean',
    'rollout/ep_rew_mean',
    'train/approx_kl',
    'train/dropped_rollouts',
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

test('IMPALA finds a continuous action', async () => {
  const learner = await createLearner(settings('Toy/Target', { normaliseAdvantages: true, environments: 16 }))
  update(learner, 400)
  const { returnMean, statistics } = learner.progress(false, null)
  assert.ok(returnMean! > -0.5, `mean return ${returnMean}`)
  assert.ok(statistics['train/std']! < 0.5, `deviation ${statistics['train/std']}`)
  learner.dispose()
})

for (const [id, options] of [
  ['Toy/Choice', {}],
  ['Toy/Target', {}],
  ['Toy/Ends', { truncated: true }],
] as const) {
  test(`without lag it takes the very steps of A2C with n-step returns (${id})`, async () => {
    const environment = { environment: { id, options } }
    const impala = await createLearner(settings(id, { inlineLag: 0 }, environment))
    const a2c = await createLearner(toySettings(id, { rolloutLength: 5 }, environment))
    for (let i = 0; i < 8; i++) {
      impala.update()
      a2c.update()
      assertClose(parametersOf(impala), parametersOf(a2c), 1e-4, 2e-5)
    }
    assertClose([impala.progress(false, null).statistics['train/approx_kl']!], [0])
    impala.dispose()
    a2c.dispose()
  })
}

test('the lag is there: the policies differ, and other lags give other replicas', async () => {
  const of = async (inlineLag: number) => {
    const learner = await createLearner(settings('Toy/Choice', { inlineLag, learningRate: 0.05 }))
    let kl = 0
    for (let i = 0; i < 10; i++) {
      learner.update()
      kl = Math.max(kl, learner.progress(false, null).statistics['train/approx_kl']!)
    }
    return { kl, parameters: parametersOf(learner) }
  }
  const none = await of(0)
  const some = await of(4)
  assert.ok(Math.abs(none.kl) < 1e-6)
  assert.ok(some.kl > 1e-3, `divergence ${some.kl}`)
  assert.notDeepEqual(some.parameters, none.parameters)
})

test('equal seeds give equal replicas, other actor seeds others', async () => {
  const learners = await Promise.all([2, 2, 3].map((actorSeed) => createLearner(settings('Toy/Choice', {}, { actorSeed }))))
  for (const learner of learners) update(learner, 12)
  const [a, b, c] = learners.map(parametersOf)
  assert.deepEqual(a, b)
  assert.notDeepEqual(a, c)
})

test('an update that is not finite changes nothing but a counter; ten in a row end the learner with the terms named', async () => {
  const some = { id: 'Toy/Broken', options: { from: 6, to: 15 } }
  const learner = await createLearner(settings('Toy/Broken', {}, { environment: some }))
  update(learner, 1)
  const before = parametersOf(learner)
  update(learner, 2)
  assert.deepEqual(parametersOf(learner), before)
  update(learner, 1)
  assert.notDeepEqual(parametersOf(learner), before)
  assert.equal(learner.progress(false, null).statistics['train/skipped_updates'], 2)

  const all = { id: 'Toy/Broken', options: { from: 1, to: 1e9 } }
  const broken = await createLearner(settings('Toy/Broken', {}, { environment: all }))
  update(broken, 9)
  assert.throws(() => broken.update(), { code: 'diverged', data: { term: 'policy loss and value loss', steps: 200 } })
})

test('a rollout older than the bound is counted as steps and dropped', async () => {
  const learner = await createLearner(settings('Toy/Choice', { inlineLag: 3, maxPolicyLag: 2 }))
  update(learner, 8)
  const { steps, updates, statistics } = learner.progress(false, null)
  assert.equal(steps, 8 * 20)
  // With versions 0 to 2 the policy is the first; at 3 it would be three updates old, and no update makes it younger.
  assert.deepEqual([updates, statistics['train/dropped_rollouts'], statistics['train/policy_lag_max']], [3, 5, 2])
  learner.dispose()
})

test('the preset solves CartPole-v1 within 150,000 steps', async () => {
  const { hyperparameters, network, horizonSteps } = preset('impala', 'CartPole-v1')
  const learner = await createLearner(
    toySettings(
      'CartPole-v1',
      {},
      {
        algorithm: { id: 'impala', hyperparameters, horizonSteps },
        network: presetNetwork('impala', network, 'CartPole-v1', {}),
        threshold: 475,
      },
    ),
  )
  while (learner.solved === null && learner.steps < 150_000) learner.update()
  assert.ok(learner.solved !== null)
  learner.dispose()
})
