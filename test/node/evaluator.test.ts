import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { initialParameters } from '../../src/learn/initialise.ts'
import { InlineEvaluator } from '../../src/learn/replica-evaluation.ts'
import { systemClock } from '../../src/node/clock.ts'
import { ThreadEvaluator } from '../../src/node/evaluator-thread.ts'
import { registerOwnModule } from '../../src/node/own-module.ts'
import { faultyModule, faultySettings } from '../support/faulty.ts'

await registerOwnModule(faultyModule)

const started: Worker[] = []
const remember = (worker: Worker) => started.push(worker)
process.on('worker', remember)
after(() => process.off('worker', remember))

const settings = faultySettings('a2c')
const replica = { parameters: initialParameters(settings.network, 1), normalisers: [] }

function faults(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4)).fill(count)
}

test('a thread plays what the same seed plays inline, and stopping it leaves none behind', async () => {
  const inline = new InlineEvaluator(settings, systemClock)
  const expected = await inline.evaluate(replica, 7)
  await inline.stop()
  // Episodes of four steps pay 1 for each action 2 of three.
  assert.ok(expected.stochastic! > 0.5 && expected.stochastic! < 2.2, `${expected.stochastic}`)
  assert.equal(expected.episodes, 20)
  const evaluator = new ThreadEvaluator(settings)
  assert.deepEqual(await evaluator.evaluate(replica, 7), expected)
  assert.notDeepEqual(await evaluator.evaluate(replica, 8), expected)
  await evaluator.stop()
  assert.equal(started.at(-1)!.threadId, -1)
  await assert.rejects(evaluator.evaluate(replica, 9), { code: 'evaluation_failed' })
})

test('an environment that crashes or hangs costs one evaluation, and the next starts anew', async () => {
  for (const [options, message] of [
    [{ faults: faults(1) }, /the door is stuck/],
    [{ faults: faults(1), hangs: true }, /its environments did not move for 4 s/],
  ] as const) {
    const evaluator = new ThreadEvaluator(faultySettings('a2c', options), 4_000)
    // Each environment makes 16 steps in one evaluation, and fails in its 20th.
    await evaluator.evaluate(replica, 6)
    await assert.rejects(evaluator.evaluate(replica, 7), { message })
    assert.equal((await evaluator.evaluate(replica, 7)).episodes, 20)
    await evaluator.stop()
  }
})

test('stopping ends an evaluation that would never end', async () => {
  const evaluator = new ThreadEvaluator(faultySettings('a2c', { faults: faults(1), hangs: true }))
  await evaluator.evaluate(replica, 6)
  const rejected = assert.rejects(evaluator.evaluate(replica, 7), { code: 'evaluation_failed', message: /this peer is stopping/ })
  await evaluator.stop()
  await rejected
})
