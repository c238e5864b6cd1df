import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, type Worker } from 'node:worker_threads'
import { NO_FAULTS } from '../../src/learn/actors.ts'
import { LearnerProcess } from '../../src/node/learner-process.ts'
import { MAILBOX_WORDS } from '../../src/node/learner-protocol.ts'
import { presetSettings } from '../support/preset-settings.ts'

test('a thread that was left tells nobody anything any more, not even that it is ready', async () => {
  const { port1: port, port2: itsOwn } = new MessageChannel()
  const exited = Promise.withResolvers<Error | null>()
  const thread = {
    worker: { terminate: async () => 0 } as unknown as Worker,
    port,
    mailbox: new Int32Array(new SharedArrayBuffer(4 * MAILBOX_WORDS)),
    exited: exited.promise,
  }
  const told: string[] = []
  const owner = { receive: () => told.push('reply'), lost: () => told.push('lost'), hung: () => told.push('hung') }
  const learner = new LearnerProcess(thread, presetSettings('a2c', 'CartPole-v1'), NO_FAULTS, 60_000, owner)
  const left = learner.leave(0)
  for (const kind of ['ready', 'done', 'progress', 'failed']) itsOwn.postMessage({ kind, error: {} })
  exited.resolve(null)
  await left
  await assert.rejects(learner.ready, { code: 'learner_crashed' })
  assert.deepEqual(told, [])
})
