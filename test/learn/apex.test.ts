import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import type { BoxSpace, Space } from '../../src/envs/types.ts'
import { wrapVector } from '../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { Evaluator } from '../../src/learn/evaluate.ts'
import { hyperparameterFaults } from '../../src/learn/hyperparameters.ts'
import { createLearner, type LearnerCore } from '../../src/learn/learner.ts'
import { duelingNetwork } from '../../src/learn/networks.ts'
import apex from '../../src/learn/presets/apex.json' with { type: 'json' }
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { assertClose } from './helpers.ts'
import { toySettings } from './toy.ts'

const OBSERVED: BoxSpace = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }
const TWO: Space = { kind: 'discrete', n: 2 }

/** Episodes of one step that pay 1 and end in both ways that the options say. */
registerEnv('Toy/Once', ({ terminated, truncated }) => ({
  observationSpace: OBSERVED,
  actionSpace: TWO,
  reset: () => ({ observation: Float32Array.of(1, 0), info: {} }),
  step: () => ({
    observation: Float32Array.of(1, 0),
    reward: 1,
    terminated: terminated === true,
    truncated: truncated === true,
    info: {},
  }),
  close() {},
}))

function settings(id: string, hyperparameters: Readonly<Record<string, HyperValue>> = {}, changes: Partial<LearnerSettings> = {}) {
  const actions: Space = { kind: 'discrete', n: id === 'Toy/Once' ? 2 : 3 }
  return toySettings(
    id,
    {},
    {
      algorithm: {
        id: 'apex',
        hyperparameters: { environments: 4, learningStarts: 40, replayCapacity: 500, batchSize: 16, targetPeriod: 10, ...hyperparameters },
        horizonSteps: 10_000,
      },
      network: duelingNetwork({ torso: [{ kind: 'dense', units: 8, activation: 'tanh' }], head: [] }, OBSERVED, actions),
      engine: 'wasm',
      ...changes,
    },
  )
}

function replicaOf(learner: LearnerCore) {
  const { parameterCount } = learner.description
  const replica = { parameters: new Float32Array(parameterCount), target: new Float32Array(parameterCount) }
  learner.snapshot(replica)
  return replica
}

/** Goes on until `updates` more were taken. */
function update(learner: LearnerCore, updates: number): void {
  const goal = learner.updates + updates
  while (learner.updates < goal) learner.update()
}

test('Ape-X finds the action that pays, counts, and reports it by the usual names', async () => {
  const learner = await createLearner(settings('Toy/Choice', { learningRate: 0.01, finalLearningRate: 0.01 }, { threshold: 3.8 }))
  update(learner, 300)
  const { steps, episodes, solved, statistics } = learner.progress(false, null)
  // Ten vector steps of four until learning starts, then two updates a vector step: 150 of them, the first of which is the tenth.
  assert.equal(steps, 4 * (10 + 149))
  assert.equal(episodes, 4 * Math.floor(159 / 4))
  assert.equal(solved, null, 'the third that explores least has too few episodes yet')
  update(learner, 1_000)
  assert.ok(learner.solved !== null)
  assert.ok(learner.progress(false, null).returnMean! > 3.5)
  assert.deepEqual(Object.keys(statistics).sort(), [
    'losses/q_values',
    'replay/sample_age',
    'replay/size',
    'rollout/ep_len_mean',
    'rollout/ep_rew_mean',
    'rollout/exploration_rate',
    'train/gradient_norm',
    'train/learning_rate',
    'train/loss',
    'train/n_updates',
    'train/skipped_updates',
    'train/td_error',
  ])
  assert.equal(learner.progress(false, null).statistics['replay/size'], 500)
  learner.dispose()
})

test('a truncated episode bootstraps from its final observation, a terminated one does not, and termination wins', async () => {
  const value = async (options: Readonly<Record<string, boolean>>) => {
    const environment = { id: 'Toy/Once', options }
    const hyperparameters = { gamma: 0.5, learningRate: 0.02, finalLearningRate: 0.002 }
    const learner = await createLearner(settings('Toy/Once', hyperparameters, { environment }))
    update(learner, 600)
    const { 'losses/q_values': q } = learner.progress(false, null).statistics
    learner.dispose()
    return q!
  }
  assertClose([await value({ terminated: true })], [1], 0, 0.02)
  assertClose([await value({ truncated: true })], [1 / (1 - 0.5)], 0, 0.04)
  assertClose([await value({ terminated: true, truncated: true })], [1], 0, 0.02)
})

test('the replica has a target: it keeps still, follows at its period, and is adopted', async () => {
  const learner = await createLearner(settings('Toy/Choice'))
  assert.equal(learner.hasTarget, true)
  const initial = replicaOf(learner)
  assert.deepEqual(initial.target, initial.parameters)
  update(learner, 9)
  const before = replicaOf(learner)
  assert.deepEqual(before.target, initial.target)
  assert.notDeepEqual(before.parameters, initial.parameters)
  update(learner, 1)
  const after = replicaOf(learner)
  assert.deepEqual(after.target, after.parameters)

  const { parameters, target } = before
  learner.adopt({ parameters, target, version: 70, steps: 100, normalisers: [] })
  assert.deepEqual(replicaOf(learner), before)
  assert.equal(learner.version, 70)
  learner.dispose()
})

