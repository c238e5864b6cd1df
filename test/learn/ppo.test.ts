import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import type { BoxSpace, Space } from '../../src/envs/types.ts'
import { wrapVector } from '../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { Evaluator } from '../../src/learn/evaluate.ts'
import { hyperparameterFaults } from '../../src/learn/hyperparameters.ts'
import { initialParameters } from '../../src/learn/initialise.ts'
import { createLearner } from '../../src/learn/learner.ts'
import type { Samples } from '../../src/learn/minibatches.ts'
import { actorCriticNetwork } from '../../src/learn/networks.ts'
import { createPolicyHead } from '../../src/learn/policy-head.ts'
import { PPO } from '../../src/learn/ppo.ts'
import { PpoLoss } from '../../src/learn/ppo-loss.ts'
import presets from '../../src/learn/presets/ppo.json' with { type: 'json' }
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { seededRandom } from '../../src/util/random.ts'
import { assertClose } from './helpers.ts'
import { parametersOf, toySettings, update } from './toy.ts'

const OBSERVED: BoxSpace = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }
const THREE: Space = { kind: 'discrete', n: 3 }
const PLANE: Space = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }

/** Episodes of one step that pay 1 and end in the ways that the options say. */
registerEnv('Toy/Once', ({ terminated, truncated }) => ({
  observationSpace: OBSERVED,
  actionSpace: THREE,
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
  const own = { environments: 4, rolloutLength: 8, batchSize: 16, epochs: 4, learningRate: 0.01, finalLearningRate: 0.005 }
  const algorithm = { id: 'ppo', hyperparameters: { ...own, ...hyperparameters }, horizonSteps: 10_000 }
  return toySettings(id, {}, { algorithm, ...changes })
}

test('PPO finds the action that pays, counts every optimiser step, and reports it by the usual names', async () => {
  const learner = await createLearner(settings('Toy/Choice', { finalClipRange: 0.1 }, { threshold: 3.8 }))
  update(learner, 40)
  const { steps, updates, returnMean, statistics } = learner.progress(false, null)
  // 32 steps a rollout, in two minibatches, four times each.
  assert.deepEqual([steps, updates], [40 * 32, 40 * 8])
  assert.ok(returnMean! > 3.8, `mean return ${returnMean}`)
  assert.ok(learner.solved !== null)
  assert.deepEqual(Object.keys(statistics).sort(), [
    'rollout/ep_len_mean',
    'rollout/ep_rew_mean',
    'train/approx_kl',
    'train/clip_fraction',
    'train/clip_range',
    'train/entropy_loss',
    'train/epochs',
    'train/explained_variance',
    'train/gradient_norm',
    'train/learning_rate',
    'train/loss',
    'train/n_updates',
    'train/policy_gradient_loss',
    'train/skipped_updates',
    'train/value_loss',
  ])
  const done = (39 * 32) / 10_000
  assertClose([statistics['train/learning_rate']!, statistics['train/clip_range']!], [0.01 - 0.005 * done, 0.2 - 0.1 * done])
  learner.dispose()
})

test('PPO finds a continuous action', async () => {
  const learner = await createLearner(settings('Toy/Target', { environments: 16, batchSize: 64 }))
  update(learner, 100)
  const { returnMean, statistics } = learner.progress(false, null)
  assert.ok(returnMean! > -0.5, `mean return ${returnMean}`)
  assert.ok(statistics['train/std']! < 0.5, `deviation ${statistics['train/std']}`)
  learner.dispose()
})

test('the first update finds the policy that acted: ratio 1, no divergence, a loss of minus the mean advantage', async () => {
  const learner = await createLearner(settings('Toy/Choice', { batchSize: 32, epochs: 1 }))
  update(learner, 1)
  const { statistics } = learner.progress(false, null)
  assertClose([statistics['train/approx_kl']!, statistics['train/clip_fraction']!], [0, 0])
  assertClose([statistics['train/entropy_loss']!], [-Math.log(3)], 1e-3)
  // A batch of 32 is not standardised by itself; standardised advantages have a mean of 0.
  assert.ok(Math.abs(statistics['train/policy_gradient_loss']!) > 1e-3)
  const standardised = await createLearner(settings('Toy/Choice', { batchSize: 32, epochs: 1, normaliseAdvantages: 'always' }))
  update(standardised, 1)
  assertClose([standardised.progress(false, null).statistics['train/policy_gradient_loss']!], [0])
})

test('equal seeds give equal replicas, other actor seeds others', async () => {
  const [a, b, c] = await Promise.all([2, 2, 3].map((actorSeed) => createLearner(settings('Toy/Choice', {}, { actorSeed }))))
  for (const learner of [a!, b!, c!]) update(learner, 3)
  assert.deepEqual(parametersOf(a!), parametersOf(b!))
  assert.notDeepEqual(parametersOf(a!), parametersOf(c!))
})

test('updates on a rollout end once the policy has moved far enough', async () => {
  const learner = await createLearner(settings('Toy/Choice', { batchSize: 32, epochs: 50, targetKl: 1e-7 }))
  update(learner, 1)
  const { updates, statistics } = learner.progress(false, null)
  assert.equal(updates, 1)
  assert.equal(statistics['train/epochs'], 2)
  assert.ok(statistics['train/approx_kl']! > 1.5e-7)
  assert.equal(statistics['train/skipped_updates'], 0)
})

test('a truncated episode bootstraps from its final observation, a terminated one does not, and termination wins', async () => {
  const engine = await createEngine('wasm', { deterministic: true })
  const value = (options: Readonly<Record<string, boolean>>) => {
    const own = settings('Toy/Once', { gamma: 0.5, rolloutLength: 4, learningRate: 0.02, finalLearningRate: 0.002 })
    const makeEnvironments = (count: number) => wrapVector(makeVectorEnv('Toy/Once', count, options), [])
    const context = { settings: own, engine, threads: null, makeEnvironments }
    const algorithm = new PPO(context)
    const { network, parameters } = algorithm
    network.write(parameters, initialParameters(own.network, 1))
    for (let i = 0; i < 200; i++) algorithm.iterate(i * 50, 1)
    network.forward(parameters, Float32Array.of(1, 0), 1)
    const [learned] = network.output('value')
    algorithm.dispose()
    return learned!
  }
  assertClose([value({ terminated: true })], [1], 0, 0.02)
  assertClose([value({ truncated: true })], [1 / (1 - 0.5)], 0, 0.04)
  assertClose([value({ terminated: true, truncated: true })], [1], 0, 0.02)
})

test('an update that is not finite changes nothing but a counter; training goes on after it', async () => {
  // Each of the four environments breaks in the steps 6 to 15 of its own: the rollouts of steps 1 to 8 and 9 to 16 hold such rewards.
  const environment = { id: 'Toy/Broken', options: { from: 6, to: 15 } }
  const learner = await createLearner(settings('Toy/Broken', { batchSize: 32 }, { environment }))
  const before = parametersOf(learner)
  update(learner, 2)
  assert.deepEqual(parametersOf(learner), before)
  update(learner, 1)
  assert.notDeepEqual(parametersOf(learner), before)
  const { updates, statistics } = learner.progress(false, null)
  assert.deepEqual([updates, statistics['train/skipped_updates']], [4, 2])
  assert.ok(Object.values(statistics).every(Number.isFinite))
})

test('ten bad updates in a row end the learner with the terms named', async () => {
  const environment = { id: 'Toy/Broken', options: { from: 1, to: 1e9 } }
  const learner = await createLearner(settings('Toy/Broken', {}, { environment }))
  update(learner, 9)
  assert.throws(() => learner.update(), {
    code: 'diverged',
    message: /^Training stopped because policy loss and value loss were no finite numbers/,
  })
})

/** As a preset has them. */
function presetSettings(id: string, seed: number, name?: string): LearnerSettings {
  const { hyperparameters, horizonSteps, wrappers = [], network: plan } = preset('ppo', id, name)
  const network = presetNetwork('ppo', plan, id, {}, wrappers)
  const algorithm = { id: 'ppo', hyperparameters, horizonSteps }
  return toySettings(id, {}, { algorithm, network, wrappers, weightsSeed: seed, actorSeed: seed })
}

for (const named of Object.keys(presets)) {
  // The entry for all others, by an environment that has none of its own.
  const [id = named, name] = named === '*' ? ['LunarLanderContinuous-v3'] : named.split(' ')
  test(`the preset of ppo for ${id} ${name ?? ''} is valid and runs`, async () => {
    const { hyperparameters, horizonSteps, period } = preset('ppo', id, name)
    assert.deepEqual(hyperparameterFaults('ppo', hyperparameters), [])
    assert.ok(Number.isInteger(horizonSteps) && Number.isInteger(period))
    const learner = await createLearner(presetSettings(id, 1, name))
    learner.update()
    assert.ok(learner.updates > 0)
    learner.dispose()
  })
}

test('PPO balances the pole of CartPole-v1 within 30,000 steps', async () => {
  const settings = presetSettings('CartPole-v1', 5)
  const learner = await createLearner(settings)
  const engine = await createEngine('wasm', { deterministic: true })
  const evaluator = new Evaluator(wrapVector(makeVectorEnv('CartPole-v1', 20), []), settings.network, engine)
  let best = 0
  while (best < 500 && learner.steps < 30_000) {
    for (let i = 0; i < 64; i++) learner.update()
    const replica = { parameters: parametersOf(learner), normalisers: [] }
    best = evaluator.evaluate(replica, { episodes: 20, deterministic: true, seed: 1_000 }).mean
  }
  assert.equal(best, 500)
  learner.dispose()
  evaluator.dispose()
})

for (const actionSpace of [THREE, PLANE]) {
  for (const valueClipRange of [null, 0.2]) {
    test(`the gradient of the whole loss agrees with finite differences (${actionSpace.kind}, value clip ${valueClipRange})`, async () => {
      const spec = actorCriticNetwork({ torso: [], head: [{ kind: 'dense', units: 4, activation: 'tanh' }] }, OBSERVED, actionSpace)
      const engine = await createEngine('wasm', { deterministic: true })
      const network = engine.build(spec, 6)
      const policy = createPolicyHead(network, actionSpace, 6)
      const random = seededRandom(4)
      const canonical = initialParameters(spec, 3).map((value) => value + random.uniform() - 0.5)
      const parameters = network.allocate()
      network.write(parameters, canonical)
      const samples: Samples = {
        observations: Float32Array.from({ length: 12 }, () => 2 * random.uniform() - 1),
        actions: policy.allocate(6),
        logProbs: new Float32Array(6),
        values: new Float32Array(6),
        advantages: Float32Array.of(1.5, -0.7, 0.4, -1.2, 0.9, -0.3),
        returns: new Float32Array(6),
      }
      network.forward(parameters, samples.observations, 6)
      policy.sample(random, samples.actions)
      policy.evaluate(samples.actions, samples.logProbs)
      // Log ratios within and beyond the clip range and values on both sides of theirs, all away from where the loss has a kink.
      const offsets = [0.4, -0.4, -0.4, 0.4, 0.05, -0.05]
      for (let i = 0; i < 6; i++) {
        samples.logProbs[i]! -= offsets[i]!
        samples.values[i] = network.output('value')[i]! - 1.5 * offsets[i]!
        samples.returns[i] = network.output('value')[i]! + [1, -1, 1, -1, 0.5, 0.3][i]!
      }
      const loss = new PpoLoss(network, policy, 6)
      const coefficients = { clipRange: 0.2, valueClipRange, valueCoefficient: 0.5, entropyCoefficient: 0.1 }
      const at = (values: Float32Array) => {
        network.write(parameters, values)
        network.forward(parameters, samples.observations, 6)
        return loss.evaluate(samples, coefficients).loss
      }
      at(canonical)
      const arena = network.allocate()
      network.backward(parameters, samples.observations, 6, arena)
      const gradient = new Float32Array(canonical.length)
      network.read(arena, gradient)

      const h = 1 / 128
      let error = 0
      let size = 0
      for (let i = 0; i < canonical.length; i++) {
        const shifted = (by: number) => at(canonical.map((value, j) => (j === i ? value + by : value)))
        const numeric = (shifted(h) - shifted(-h)) / (2 * h)
        error += (numeric - gradient[i]!) ** 2
        size += numeric ** 2
      }
      assert.ok(size > 0.01)
      assert.ok(Math.sqrt(error / size) < 1e-3, `relative error ${Math.sqrt(error / size)}`)
    })
  }
}
