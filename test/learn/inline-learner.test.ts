import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InlineLearner } from '../../src/learn/inline-learner.ts'
import { createLearner } from '../../src/learn/learner.ts'
import type { LearnerSettings, Progress } from '../../src/ports/learner.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { toySettings } from './toy.ts'

async function setup(changes: Partial<LearnerSettings> = {}, sliceUpdates = 4, environment = 'Toy/Choice') {
  const clock = new VirtualClock()
  const learner = new InlineLearner(await createLearner(toySettings(environment, {}, changes)), clock, { updateMs: 10, sliceUpdates })
  const reports: Progress[] = []
  learner.onProgress((progress) => reports.push(progress))
  return { clock, learner, reports }
}

test('updates take their time of the clock, and none without run', async () => {
  const { clock, learner } = await setup()
  await clock.run(1000)
  assert.equal(learner.progress().updates, 0)
  assert.equal(learner.progress().holding, true)
  await learner.run()
  await clock.run(1000)
  assert.equal(learner.progress().updates, 100)
  await learner.hold()
  await clock.run(1000)
  assert.equal(learner.progress().updates, 100)
  await learner.stop()
})

test('reach resolves at exactly that update, whatever the slice', async () => {
  const { clock, learner } = await setup({}, 8)
  await learner.run()
  const times: number[] = []
  const periods = (async () => {
    for (let round = 1; round <= 3; round++) {
      const progress = await learner.reach(round * 5)
      assert.equal(progress.updates, round * 5)
      times.push(clock.now())
    }
  })()
  await clock.run(500)
  await periods
  assert.deepEqual(times, [50, 100, 150])
  await learner.stop()
})

test('reach resolves at once while holding, when a hold begins, and rejects when its signal aborts', async () => {
  const { clock, learner } = await setup({ untilSteps: 100 })
  assert.equal((await learner.reach(1000)).updates, 0)
  await learner.run()
  const controller = new AbortController()
  const aborted = assert.rejects(learner.reach(1000, controller.signal), { name: 'AbortError' })
  controller.abort()
  await aborted
  const reached = learner.reach(1000)
  await clock.run(1000)
  // 100 steps are five updates of four environments and five steps.
  const progress = await reached
  assert.deepEqual([progress.updates, progress.steps, progress.holding], [5, 100, true])
  await learner.run()
  await clock.run(1000)
  assert.equal(learner.progress().updates, 5)
  await learner.stop()
})

test('reports come every 100 ms at most, and at once for a hold and for solved', async () => {
  const { clock, learner, reports } = await setup({ threshold: 0.1 }, 1)
  await learner.run()
  await clock.run(1000)
  const solvedAt = reports.findIndex((progress) => progress.solved !== null)
  assert.ok(solvedAt > 0)
  // One at the first update, one every 100 ms after the last, and one more for `solved`.
  assert.ok(reports.length >= 10 && reports.length <= 12, `${reports.length} reports`)
  const updatesPerReport = reports[solvedAt]!.updates - reports[solvedAt - 1]!.updates
  assert.ok(updatesPerReport <= 10)
  await learner.hold()
  assert.equal(reports.at(-1)!.holding, true)
  await learner.stop()
})

test('snapshots follow mixes; a replica is only adopted while holding', async () => {
  const { clock, learner } = await setup()
  // The arrays of a snapshot are the caller's until the next.
  const first = structuredClone(await learner.snapshot())
  const delta = first.parameters.map(() => 0.5)
  await learner.mix(delta)
  const second = await learner.snapshot()
  assert.deepEqual(
    second.parameters,
    first.parameters.map((value) => value + 0.5),
  )
  await learner.adopt({ ...first, version: 7, steps: 100 })
  assert.deepEqual(await learner.snapshot(), { ...first, version: 7, steps: 100 })
  await assert.rejects(learner.mix(new Float32Array(3)), { code: 'shape' })
  await learner.run()
  await assert.rejects(learner.adopt(first), { code: 'not_holding' })
  await clock.run(20)
  await learner.stop()
  await learner.stop()
  await assert.rejects(learner.snapshot(), { code: 'stopped', message: 'The learner was stopped and takes no more calls.' })
})

test('a failure holds the learner, settles whoever waits and rejects `failed`', async () => {
  const { clock, learner, reports } = await setup({}, 1, 'Toy/Throws')
  await learner.run()
  const reached = learner.reach(100)
  await clock.run(100)
  await assert.rejects(
    learner.failed,
    /Environment 0 of Toy.Throws is given up because it failed 6 times in a row, at last with "the toy broke"/,
  )
  assert.equal((await reached).holding, true)
  assert.equal(reports.at(-1)!.holding, true)
  await learner.stop()
})
