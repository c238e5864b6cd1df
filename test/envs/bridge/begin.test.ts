/** Steps of bridged environments that begin before anybody waits for them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { makeVectorEnv } from '../../../src/envs/registry.ts'
import { buffers, children, fake, threads } from './support.ts'

const ACTIONS = Int32Array.of(0, 1)

/** Two rows in one process; `options` are the stand-in's. */
function made(context: TestContext, options: Readonly<Record<string, unknown>> = {}) {
  const stand = fake(context)
  const env = makeVectorEnv('gym:Fake-v0', 2, { ...stand.options, ...options })
  context.after(() => env.close())
  const out = buffers(2, 2)
  env.reset(5, out.observations)
  return { env, out, pids: stand.pids }
}

test('a step that began is the one that step waits for, and the next is another', (context) => {
  const { env, out } = made(context, { length: 2 })
  env.begin!(ACTIONS)
  env.step(ACTIONS, out)
  assert.deepEqual([...out.observations], [1, 5, 1, 6])
  env.step(ACTIONS, out)
  assert.deepEqual([...out.terminated], [1, 1])
  assert.deepEqual([...out.finalObservations], [2, 5, 2, 6])
  env.begin!(ACTIONS)
  env.step(ACTIONS, out)
  assert.deepEqual([...out.observations], [1, 1005, 1, 1006])
})

test('two vectors step at the same time', (context) => {
  const [one, two] = [made(context), made(context)]
  // The child of the second answers while that of the first is held, whose step began before.
  const [pid] = one.pids()
  process.kill(pid!, 'SIGSTOP')
  one.env.begin!(ACTIONS)
  two.env.begin!(ACTIONS)
  two.env.step(ACTIONS, two.out)
  assert.deepEqual([...two.out.observations], [1, 5, 1, 6])
  process.kill(pid!, 'SIGCONT')
  one.env.step(ACTIONS, one.out)
  assert.deepEqual([...one.out.observations], [1, 5, 1, 6])
})

test('a child that dies in a step that began is started again, as in any step', (context) => {
  const { env, out, pids } = made(context, { fault: 'exit', at: 2 })
  env.step(ACTIONS, out)
  env.begin!(ACTIONS)
  env.step(ACTIONS, out)
  assert.deepEqual([...out.truncated], [1, 1])
  assert.deepEqual([...out.finalObservations], [1, 5, 1, 6])
  assert.equal(pids().length, 2)
})

test('a reset waits for the step that began', (context) => {
  const { env, out } = made(context)
  env.begin!(ACTIONS)
  env.reset(8, out.observations)
  assert.deepEqual([...out.observations], [0, 8, 0, 9])
  env.step(ACTIONS, out)
  assert.deepEqual([...out.observations], [1, 8, 1, 9])
})

test('closing in the middle of a step leaves neither child nor thread', async (context) => {
  const before = threads()
  const { env, out, pids } = made(context)
  process.kill(pids()[0]!, 'SIGSTOP')
  env.begin!(ACTIONS)
  env.close()
  assert.throws(() => env.step(ACTIONS, out), { code: 'closed' })
  while (children().length > 0 || threads() > before) await new Promise((resolve) => setTimeout(resolve, 10))
})

test('actions that cannot be are refused at once', (context) => {
  const { env } = made(context)
  assert.throws(() => env.begin!(Int32Array.of(0, 2)), { code: 'action' })
})
