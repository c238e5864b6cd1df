/** The daemon as a library: in one process, started and stopped again and again, at any moment, it leaves nothing behind. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadOwnModule } from '../../src/node/own-module.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { createPeer, type PeerDaemon } from '../../src/peer/daemon.ts'
import { resolveSettings } from '../../src/peer/settings.ts'
import type { OwnModule } from '../../src/ports/learner.ts'
import { GrapevineError } from '../../src/util/errors.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

interface Subject {
  readonly daemon: PeerDaemon
  readonly events: PeerEvent[]
  readonly dataDir: string
}

function subject(
  context: TestContext,
  flags: Readonly<Record<string, unknown>> = {},
  addresses: readonly string[] = [],
  modules: readonly OwnModule[] = [],
): Subject {
  const dataDir = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const command = addresses.length === 0 ? 'start' : 'join'
  const settings = resolveSettings({ command, addresses, flags: { 'data-dir': dataDir, ...flags }, file: null, modules, randomSeed: 1 })
  const daemon = createPeer(settings, { log: quiet })
  const events: PeerEvent[] = []
  daemon.on((event) => events.push(event))
  return { daemon, events, dataDir }
}

/** Kinds of what keeps the process alive. */
function handles(): readonly string[] {
  return process.getActiveResourcesInfo()
}

/** Handles are closed a turn or two of the event loop after they were told to. */
async function assertNothingLeft(before: readonly string[], { dataDir }: Subject): Promise<void> {
  for (let turn = 0; turn < 100 && handles().length > before.length; turn++) await sleep(2)
  assert.deepEqual([...handles()].sort(), [...before].sort())
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => ['lock', 'control', 'control.sock'].includes(name)),
    [],
  )
}

test('making a daemon does nothing', (context) => {
  const before = handles()
  const { daemon, dataDir } = subject(context)
  assert.deepEqual(handles(), before)
  assert.deepEqual(readdirSync(dataDir), [])
  assert.equal(daemon.dataDir, null)
  assert.throws(() => daemon.status(), { code: 'not_running' })
})

test('three lives in one process leave no handle', async (context) => {
  const before = handles()
  for (let life = 0; life < 3; life++) {
    const each = subject(context, { until: 'steps=2000' })
    await each.daemon.start()
    assert.deepEqual(await each.daemon.finished, { reason: 'reached 2000 steps' })
    await each.daemon.stop()
    // A checkpoint at the start, unless training was over before it came to that, and one at the end.
    const names = each.events.map(({ event }) => event).filter((name) => name !== 'solved')
    assert.match(names.join(' '), /^listening (checkpoint ){1,2}stopped$/)
    await assertNothingLeft(before, each)
  }
})

test('a joiner and its founder leave no handle either', async (context) => {
  const before = handles()
  const founder = subject(context, { 'wait-for-peers': 1 })
  await founder.daemon.start()
  const joiner = subject(context, {}, founder.daemon.status().addresses)
  await joiner.daemon.start()
  assert.equal(joiner.events.filter(({ event }) => event === 'joined').length, 1)
  await Promise.all([joiner.daemon.stop(), founder.daemon.stop()])
  await assertNothingLeft(before, joiner)
  await assertNothingLeft(before, founder)
})

test('stopped at any moment of its start, it ends cleanly', async (context) => {
  const before = handles()
  for (const delayMs of [0, 1, 3, 6, 10, 20, 40, 80, 160, 320]) {
    const each = subject(context, { 'wait-for-peers': 1 })
    const starting = each.daemon.start().then(
      () => null,
      (error: unknown) => error,
    )
    await sleep(delayMs)
    await each.daemon.stop('enough')
    const failure = await starting
    assert.ok(failure === null || (failure instanceof GrapevineError && failure.code === 'stopped'), String(failure))
    assert.deepEqual(each.events.at(-1), { event: 'stopped', reason: 'enough', steps: 0 })
    assert.deepEqual(await each.daemon.finished, { reason: 'enough' })
    await assertNothingLeft(before, each)
  }
})

test('a start that is aborted rejects with that reason and leaves nothing', async (context) => {
  const before = handles()
  for (const delayMs of [0, 5, 50, 200]) {
    const each = subject(context, { 'wait-for-peers': 1 })
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const starting = each.daemon.start(controller.signal)
    starting.catch(() => undefined)
    await sleep(delayMs)
    controller.abort(reason)
    await starting.then(
      () => each.daemon.stop(),
      (error: unknown) => assert.equal(error, reason),
    )
    await assertNothingLeft(before, each)
  }
})

const STUCK = `
export const id = 'Test/Stuck-v0'
const box = { kind: 'box', shape: [1], low: Float32Array.of(-1), high: Float32Array.of(1) }
export function make() {
  let step = 0
  const observation = Float32Array.of(0)
  return {
    observationSpace: box,
    actionSpace: { kind: 'discrete', n: 2 },
    reset: () => ({ observation, info: {} }),
    step() {
      if (++step === 500) throw new Error('the door is stuck')
      return { observation, reward: 1, terminated: step % 10 === 0, truncated: false, info: {} }
    },
    close() {},
  }
}
`

test('a learner that fails for good is told of once, and everything is undone before `finished` rejects', async (context) => {
  const before = handles()
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'stuck.mjs')
  writeFileSync(file, STUCK)
  const { id, module } = await loadOwnModule(file)
  const each = subject(context, { env: id }, [], [module])
  await each.daemon.start()
  await assert.rejects(each.daemon.finished, /the door is stuck/)
  const names = each.events.map(({ event }) => event)
  assert.deepEqual([names.filter((name) => name === 'error').length, names.at(-1)], [1, 'stopped'])
  await assertNothingLeft(before, each)
})

test('stopped before it was started, it does not start', async (context) => {
  const each = subject(context)
  await each.daemon.stop()
  await assert.rejects(each.daemon.start(), { code: 'stopped' })
  assert.deepEqual(readdirSync(each.dataDir), [])
})

test('a listener that throws disturbs nobody', async (context) => {
  const each = subject(context, { until: 'steps=500' })
  each.daemon.on(() => {
    throw new Error('mine')
  })
  const after: string[] = []
  each.daemon.on(({ event }) => after.push(event))
  await each.daemon.start()
  await each.daemon.finished
  assert.deepEqual([after[0], after.at(-1)], ['listening', 'stopped'])
})

test('where the control socket cannot be, that is said', async (context) => {
  const { daemon, dataDir } = subject(context, { 'wait-for-peers': 1 })
  const path = join(dataDir, 'control.sock')
  mkdirSync(path)
  await assert.rejects(daemon.start(), (error: unknown) => {
    assert.ok(error instanceof GrapevineError)
    assert.equal(error.code, 'data_dir')
    assert.match(error.message, /^Cannot open the control socket in \S+: .*directory.*; choose another folder with --data-dir\.$/)
    return true
  })
  await daemon.stop()
})
