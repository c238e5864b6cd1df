/** The bridge over a stand-in for Python that misbehaves on purpose: no Python needed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { bridgeRestarts } from '../../../src/envs/bridge/bridge.ts'
import { makeEnv, makeVectorEnv } from '../../../src/envs/registry.ts'
import type { VectorEnvironment } from '../../../src/envs/types.ts'
import { buffers, children, fake, isAlive, threads } from './support.ts'

const ID = 'gym:Fake-v0'
/** Where a child hangs; a healthy one answers within a millisecond, and on the busiest machine before this. */
const HANG_TIMEOUT_MS = 2_000

const warnings: string[] = []
process.on('warning', (warning) => {
  if ('code' in warning && warning.code === 'bridge_restart') warnings.push(warning.message)
})

/** Two rows over one child, begun with seed 40. */
function begin(context: TestContext, options: Record<string, unknown>) {
  const stand = fake(context)
  const env = makeVectorEnv(ID, 2, { ...stand.options, ...options })
  context.after(() => env.close())
  const out = buffers(2, 2)
  env.reset(40, out.observations)
  assert.deepEqual([...out.observations], [0, 40, 0, 41])
  return { env, out, pids: stand.pids, step: () => env.step(Int32Array.of(0, 1), out) }
}

test('steps, rewards, autoreset in the same step and the final observation', (context) => {
  const { out, step } = begin(context, { length: 2 })
  step()
  assert.deepEqual([...out.observations], [1, 40, 1, 41])
  assert.deepEqual([...out.rewards], [1, Math.fround(1.1)])
  assert.deepEqual([...out.terminated, ...out.truncated], [0, 0, 0, 0])
  step()
  assert.deepEqual([...out.observations], [0, 1040, 0, 1041])
  assert.deepEqual([...out.finalObservations], [2, 40, 2, 41])
  assert.deepEqual([...out.terminated, ...out.truncated], [1, 1, 0, 0])
})

test('streams go on without a seed, and restart begins the flagged rows only', (context) => {
  const { env, out, step } = begin(context, {})
  step()
  env.restart!(Uint8Array.of(0, 1), out.observations)
  assert.deepEqual([...out.observations], [1, 40, 0, 1041])
  step()
  assert.deepEqual([...out.observations], [2, 40, 1, 1041])
  env.reset(null, out.observations)
  assert.deepEqual([...out.observations], [0, 1040, 0, 2041])
})

test('never seeded, row i begins as if seeded with i', (context) => {
  const env = makeVectorEnv(ID, 2, fake(context).options)
  context.after(() => env.close())
  const out = buffers(2, 2)
  assert.throws(() => env.step(Int32Array.of(0, 0), out), {
    code: 'episode_over',
    message: 'An environment was stepped before its first reset; call reset first.',
  })
  env.reset(null, out.observations)
  assert.deepEqual([...out.observations], [0, 0, 0, 1])
})

test('rows are divided among the processes, and a lost one costs the others nothing', (context) => {
  const stand = fake(context)
  const env = makeVectorEnv(ID, 5, { ...stand.options, processes: 2 })
  context.after(() => env.close())
  const out = buffers(5, 2)
  env.reset(10, out.observations)
  const step = () => env.step(new Int32Array(5), out)
  step()
  assert.deepEqual([...out.observations], [1, 10, 1, 11, 1, 12, 1, 13, 1, 14])
  assert.equal(new Set(stand.pids()).size, 2)
  // Which of the two has which rows, only the answer tells.
  process.kill(stand.pids()[0]!, 'SIGKILL')
  step()
  const truncated = [...out.truncated]
  assert.ok(['1,1,0,0,0', '0,0,1,1,1'].includes(truncated.join()), truncated.join())
  for (let row = 0; row < 5; row++) assert.equal(out.observations[2 * row], truncated[row] === 1 ? 0 : 2)
})

