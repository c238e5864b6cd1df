/** A2C in a real daemon on every built-in environment: 10,000 steps without an error. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listEnvironments } from '../../src/envs/registry.ts'
import { TestDaemon } from '../support/daemon.ts'

const STEPS = 10_000
/** Starting, and the slowest of them (LunarLander's physics) on a busy machine. */
const DEADLINE_MS = 60_000

describe('a2c trains', { concurrency: 2 }, () => {
  for (const { id } of listEnvironments()) {
    test(`on ${id}`, async (context) => {
      const daemon = TestDaemon.spawn(context, ['start', '--env', id, '--algo', 'a2c', '--until', `steps=${STEPS}`])
      const stopped = await daemon.event('stopped', DEADLINE_MS)
      assert.deepEqual(await daemon.ended, { code: 0, signal: null })
      assert.ok(stopped.steps >= STEPS, `${stopped.steps} steps`)
      assert.deepEqual([...daemon.all('error'), ...daemon.all('warning'), ...daemon.all('refused')], [])
      assert.equal(daemon.events.at(-1), stopped)
    })
  }
})
