import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLearner } from '../../src/learn/learner.ts'
import { assertClose } from './helpers.ts'
import { parametersOf, toySettings, update } from './toy.ts'

test('A2C finds the action that pays, counts, and reports it by the usual names', async () => {
  const learner = await createLearner(toySettings('Toy/Choice', {}, { threshold: 3.8 }))
  update(learner, 150)
  const progress = learner.progress(false, null)
  assert.equal(progress.steps, 150 * 4 * 5)
  assert.equal(progress.updates, 150)
  assert.equal(progress.episodes, 4 * Math.floor((150 * 5) / 4))
  assert.ok(progress.returnMean! > 3.8, `mean return ${progress.returnMean}`)
  assert.equal(progress.lengthMean, 4)
  assert.ok(progress.solved!.steps >= 400 && progress.solved!.steps <= progress.steps)
  assert.deepEqual(Object.keys(progress.statistics).sort(), [
    'rollout/ep_len_mean',
    'rollout/ep_rew_mean',
    'train/entropy_loss',
    'train/explained_variance',
    'train/gradient_norm',
    'train/learning_rate',
    'train/n_updates',
    'train/policy_loss',
    'train/skipped_updates',
    'train/value_loss',
  ])
  assertClose([progress.statistics['train/learning_rate']!], [0.02 - (0.01 * (149 * 20)) / 10_000])
  learner.dispose()
})

test('A2C finds a continuous action', async () => {
  const learner = await createLearner(toySettings('Toy/Target', { normaliseAdvantages: true, environments: 16 }))
  const before = learner.progress(false, null).statistics
  assert.ok(!('rollout/ep_rew_mean' in before))
  update(learner, 400)
  const { returnMean, statistics } = learner.progress(false, null)
  assert.ok(returnMean! > -0.5, `mean return ${returnMean}`)
  assert.ok(statistics['train/std']! < 0.5, `deviation ${statistics['train/std']}`)
  learner.dispose()
})

test('large batches in two threads give the same replica twice, and that of one thread up to the order of sums', async () => {
  const replica = async (threads: number) => {
    const learner = await createLearner(toySettings('Toy/Choice', { environments: 256, learningRate: 1e-3 }, { threads }))
    update(learner, 5)
    const parameters = parametersOf(learner)
    learner.dispose()
    return parameters
  }
  const [one, two, again] = [await replica(1), await replica(2), await replica(2)]
  assert.deepEqual(again, two)
  assert.notDeepEqual(one, two)
  assertClose(two, one, 1e-5)
})

test('equal seeds give equal replicas, other actor seeds others, from the same initial weights', async () => {
  const [a, b, c] = await Promise.all([2, 2, 3].map((actorSeed) => createLearner(toySettings('Toy/Choice', {}, { actorSeed }))))
  assert.deepEqual(parametersOf(a!), parametersOf(c!))
  for (const learner of [a!, b!, c!]) update(learner, 5)
  assert.deepEqual(parametersOf(a!), parametersOf(b!))
  assert.notDeepEqual(parametersOf(a!), parametersOf(c!))
})

test('a mix adds, an adoption replaces and takes up the place in the schedules', async () => {
  const learner = await createLearner(toySettings('Toy/Choice'))
  update(learner, 3)
  const before = parametersOf(learner)
  const delta = before.map((_, i) => (i % 3) / 8)
  learner.mix(delta)
  assertClose(
    parametersOf(learner),
    before.map((value, i) => value + delta[i]!),
  )
  learner.adopt({ parameters: delta, target: null, version: 100, steps: 5_000, normalisers: [] })
  assert.deepEqual(parametersOf(learner), delta)
  assert.deepEqual([learner.version, learner.scheduleSteps, learner.updates, learner.steps], [100, 5_000, 3, 60])
  update(learner, 2)
  assert.deepEqual([learner.version, learner.scheduleSteps], [102, 5_040])
  assertClose([learner.progress(false, null).statistics['train/learning_rate']!], [0.02 - (0.01 * 5_020) / 10_000])
})

test('an update that is not finite changes nothing but a counter; training goes on after it', async () => {
  const environment = { id: 'Toy/Broken', options: { from: 6, to: 15 } }
  const learner = await createLearner(toySettings('Toy/Broken', {}, { environment }))
  update(learner, 1)
  const before = parametersOf(learner)
  update(learner, 2)
  assert.deepEqual(parametersOf(learner), before)
  update(learner, 1)
  assert.notDeepEqual(parametersOf(learner), before)
  const { updates, statistics } = learner.progress(false, null)
  assert.equal(updates, 2)
  assert.equal(statistics['train/skipped_updates'], 2)
  assert.ok(Object.values(statistics).every(Number.isFinite))
})

test('ten bad updates in a row end the learner with the terms named', async () => {
  const environment = { id: 'Toy/Broken', options: { from: 1, to: 1e9 } }
  const learner = await createLearner(toySettings('Toy/Broken', {}, { environment }))
  update(learner, 9)
  assert.throws(() => learner.update(), {
    code: 'diverged',
    message: /^Training stopped because policy loss and value loss were no finite numbers/,
  })
})

test('a gradient that overflows is named, whatever the loss', async () => {
  const learner = await createLearner(toySettings('Toy/Choice'))
  const { parameterCount } = learner.description
  learner.adopt({ parameters: new Float32Array(parameterCount).fill(3e38), target: null, version: 0, steps: 0, normalisers: [] })
  update(learner, 9)
  assert.throws(() => learner.update(), { code: 'diverged' })
})

