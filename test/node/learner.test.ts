import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { createLearner } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import { startLearnerThread } from '../../src/node/learner-thread.ts'
import type { Learner, LearnerSettings, Progress } from '../../src/ports/learner.ts'
import { faultySettings } from '../support/faulty.ts'
import { presetSettings } from '../support/preset-settings.ts'

const started: Worker[] = []
const remember = (worker: Worker) => started.push(worker)
process.on('worker', remember)
after(() => process.off('worker', remember))

function settings(changes: Partial<LearnerSettings> = {}): LearnerSettings {
  return presetSettings('a2c', 'CartPole-v1', changes)
}

/** Runs `use` with a learner thread and proves that stopping it leaves no thread behind. */
async function withLearner(changes: Partial<LearnerSettings>, use: (learner: Learner) => Promise<void>): Promise<void> {
  const learner = await startLearnerThread(settings(changes))
  const worker = started.at(-1)!
  try {
    await use(learner)
  } finally {
    await learner.stop()
    // A thread that is gone has no id any more.
    assert.equal(worker.threadId, -1)
  }
}

test('a thread learns the same as the core in the same number of updates', async () => {
  await withLearner({ untilSteps: 2000 }, async (learner) => {
    assert.equal(learner.progress().holding, true)
    const first = await learner.snapshot()
    assert.deepEqual([first.version, first.steps, first.target], [0, 0, null])
    await learner.run()
    // Resolves when the step limit makes it hold.
    const progress = await learner.reach(1e6)
    assert.deepEqual([progress.steps, progress.updates, progress.holding], [2000, 50, true])
    assert.ok(progress.cpuMs === null || progress.cpuMs > 0)
    const core = await createLearner(settings())
    for (let i = 0; i < 50; i++) core.update()
    const parameters = new Float32Array(core.description.parameterCount)
    core.snapshot({ parameters, target: null })
    const replica = await learner.snapshot()
    assert.deepEqual(Float32Array.from(replica.parameters), parameters)
    assert.deepEqual([replica.version, replica.steps], [50, 2000])
    assert.deepEqual(learner.describe(), core.description)
  })
})

test('requests are served while it runs, in order, and it goes on', async () => {
  await withLearner({}, async (learner) => {
    const { parameterCount } = learner.describe()
    await learner.run()
    await learner.reach(3)
    await learner.hold()
    const before = Float32Array.from((await learner.snapshot()).parameters)
    const ones = new Float32Array(parameterCount).fill(1)
    const shared = new Float32Array(new SharedArrayBuffer(4 * parameterCount)).fill(2)
    // None is awaited before the next: each must be applied once, before the snapshot.
    const mixes = [learner.mix(ones), learner.mix(shared), learner.mix(ones)]
    const mixed = await learner.snapshot()
    await Promise.all(mixes)
    const expected = before.map((value) => Math.fround(Math.fround(Math.fround(value + 1) + 2) + 1))
    assert.deepEqual(Float32Array.from(mixed.parameters), expected)
    await learner.run()
    const { updates } = learner.progress()
    await Promise.all([learner.mix(ones), learner.reach(updates + 20), learner.reach(updates + 10), learner.snapshot()])
    assert.ok(learner.progress().updates >= updates + 20)
    await assert.rejects(learner.adopt(mixed), { code: 'not_holding', fault: 'local' })
    await assert.rejects(learner.mix(new Float32Array(3)), { code: 'shape' })
  })
})

test('moments come with snapshots and are averaged between updates, where the run says so', async () => {
  await withLearner({ moments: 'averaged' }, async (learner) => {
    const { parameterCount, moments: kinds } = learner.describe()
    assert.deepEqual(kinds, ['square'])
    await learner.run()
    await learner.reach(3)
    await learner.hold()
    const before = (await learner.snapshot()).moments!
    assert.equal(before.steps, learner.progress().updates)
    const squares = before.values.slice()
    assert.equal(squares.length, parameterCount)
    assert.ok(squares.some((value) => value > 0))
    const delta = new Float32Array(parameterCount).fill(1)
    const nothing = new Float32Array(parameterCount)
    await learner.mix(nothing, { delta, others: [{ weight: 0.5, steps: 3 }] })
    assert.deepEqual(
      (await learner.snapshot()).moments!.values.slice(),
      squares.map((value) => value + 1),
    )
    await assert.rejects(learner.mix(nothing, { delta: delta.subarray(1), others: [] }), { code: 'shape' })
    await learner.run()
    await Promise.all([
      learner.mix(nothing, { delta, others: [{ weight: 0.5, steps: 3 }] }),
      learner.reach(learner.progress().updates + 20),
    ])
    assert.ok((await learner.snapshot()).moments!.values.every((value) => Number.isFinite(value) && value >= 0))
  })
})

