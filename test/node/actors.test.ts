import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLearner, type LearnerCore } from '../../src/learn/learner.ts'
import { ROLLOUTS_AHEAD } from '../../src/learn/limits.ts'
import { actorThreads } from '../../src/node/actor-threads.ts'
import { startLearnerThread } from '../../src/node/learner-thread.ts'
import { registerOwnModule } from '../../src/node/own-module.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { watchActors } from '../../src/peer/actor-warnings.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import type { Manifest } from '../../src/wire/manifest.ts'
import { faultyModule, faultySettings } from '../support/faulty.ts'

await registerOwnModule(faultyModule)

/** Generous: the machines that run this are slow and busy, and nothing below waits longer than it must. */
const TIMEOUT = { timeout: 60_000 }

function settings(algorithm: string, options: Readonly<Record<string, unknown>> = {}, actors = 2): LearnerSettings {
  return faultySettings(algorithm, options, actors)
}

/** Updates until `done`, giving the event loop its turns. */
async function updateUntil(learner: LearnerCore, done: () => boolean): Promise<void> {
  while (!done()) {
    learner.update()
    await nextTurn()
  }
}

for (const algorithm of ['impala', 'apex', 'a3c']) {
  test(`${algorithm} learns from two threads`, TIMEOUT, async () => {
    const learner = await createLearner(settings(algorithm), undefined, actorThreads(2))
    const solved = () => (learner.progress(false, null).returnMean ?? 0) > 3.8
    await updateUntil(learner, solved)
    const { updates, steps, episodes, actors } = learner.progress(false, null)
    assert.ok(updates > 0 && episodes > 0)
    // Ape-X makes an update for every two steps.
    const least = algorithm === 'apex' ? 2 * (updates - 1) : 20 * updates
    assert.ok(steps >= least, `${steps} steps in ${updates} updates`)
    assert.deepEqual(actors, { restarts: 0, lastFault: null })
    // Sooner or later one thread collects while the rollout of the other is learned from.
    if (algorithm === 'impala') await updateUntil(learner, () => learner.progress(false, null).statistics['train/policy_lag_max']! >= 1)
    learner.dispose()
  })

  test(`${algorithm} names, counts and replaces environments that crash, and goes on`, TIMEOUT, async () => {
    const faults = new Int32Array(new SharedArrayBuffer(4)).fill(3)
    const learner = await createLearner(settings(algorithm, { faults }), undefined, actorThreads(2))
    await updateUntil(learner, () => learner.updates > 30 && learner.progress(false, null).actors!.restarts >= 3)
    const { actors, statistics } = learner.progress(false, null)
    assert.equal(actors!.restarts, 3)
    assert.match(actors!.lastFault!, /^Actor [01] was started again: the door is stuck\.$/)
    assert.equal(statistics['actors/restarts'], 3)
    learner.dispose()
  })

  test(`${algorithm} names, counts and replaces an actor that hangs, and goes on without it`, TIMEOUT, async () => {
    const faults = new Int32Array(new SharedArrayBuffer(4)).fill(1)
    const learner = await createLearner(settings(algorithm, { faults, hangs: true }), undefined, actorThreads(2, 2_000))
    await updateUntil(learner, () => learner.progress(false, null).actors!.restarts >= 1)
    assert.match(learner.progress(false, null).actors!.lastFault!, /its environments did not move for 2 s\.$/)
    const before = learner.updates
    await updateUntil(learner, () => learner.updates > before + 30)
    assert.equal(faults[0]! <= 0, true)
    learner.dispose()
  })
}

for (const algorithm of ['impala', 'apex', 'a3c']) {
  test(`${algorithm} with threads ends, and names the terms, where no update is finite`, TIMEOUT, async () => {
    const learner = await createLearner(settings(algorithm, { reward: 1e300 }), undefined, actorThreads(2))
    await assert.rejects(
      updateUntil(learner, () => false),
      {
        code: 'diverged',
        message: algorithm === 'apex' ? /because reward was not a finite/ : /because policy loss and value loss were no finite numbers/,
      },
    )
    assert.equal(learner.updates, 0)
    learner.dispose()
  })
}

