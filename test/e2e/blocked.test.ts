/** A daemon whose main thread stands still: its learner goes on, nobody gives it up, and it blames nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sabotaged, strike } from '../../scripts/chaos/sabotage.ts'
import { TestDaemon } from '../support/daemon.ts'

const DEADLINE_MS = 60_000
const BLOCK_MS = 3_000

test('three seconds without an event loop cost no update and no connection', { skip: process.platform === 'win32' }, async (context) => {
  const blocked = TestDaemon.spawn(context, ['start', '--seed', '1', '--no-http'], { before: sabotaged([{ do: 'block', ms: BLOCK_MS }]) })
  const { addresses, peer } = await blocked.event('listening', DEADLINE_MS)
  const other = TestDaemon.spawn(context, ['join', addresses[0]!, '--no-http'])
  await other.event('mix', DEADLINE_MS)
  await blocked.event('stats', DEADLINE_MS, ({ peers }) => peers === 1)
  const from = { blocked: blocked.events.length, other: other.events.length }
  const { updates } = blocked.all('stats').at(-1)!
  await strike(blocked, DEADLINE_MS)
  // The first of these counts what was learned while nothing else moved.
  const first = await blocked.event('stats', DEADLINE_MS, () => true, from.blocked)
  assert.ok(first.updates > updates)
  await other.event('mix', DEADLINE_MS, (mix) => mix.with === peer, other.events.length)
  await blocked.event('mix', DEADLINE_MS, () => true, blocked.events.length)
  const states = [blocked.all('peer', from.blocked), other.all('peer', from.other)].flat().map(({ state }) => state)
  assert.deepEqual(states, [])
  assert.deepEqual(
    [blocked, other].flatMap((daemon) => [...daemon.all('refused'), ...daemon.all('error')]),
    [],
  )
  assert.deepEqual(await Promise.all([blocked.terminate(), other.terminate()]), [0, 0])
})