for (const [fault, reason] of [
  ['exit', /ended with code 3 \(its last words: SimulatorError: out of cheese\)/],
  ['half', /was killed by SIGKILL/],
  ['hang', /gave no answer for 2000 ms/],
  ['print', /wrote something that is no answer/],
  ['stale', /wrote something that is no answer/],
  ['long', /announced an answer of 4000000000 bytes, which it cannot have/],
  ['flags', /answered with flags that make no sense/],
] as const) {
  test(`a child with the fault "${fault}" is named, started again and counted; its rows are truncated where they were last seen`, async (context) => {
    const before = bridgeRestarts()
    const { out, pids, step } = begin(context, { fault, at: 3, ...(fault === 'hang' ? { stepTimeoutMs: HANG_TIMEOUT_MS } : {}) })
    step()
    step()
    step()
    assert.deepEqual([...out.terminated, ...out.truncated], [0, 0, 1, 1])
    assert.deepEqual([...out.rewards], [0, 0])
    assert.deepEqual([...out.finalObservations], [2, 40, 2, 41])
    const [age0, seed0, age1, seed1] = out.observations
    assert.deepEqual([age0, age1], [0, 0])
    assert.ok(seed0 !== 40 && seed1 !== 41, 'the episodes that killed it do not come back')
    step()
    assert.deepEqual([...out.observations], [1, seed0, 1, seed1])
    assert.deepEqual([...out.truncated], [0, 0])
    assert.equal(bridgeRestarts() - before, 1)
    const [first, second, ...more] = pids()
    assert.equal(more.length, 0)
    assert.deepEqual([isAlive(first!), isAlive(second!)], [false, true])
    // Warnings come with the next turn of the event loop.
    await new Promise(setImmediate)
    const told = warnings.filter((message) => message.startsWith(`Python process ${first} of gym:Fake-v0 (rows 0 to 1) `))
    assert.equal(told.length, 1)
    assert.match(told[0]!, new RegExp(`\\) ${reason.source}; it is started again .*\\(restart 1\\)`))
  })
}

test('a child killed between two steps is noticed at the next', (context) => {
  const { out, pids, step } = begin(context, {})
  step()
  process.kill(pids()[0]!, 'SIGKILL')
  step()
  assert.deepEqual([...out.truncated], [1, 1])
  assert.deepEqual([...out.finalObservations], [1, 40, 1, 41])
})

test('a child lost at a reset of some rows: those begin, the others are truncated by the next step', (context) => {
  const { env, out, pids, step } = begin(context, {})
  step()
  process.kill(pids()[0]!, 'SIGKILL')
  env.restart!(Uint8Array.of(0, 1), out.observations)
  assert.deepEqual([...out.observations.subarray(0, 3)], [1, 40, 0])
  const seed = out.observations[3]
  step()
  assert.deepEqual([...out.truncated], [1, 1])
  assert.deepEqual([...out.finalObservations], [1, 40, 0, seed])
  step()
  assert.deepEqual([...out.truncated], [0, 0])
})

test('a child lost at a reset of all rows only has to begin again, with the seeds asked for', (context) => {
  const { env, out, pids, step } = begin(context, {})
  step()
  process.kill(pids()[0]!, 'SIGKILL')
  env.reset(70, out.observations)
  assert.deepEqual([...out.observations], [0, 70, 0, 71])
  step()
  assert.deepEqual([...out.truncated], [0, 0])
})

test('after repeated failures it is given up in one sentence, and nothing is left', (context) => {
  const { env, step, pids } = begin(context, { fault: 'exit', at: 1, times: 99 })
  const failure = {
    code: 'environment_failed',
    message: /^gym:Fake-v0 is given up because its Python process failed 6 times in a row, at last because it ended with code 3 /,
  }
  // Each new child gets through the reset that reports its predecessor's loss; the step after it fails again.
  assert.throws(() => {
    for (let i = 0; i < 20; i++) step()
  }, failure)
  assert.equal(pids().length, 6)
  assert.deepEqual(children(), [])
  assert.throws(step, failure)
  env.close()
})

test('what Python raises ends the run at once', (context) => {
  const { step } = begin(context, { fault: 'raise', at: 2 })
  step()
  assert.throws(step, { code: 'environment_failed', message: 'gym:Fake-v0 raised an error in step: ValueError: bad day' })
  assert.deepEqual(children(), [])
})

test('an observation or reward that is not finite is named by its row', (context) => {
  assert.throws(begin(context, { fault: 'nan', at: 1 }).step, {
    code: 'observation',
    message: /Element 1 of the observation of row 1 is NaN/,
  })
  assert.throws(begin(context, { fault: 'reward', at: 1 }).step, { code: 'reward', message: /The reward of row 1 is Infinity/ })
})