for (const algorithm of ['a2c', 'a3c', 'apex', 'impala', 'ppo']) {
  test(
    `${algorithm} without threads names, counts and replaces environments that crash, and goes on to the end`,
    TIMEOUT,
    async (context) => {
      const faults = new Int32Array(new SharedArrayBuffer(4)).fill(3)
      const learner = await startLearnerThread({ ...settings(algorithm, { faults }, 0), untilSteps: 3_000 })
      context.after(() => learner.stop())
      const events: PeerEvent[] = []
      watchActors({ learner, manifest: { algorithm: { id: algorithm } } as Manifest }, 0, (event) => events.push(event))
      await learner.run()
      const { steps, actors, statistics } = await learner.reach(1e9)
      assert.ok(steps >= 3_000)
      assert.equal(actors!.restarts, 3)
      assert.equal(statistics['environment/restarts'], 3)
      // Crashes that come together are told together.
      while (!JSON.stringify(events.at(-1) ?? null).includes('so far: 3')) await nextTurn()
      const last = events.at(-1)
      assert.ok(last?.event === 'warning' && last.code === 'actor_restarted')
      assert.match(last.message, /^Environment \d of Test\/Faulty-v0 was made anew: the door is stuck\. Restarts so far: 3\.$/)
    },
  )
}

test('an environment that crashes again and again ends a learner without threads in one sentence', TIMEOUT, async () => {
  const faults = new Int32Array(new SharedArrayBuffer(4)).fill(1_000)
  const learner = await startLearnerThread({ ...settings('a2c', { faults }, 0), untilSteps: null })
  await learner.run()
  await assert.rejects(learner.failed, {
    code: 'environment_failed',
    message: /^Environment \d of .* failed 6 times in a row, at last with/,
  })
  await learner.stop()
})

test("the lag of one actor's rollouts is at most what its ring holds, of several at most maxPolicyLag", TIMEOUT, async () => {
  for (const { actors, own, bound } of [
    { actors: 1, own: {}, bound: ROLLOUTS_AHEAD },
    { actors: 3, own: { maxPolicyLag: 1 }, bound: 1 },
  ]) {
    const base = settings('impala', {}, actors)
    const algorithm = { ...base.algorithm, hyperparameters: { ...base.algorithm.hyperparameters, ...own } }
    const learner = await createLearner({ ...base, algorithm }, undefined, actorThreads(actors))
    let most = 0
    await updateUntil(learner, () => {
      most = Math.max(most, learner.progress(false, null).statistics['train/policy_lag_max']!)
      return learner.updates >= 500
    })
    assert.ok(most <= bound, `${most} updates old, with ${actors} actors`)
    learner.dispose()
  }
})

test('a learner thread starts its actors, holds them for snapshots and mixes, and takes them along when it stops', TIMEOUT, async () => {
  for (const algorithm of ['impala', 'apex', 'a3c']) {
    const learner = await startLearnerThread({ ...settings(algorithm), untilSteps: null })
    await learner.run()
    await learner.reach(20)
    await learner.hold()
    const first = await learner.snapshot()
    const before = first.parameters.slice()
    const again = await learner.snapshot()
    assert.deepEqual(again.parameters, before, 'nobody updates while the learner holds')
    await learner.mix(before.map(() => 0.25))
    const mixed = await learner.snapshot()
    assert.ok(mixed.parameters.every((value, i) => Math.abs(value - before[i]! - 0.25) < 1e-6))
    await learner.run()
    await learner.reach(first.version + 20)
    assert.equal(learner.progress().actors!.restarts, 0)
    await learner.stop()
  }
})

test('what threads cannot do is refused in a sentence', async () => {
  const onTfjs = { ...settings('impala'), engine: 'tfjs' as const }
  await assert.rejects(createLearner(onTfjs, undefined, actorThreads(2)), { code: 'actors', message: /use --engine wasm, or --actors 0/ })
  for (const algorithm of ['impala', 'apex', 'a3c']) {
    const normalised = { ...settings(algorithm), wrappers: [{ id: 'normaliseObservations', options: {} }] }
    await assert.rejects(createLearner(normalised, undefined, actorThreads(2)), {
      code: 'actors',
      message: /^Actor threads do not share the moments of normalising wrappers; use --actors 0 with this preset\.$/,
    })
  }
})

test('what was saved with actor threads goes on with and without them, in new episodes', TIMEOUT, async () => {
  for (const algorithm of ['impala', 'apex', 'a3c']) {
    const first = await createLearner(settings(algorithm), undefined, actorThreads(2))
    await updateUntil(first, () => first.updates >= 20)
    const state = first.saveState({ replay: true })
    first.dispose()
    for (const actors of [2, 0]) {
      const second = await createLearner(settings(algorithm, {}, actors), undefined, actorThreads(actors))
      second.restoreState(state)
      assert.deepEqual(second.saveState({ replay: true }).parameters, state.parameters)
      assert.deepEqual([second.updates, second.steps], [first.updates, first.steps])
      await updateUntil(second, () => second.updates >= first.updates + 50)
      assert.ok(second.steps > first.steps)
      second.dispose()
    }
  }
})