test('equal seeds give equal replicas, other actor seeds others', async () => {
  const learners = await Promise.all([2, 2, 3].map((actorSeed) => createLearner(settings('Toy/Choice', {}, { actorSeed }))))
  for (const learner of learners) update(learner, 25)
  const [a, b, c] = learners.map(replicaOf)
  assert.deepEqual(a, b)
  assert.notDeepEqual(a, c)
})

test('less than one update a vector step collects on until one is due', async () => {
  const learner = await createLearner(settings('Toy/Choice', { updatesPerStep: 0.1 }))
  update(learner, 1)
  const first = learner.steps
  for (let i = 0; i < 100; i++) learner.update()
  assert.equal(learner.updates, 101)
  assert.equal(learner.steps - first, 1_000)
  learner.dispose()
})

test('rewards that are not finite are left out and counted, and end the learner when there are no others', async () => {
  const some = { id: 'Toy/Broken', options: { from: 8, to: 9 } }
  const learner = await createLearner(settings('Toy/Broken', {}, { environment: some }))
  update(learner, 20)
  const { statistics } = learner.progress(false, null)
  assert.ok(statistics['train/skipped_updates']! > 0)
  assert.ok(Object.values(statistics).every(Number.isFinite))
  assert.ok(replicaOf(learner).parameters.every(Number.isFinite))

  const all = { id: 'Toy/Broken', options: { from: 1, to: 1e9 } }
  const broken = await createLearner(settings('Toy/Broken', {}, { environment: all }))
  const forever = () => {
    for (let i = 0; i < 100; i++) broken.update()
  }
  assert.throws(forever, { code: 'diverged', message: /^Training stopped because reward was not a finite number in 10 updates in a row/ })
})

test('values beyond float32 change nothing and end the learner with the term named', async () => {
  const learner = await createLearner(settings('Toy/Choice'))
  update(learner, 5)
  const { parameterCount } = learner.description
  const parameters = new Float32Array(parameterCount).fill(3e38)
  learner.adopt({ parameters, target: parameters, version: 0, steps: 0, normalisers: [] })
  const forever = () => {
    for (let i = 0; i < 100; i++) learner.update()
  }
  assert.throws(forever, { code: 'diverged', data: { term: 'loss', steps: learner.steps + 20 } })
  assert.deepEqual(replicaOf(learner).parameters, parameters)
})

test('what cannot work is refused in a sentence', async () => {
  await assert.rejects(createLearner(settings('Toy/Choice', { replayCapacity: 20 })), {
    code: 'hyperparameter',
    message: 'The hyper-parameter replayCapacity of apex must be at least 32 for 4 environments and nStep 3, not 20.',
  })
  await assert.rejects(createLearner(settings('Toy/Choice', { replayCapacity: 1e8 })), { code: 'replay_memory' })
  await assert.rejects(createLearner(settings('Toy/Target')), { code: 'action_space' })
  assert.throws(() => presetNetwork('apex', { torso: [], head: [] }, 'Toy/Target', {}), {
    code: 'action_space',
    message: /^apex chooses among a number of actions/,
  })
  const actorCritic = toySettings('Toy/Choice').network
  await assert.rejects(createLearner(settings('Toy/Choice', {}, { network: actorCritic })), {
    code: 'network_mismatch',
    message: "The network needs an output 'advantage' of size 3 here, but it has none of that name.",
  })
})

for (const named of Object.keys(apex)) {
  // The entry for all others, by an environment that has none of its own.
  const id = named === '*' ? 'MinAtar/Breakout-v0' : named
  test(`the preset of apex for ${named} is valid and runs`, async () => {
    const { hyperparameters, network, horizonSteps, period } = preset('apex', id)
    assert.deepEqual(hyperparameterFaults('apex', hyperparameters), [])
    assert.ok(Number.isInteger(horizonSteps) && Number.isInteger(period))
    const algorithm = { id: 'apex', hyperparameters: { ...hyperparameters, learningStarts: 100 }, horizonSteps }
    const changes = { environment: { id, options: {} }, algorithm, network: presetNetwork('apex', network, id, {}) }
    const learner = await createLearner(settings(id, {}, changes))
    update(learner, 2)
    learner.dispose()
  })
}

test('Ape-X balances the pole greedily within 30,000 steps', async () => {
  const { hyperparameters, network } = preset('apex', 'CartPole-v1')
  const cartPole = settings(
    'CartPole-v1',
    {},
    {
      environment: { id: 'CartPole-v1', options: {} },
      algorithm: { id: 'apex', hyperparameters, horizonSteps: 30_000 },
      network: presetNetwork('apex', network, 'CartPole-v1', {}),
    },
  )
  const learner = await createLearner(cartPole)
  while (learner.steps < 30_000) learner.update()
  const engine = await createEngine('wasm', { deterministic: true })
  const evaluator = new Evaluator(wrapVector(makeVectorEnv('CartPole-v1', 20, {}), []), cartPole.network, engine)
  const { mean } = evaluator.evaluate({ ...replicaOf(learner), normalisers: [] }, { episodes: 20, deterministic: true, seed: 1_000 })
  assert.ok(mean >= 475, `mean return ${mean}`)
  evaluator.dispose()
  learner.dispose()
})