test('a step limit is seen at the next update boundary', async () => {
  const learner = await createLearner(toySettings('Toy/Choice', {}, { untilSteps: 41 }))
  update(learner, 2)
  assert.equal(learner.exhausted, false)
  update(learner, 1)
  assert.equal(learner.exhausted, true)
})

test('settings that cannot work are refused in a sentence', async () => {
  const network = (changes: object) => ({ network: { ...toySettings('Toy/Choice').network, ...changes } })
  await assert.rejects(createLearner(toySettings('Toy/Choice', { gamma: 2 })), { code: 'hyperparameter' })
  await assert.rejects(createLearner(toySettings('Toy/Choice', {}, network({ input: [3] }))), {
    code: 'network_mismatch',
    message: 'The network takes observations of shape [3], but Toy/Choice gives [2].',
  })
  await assert.rejects(createLearner(toySettings('Toy/Target', {}, network({}))), {
    code: 'network_mismatch',
    message: "The network needs an output 'mean' of size 1 here, but it has none of that name.",
  })
  await assert.rejects(createLearner(toySettings('Toy/None')), { code: 'unknown_environment' })
  const algorithm = { id: 'sarsa', hyperparameters: {}, horizonSteps: 1 }
  await assert.rejects(createLearner(toySettings('Toy/Choice', {}, { algorithm })), { code: 'algorithm' })
})

test('averaged moments: means move by the delta, squares never below the own share, steps as the zeros that are left', async () => {
  const learner = await createLearner(toySettings('Toy/Choice', { optimiser: 'adam', optimiserDecay: 0.999 }, { moments: 'averaged' }))
  const n = learner.description.parameterCount
  assert.deepEqual(learner.description.moments, ['mean', 'square'])
  const state = learner.saveState({ replay: false })
  const filled = (first: number, second: number, count: number) => ({
    ...state,
    'optimiser/0': new Float32Array(n).fill(first),
    'optimiser/1': new Float32Array(n).fill(second),
    'optimiser/count': Float64Array.of(count),
  })
  const momentsOf = () => {
    const values = new Float32Array(2 * n)
    learner.snapshot({ parameters: new Float32Array(n), target: null, moments: values })
    assert.ok(values.subarray(0, n).every((value) => value === values[0]))
    assert.ok(values.subarray(n).every((value) => value === values[n]))
    return [values[0], values[n], learner.optimiserSteps]
  }
  const mix = (first: number, second: number, others: readonly { weight: number; steps: number }[]) => {
    const delta = new Float32Array(2 * n).fill(first, 0, n).fill(second, n)
    learner.mix(new Float32Array(n), { delta, others })
    return momentsOf()
  }
  learner.restoreState(filled(2, 1, 100))
  assert.deepEqual(momentsOf(), [2, 1, 100])
  // 0.999^100 = 0.9048 and 0.999^300 = 0.7407: half of each is 0.8227 = 0.999^195.
  assert.deepEqual(mix(1, 4, [{ weight: 0.5, steps: 300 }]), [3, 5, 195])
  // Who has begun only now knows zeros: 1/2 of 0.8227 and 1/2 of 1 is 0.9114 = 0.999^93.
  assert.deepEqual(mix(-1.5, -2.5, [{ weight: 0.5, steps: 0 }]), [1.5, 2.5, 93])
  // Made of squares that were 40: they have shrunk to 2.5 since, of which a quarter is ours.
  assert.deepEqual(
    mix(-3, -30, [
      { weight: 0.5, steps: 93 },
      { weight: 0.25, steps: 93 },
    ]),
    [-1.5, 0.625, 93],
  )
  // A claim moves the count to where nothing changes any more, and no further.
  const [, , steps] = mix(0, 0, [{ weight: 1, steps: Number.MAX_SAFE_INTEGER }])
  assert.equal(steps, Math.ceil(Math.log(2 ** -52) / Math.log(0.999)))
  update(learner, 1)
  assert.equal(learner.optimiserSteps, steps! + 1)
  learner.dispose()
})

test('moments: a mix leaves them alone, or makes the optimiser begin anew where the run says reset', async () => {
  const optimiser = (learner: Awaited<ReturnType<typeof createLearner>>) =>
    Object.entries(learner.saveState({ replay: false })).filter(([name]) => name.startsWith('optimiser/'))
  for (const moments of [undefined, 'reset'] as const) {
    const learner = await createLearner(toySettings('Toy/Choice', {}, moments === undefined ? {} : { moments }))
    update(learner, 3)
    const before = optimiser(learner)
    const parameters = parametersOf(learner)
    assert.ok(before.some(([, values]) => values.some((value) => value !== 0)))
    learner.mix(parameters.map(() => 0.5))
    assert.deepEqual(
      parametersOf(learner),
      parameters.map((value) => Math.fround(value + 0.5)),
    )
    const after = optimiser(learner)
    if (moments === undefined) assert.deepEqual(after, before)
    else assert.ok(after.every(([, values]) => values.every((value) => value === 0)))
    update(learner, 1)
    assert.ok(optimiser(learner).some(([, values]) => values.some((value) => value !== 0)))
    learner.dispose()
  }
})