test('a thread multiplies its learning rates as the core does, from the next update on', async () => {
  const core = await createLearner(settings())
  const learnt = async (learner: Learner, factor: number) => {
    await learner.setRateFactor(factor)
    await learner.run()
    await learner.reach(1e6)
    return Float32Array.from((await learner.snapshot()).parameters)
  }
  core.setRateFactor(2)
  for (let i = 0; i < 5; i++) core.update()
  const twice = new Float32Array(core.description.parameterCount)
  core.snapshot({ parameters: twice, target: null })
  await withLearner({ untilSteps: 200 }, async (learner) => {
    assert.deepEqual(await learnt(learner, 2), twice)
    for (const factor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(learner.setRateFactor(factor), { code: 'rate' })
  })
  await withLearner({ untilSteps: 200 }, async (learner) => {
    const once = await learnt(learner, 1)
    assert.notDeepEqual(once, twice)
    const plain = await createLearner(settings())
    for (let i = 0; i < 5; i++) plain.update()
    plain.snapshot({ parameters: twice, target: null })
    assert.deepEqual(once, twice)
  })
})

test('experience passes the thread while it runs, in and out', async () => {
  const { hyperparameters, network, horizonSteps } = preset('apex', 'CartPole-v1')
  const changes = {
    algorithm: { id: 'apex', hyperparameters: { ...hyperparameters, learningStarts: 100 }, horizonSteps },
    network: presetNetwork('apex', network, 'CartPole-v1', {}),
    experienceShare: 0.2,
  }
  await withLearner(changes, async (learner) => {
    assert.equal(await learner.offerExperience(64), null)
    await learner.run()
    await learner.reach(100)
    const offer = await learner.offerExperience(10)
    assert.ok(offer?.kind === 'transitions')
    assert.equal(offer.actions.length, 10)
    assert.equal(await learner.takeExperience('someone', offer), true)
    assert.equal(await learner.takeExperience('someone', { ...offer, rewards: offer.rewards.map(() => 1e9) }), false)
    const { updates } = learner.progress()
    await learner.reach(updates + 50)
    await learner.hold()
    const { statistics } = learner.progress()
    assert.deepEqual([statistics['replay/foreign_size'], statistics['replay/foreign_share']], [10, 3 / 64])
  })
  await withLearner({}, async (learner) => assert.equal(await learner.offerExperience(64), null))
})

test('a thread makes at most so many steps a second, answers meanwhile, and goes on', async () => {
  await withLearner({ maxStepsPerSecond: 2_000 }, async (learner) => {
    const startedAtMs = performance.now()
    await learner.run()
    // 400 steps: 0.2 s.
    const { steps } = await learner.reach(10)
    const ms = performance.now() - startedAtMs
    assert.equal(steps, 400)
    assert.ok(ms >= 150, `${ms} ms`)
    const snapshot = await learner.snapshot()
    assert.ok(snapshot.version >= 10)
  })
})

test('an adopted replica is what a snapshot returns', async () => {
  await withLearner({}, async (learner) => {
    const parameters = new Float32Array(learner.describe().parameterCount).map((_, i) => i / 1000)
    await learner.adopt({ parameters, target: null, version: 12, steps: 480, normalisers: [] })
    const replica = await learner.snapshot()
    assert.deepEqual(
      { ...replica, parameters: Float32Array.from(replica.parameters) },
      { parameters, target: null, version: 12, steps: 480, normalisers: [], ownNormalisers: [] },
    )
  })
})

test('progress arrives by itself, and at once when a hold begins', async () => {
  await withLearner({}, async (learner) => {
    const reports: Progress[] = []
    const three = Promise.withResolvers<void>()
    const unsubscribe = learner.onProgress((progress) => {
      reports.push(progress)
      if (reports.length === 3) three.resolve()
    })
    await learner.run()
    await three.promise
    await learner.hold()
    assert.equal(reports.at(-1)!.holding, true)
    assert.ok(reports[2]!.steps > reports[0]!.steps)
    assert.ok('train/policy_loss' in reports[2]!.statistics)
    unsubscribe()
  })
})

test('waiting ends when its signal aborts', async () => {
  await withLearner({}, async (learner) => {
    await learner.run()
    const controller = new AbortController()
    const reached = learner.reach(1e9, controller.signal)
    controller.abort()
    await assert.rejects(reached, { name: 'AbortError' })
    await assert.rejects(learner.reach(1e9, AbortSignal.abort()), { name: 'AbortError' })
  })
})

test('a replica beyond repair ends the learner with a sentence', async () => {
  await withLearner({}, async (learner) => {
    const parameters = new Float32Array(learner.describe().parameterCount).fill(Number.NaN)
    await learner.adopt({ parameters, target: null, version: 0, steps: 0, normalisers: [] })
    const failed = assert.rejects(learner.failed, { code: 'diverged', message: /^Training stopped because .* in 10 updates in a row/ })
    await learner.run()
    await assert.rejects(learner.reach(1000), { code: 'diverged' })
    await failed
    assert.equal(learner.progress().holding, true)
    await assert.rejects(learner.snapshot(), { code: 'diverged' })
  })
})

test('a thread that dies rejects everything with what happened', async () => {
  const learner = await startLearnerThread(settings())
  await learner.run()
  const reached = assert.rejects(learner.reach(1e9), { code: 'learner_crashed' })
  const failed = assert.rejects(learner.failed, { code: 'learner_crashed', message: /^The learner thread crashed \(it ended by itself\)/ })
  await started.at(-1)!.terminate()
  await Promise.all([reached, failed])
  await assert.rejects(learner.mix(new Float32Array(learner.describe().parameterCount)), { code: 'learner_crashed' })
  await learner.stop()
})

test('what cannot be built rejects with its own error and leaves no thread', async () => {
  await assert.rejects(startLearnerThread(settings({ environment: { id: 'CartPole-v9', options: {} } })), {
    name: 'GrapevineError',
    code: 'unknown_environment',
  })
  assert.equal(started.at(-1)!.threadId, -1)
})

test('stop is quick, idempotent, and refuses what comes after', async () => {
  const learner = await startLearnerThread(settings())
  await learner.run()
  const reached = assert.rejects(learner.reach(1e9), { code: 'stopped' })
  const begun = performance.now()
  await Promise.all([learner.stop(), learner.stop()])
  assert.ok(performance.now() - begun < 1000)
  await reached
  await assert.rejects(learner.snapshot(), { code: 'stopped' })
  // `failed` stays pending: stopping is no failure.
  assert.equal(await Promise.race([learner.failed, sleep(1, 'pending')]), 'pending')
})

test('a thread saves its state and another goes on from it bit for bit', async () => {
  const core = await createLearner(settings())
  for (let i = 0; i < 50; i++) core.update()
  await withLearner({ untilSteps: 1000 }, async (learner) => {
    await learner.run()
    assert.equal((await learner.reach(1e6)).updates, 25)
    const state = await learner.saveState({ replay: true })
    await withLearner({ untilSteps: 2000 }, async (second) => {
      await second.restoreState(state)
      assert.equal(second.progress().updates, 25)
      await second.run()
      assert.equal((await second.reach(1e6)).updates, 50)
      assert.deepEqual(await second.saveState({ replay: true }), core.saveState({ replay: true }))
    })
    // The first is none the worse for it.
    assert.deepEqual(await learner.saveState({ replay: true }), state)
  })
})

/** Of a module whose environments hang in their 20th step, `times` times in all. */
function hanging(times: number): LearnerSettings {
  return faultySettings('a2c', { faults: new Int32Array(new SharedArrayBuffer(4)).fill(times), hangs: true })
}

test('an environment that hangs is named and counted, and the learner goes on from what was kept, with every request answered', async () => {
  const learner = await startLearnerThread(hanging(1), undefined, undefined, { hangMs: 1_000, keepMs: 60_000 })
  const told: (string | null)[] = []
  learner.onProgress(({ actors }) => told.push(actors?.lastFault ?? null))
  const { parameterCount } = learner.describe()
  const replica = { version: 100, steps: 1_000, parameters: new Float32Array(parameterCount).fill(0.01), target: null, normalisers: [] }
  await learner.adopt(replica)
  await learner.setRateFactor(0.5)
  await learner.run()
  // These come while it hangs or before: the thread that answers is another one than was asked.
  const mixed = learner.mix(new Float32Array(parameterCount))
  const progress = await learner.reach(500)
  await mixed
  assert.equal(progress.actors?.restarts, 1)
  const fault = 'Test/Faulty-v0 did not come back from a step for 1 s; its learner was started again from the state kept last.'
  assert.equal(progress.actors?.lastFault, fault)
  const { version } = await learner.snapshot()
  assert.ok(version >= 600, `${version}`)
  await learner.hold()
  assert.ok(told.includes(fault))
  const { statistics } = learner.progress()
  assert.equal(statistics['environment/restarts'], 1)
  await learner.stop()
  assert.equal(started.at(-1)!.threadId, -1)
  assert.equal(started.at(-2)!.threadId, -1)
})

test('an environment that hangs again and again is given up by name', async () => {
  const learner = await startLearnerThread(hanging(1_000), undefined, undefined, { hangMs: 300, keepMs: 60_000 })
  await learner.run()
  const error = {
    code: 'environment_hung',
    message:
      'Test/Faulty-v0 did not come back from a step for 0.3 s, 6 times in a row, and is given up; correct it, then try it with `grapevine envs --check`.',
  }
  const waiting = learner.reach(1_000_000)
  await assert.rejects(learner.failed, error)
  await assert.rejects(waiting, error)
  await assert.rejects(learner.snapshot(), error)
  assert.equal(learner.progress().holding, true)
  await learner.stop()
  assert.equal(started.at(-1)!.threadId, -1)
})