test('a child that refuses, differs or never is ready ends it at once', (context) => {
  const start = (fault: string) => () => {
    const env = makeVectorEnv(ID, 1, { ...fake(context).options, fault, startTimeoutMs: 2_000 })
    env.reset(0, new Float32Array(2))
  }
  assert.throws(start('refuse'), { code: 'environment_failed', message: 'gym:Fake-v0 raised an error in make: ValueError: no' })
  assert.throws(start('other spaces'), { code: 'environment_failed', message: /has other spaces than it had a moment ago/ })
  assert.throws(start('sleep at start'), { code: 'environment_failed', message: /was not ready after 2000 ms/ })
  assert.deepEqual(children(), [])
})

test('wrong arguments are refused before anything is sent', (context) => {
  const { env, out, step } = begin(context, {})
  assert.throws(() => env.step(Int32Array.of(0, 2), out), { code: 'action' })
  assert.throws(() => env.step(Float32Array.of(0, 1), out), { code: 'shape' })
  assert.throws(() => env.step(Int32Array.of(0, 1), { ...out, rewards: new Float32Array(1) }), {
    code: 'shape',
    message: 'The array of rewards has 1 elements where this environment writes 2.',
  })
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => env.reset(seed, out.observations), { code: 'seed' })
  step()
  assert.deepEqual([...out.observations], [1, 40, 1, 41])
})

test('close ends child and thread; a closed environment says so', async (context) => {
  const threadsBefore = threads()
  const { env, step, pids } = begin(context, {})
  const [pid] = pids()
  assert.ok(isAlive(pid!))
  env.close()
  assert.equal(isAlive(pid!), false)
  assert.throws(step, { code: 'closed', message: 'gym:Fake-v0 was closed and takes no more calls; make it again.' })
  env.close()
  const deadline = performance.now() + 10_000
  while (threads() > threadsBefore && performance.now() < deadline) await new Promise(setImmediate)
  assert.ok(threads() <= threadsBefore, 'the thread is gone')
})

test('a process that ends without closing takes its children along', (context) => {
  const stand = fake(context)
  const program = `
    import { makeVectorEnv } from ${JSON.stringify(new URL('../../../src/envs/registry.ts', import.meta.url).href)}
    makeVectorEnv(${JSON.stringify(ID)}, 2, ${JSON.stringify(stand.options)}).reset(0, new Float32Array(4))
    console.log('begun')`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', timeout: 20_000 })
  assert.deepEqual([status, stdout], [0, 'begun\n'])
  const [pid] = stand.pids()
  const deadline = performance.now() + 10_000
  while (isAlive(pid!) && performance.now() < deadline);
  assert.equal(isAlive(pid!), false)
})

test('a child that does not leave is killed', (context) => {
  const { env, pids } = begin(context, {})
  process.kill(pids()[0]!, 'SIGSTOP')
  env.close()
  assert.equal(isAlive(pids()[0]!), false)
})

test('one environment: no autoreset, its time limit, options of reset, truncated when its child is lost', (context) => {
  const stand = fake(context)
  const env = makeEnv(ID, { ...stand.options, length: 3 })
  context.after(() => env.close())
  assert.throws(() => env.step(0), { code: 'episode_over' })
  assert.deepEqual([...env.reset({ seed: 9 }).observation], [0, 9])
  env.step(0)
  env.step(0)
  const last = env.step(1)
  assert.deepEqual([[...last.observation], last.reward, last.terminated, last.truncated], [[3, 9], 3, true, false])
  assert.throws(() => env.step(0), { code: 'episode_over' })
  assert.deepEqual([...env.reset().observation], [0, 1009])
  assert.deepEqual([...env.reset({ options: { show: 77 } }).observation], [0, 77])
  env.step(0)
  process.kill(stand.pids()[0]!, 'SIGKILL')
  const lost = env.step(0)
  assert.deepEqual([[...lost.observation], lost.reward, lost.terminated, lost.truncated], [[1, 77], 0, false, true])
  assert.equal(env.reset({ seed: 5 }).observation[1], 5)
})

test('the registered time limit and threshold are those of Gymnasium', (context) => {
  const env: VectorEnvironment = makeVectorEnv(ID, 1, fake(context).options)
  env.close()
  const single = makeEnv(ID, { ...fake(context).options, maxEpisodeSteps: 2 })
  context.after(() => single.close())
  single.reset()
  assert.equal(single.step(0).truncated, false)
  assert.equal(single.step(0).truncated, true)
})
