/** A learner that is saved and restored goes on bit for bit: after as many updates everything it would save again is the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InlineLearner } from '../../src/learn/inline-learner.ts'
import { createLearner, type LearnerCore } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import { begunAnew } from '../../src/learn/state.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { toySettings } from './toy.ts'

const WITH_REPLAY = { replay: true }

function settings(algorithm: string, environment: string, changes: Readonly<Record<string, HyperValue>> = {}): LearnerSettings {
  const { hyperparameters, network, wrappers = [], horizonSteps } = preset(algorithm, environment)
  return {
    ...toySettings('Toy/Choice'),
    environment: { id: environment, options: {} },
    wrappers,
    algorithm: { id: algorithm, hyperparameters: { ...hyperparameters, ...changes }, horizonSteps },
    network: presetNetwork(algorithm, network, environment, {}, wrappers),
  }
}

function advance(core: LearnerCore, updates: number): void {
  while (core.updates < updates) core.update()
}

/** Small sizes, so that updates are quick and episodes end in between. */
const CASES: readonly [string, Readonly<Record<string, HyperValue>>, number][] = [
  ['a2c', { environments: 4 }, 40],
  ['a3c', { environments: 2, workers: 3 }, 40],
  ['impala', { environments: 4, rolloutLength: 5, inlineLag: 2 }, 40],
  ['ppo', { environments: 4, rolloutLength: 16, batchSize: 24, epochs: 2 }, 24],
  ['apex', { environments: 4, learningStarts: 100, replayCapacity: 300, batchSize: 16, targetPeriod: 7 }, 90],
]

for (const environment of ['CartPole-v1', 'MinAtar/Breakout-v1']) {
  for (const [algorithm, changes, updates] of CASES) {
    test(`${algorithm} on ${environment}: saved and restored equals never stopped`, async () => {
      const chosen = settings(algorithm, environment, changes)
      const whole = await createLearner(chosen)
      advance(whole, updates)
      const state = structuredClone(whole.saveState(WITH_REPLAY))
      const saved = whole.progress(true, null)
      advance(whole, 2 * updates)

      const second = await createLearner(chosen)
      second.restoreState(state)
      const restored = second.progress(true, null)
      assert.deepEqual(
        [restored.steps, restored.updates, restored.episodes, restored.returnMean],
        [saved.steps, saved.updates, saved.episodes, saved.returnMean],
      )
      assert.deepEqual(second.saveState(WITH_REPLAY), state)
      advance(second, 2 * updates)
      assert.deepEqual(second.saveState(WITH_REPLAY), whole.saveState(WITH_REPLAY))
      assert.deepEqual(second.progress(true, null), whole.progress(true, null))
      assert.notDeepEqual(second.saveState(WITH_REPLAY).parameters, state.parameters)
      whole.dispose()
      second.dispose()
    })
  }
}

test("normalisers are restored with the replica, others' part included", async () => {
  const chosen = settings('ppo', 'Pendulum-v1', { environments: 4, rolloutLength: 16, batchSize: 32 })
  assert.ok(chosen.wrappers.some(({ id }) => id.startsWith('normalise')))
  const whole = await createLearner(chosen)
  advance(whole, 8)
  whole.mergeNormalisers([whole.normalisers().own])
  const second = await createLearner(chosen)
  second.restoreState(whole.saveState(WITH_REPLAY))
  assert.deepEqual(second.normalisers(), whole.normalisers())
  advance(whole, 24)
  advance(second, 24)
  assert.deepEqual(second.saveState(WITH_REPLAY), whole.saveState(WITH_REPLAY))
})

test('environments that cannot save their state begin new episodes, and everything else goes on', async () => {
  const chosen = toySettings('Toy/Choice')
  const whole = await createLearner(chosen)
  advance(whole, 10)
  const state = whole.saveState(WITH_REPLAY)
  const second = await createLearner(chosen)
  second.restoreState(state)
  assert.deepEqual(second.saveState(WITH_REPLAY).parameters, state.parameters)
  assert.equal(second.steps, whole.steps)
  advance(second, 20)
  assert.equal(second.steps, 2 * whole.steps)
})

test('without its memory apex fills a new one before it updates again', async () => {
  const chosen = settings('apex', 'CartPole-v1', { environments: 4, learningStarts: 100, replayCapacity: 300, batchSize: 16 })
  const whole = await createLearner(chosen)
  advance(whole, 30)
  const state = whole.saveState({ replay: false })
  assert.equal(
    Object.keys(state).some((name) => name.includes('replay')),
    false,
  )
  const second = await createLearner(chosen)
  second.restoreState(state)
  const { steps, updates } = second
  while (second.updates === updates) second.update()
  assert.ok(second.steps - steps >= 100, `${second.steps - steps} steps before the first update`)
})

test('a state of another algorithm, network or count of environments is refused by name', async () => {
  const saved = settings('a2c', 'CartPole-v1', { environments: 4 })
  const state = (await createLearner(saved)).saveState(WITH_REPLAY)
  const others: readonly [LearnerSettings, RegExp][] = [
    [settings('a2c', 'MinAtar/Breakout-v1', { environments: 4 }), /"parameters" has \d+ elements where/],
    [settings('a2c', 'CartPole-v1', { environments: 8 }), /has \d+ (elements|bytes)/],
    [
      { ...settings('ppo', 'CartPole-v1', { environments: 4 }), network: saved.network },
      /^A saved learner does not fit this one: its field ".+" is missing\.$/,
    ],
  ]
  for (const [other, message] of others) {
    const core = await createLearner(other)
    assert.throws(() => core.restoreState(state), { code: 'state', message })
  }
})

test('the port saves and restores while holding only', async () => {
  const clock = new VirtualClock()
  const chosen = settings('a2c', 'CartPole-v1', { environments: 4 })
  const learner = new InlineLearner(await createLearner(chosen), clock, { updateMs: 10, sliceUpdates: 1 })
  await learner.run()
  await clock.run(500)
  const state = await learner.saveState(WITH_REPLAY)
  await assert.rejects(learner.restoreState(state), { code: 'not_holding' })
  await clock.run(500)
  await learner.hold()
  const second = new InlineLearner(await createLearner(chosen), clock, { updateMs: 10, sliceUpdates: 1 })
  await second.restoreState(state)
  await second.run()
  await clock.run(500)
  await second.hold()
  assert.deepEqual(await second.snapshot(), await learner.snapshot())
})

for (const [algorithm, changes, updates] of CASES) {
  test(`${algorithm} begun anew: what was learned stays, episodes and draws are others in each life`, async () => {
    const chosen = settings(algorithm, 'CartPole-v1', changes)
    const whole = await createLearner(chosen)
    advance(whole, updates)
    const state = structuredClone(whole.saveState({ replay: false }))
    const lives = [state, begunAnew(state, 1), begunAnew(state, 2)]
    const ends: string[] = []
    for (const life of lives) {
      const core = await createLearner(chosen)
      core.restoreState(life)
      assert.deepEqual(core.saveState({ replay: false }).parameters, state.parameters)
      assert.equal(core.updates, whole.updates)
      advance(core, 2 * updates)
      ends.push(String(core.saveState({ replay: false }).parameters))
      core.dispose()
    }
    assert.equal(new Set(ends).size, 3)
    whole.dispose()
  })
}
