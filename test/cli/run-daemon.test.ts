import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Io } from '../../src/cli/io.ts'
import { LEAVE_MS, SAME_SIGNAL_MS } from '../../src/cli/limits.ts'
import { type RunOptions, runDaemon } from '../../src/cli/run-daemon.ts'
import { type PeerSettings, resolveSettings } from '../../src/peer/settings.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { FakeDaemon, type FakeIo, fakeIo, listening } from './fake.ts'

function settings(until?: string): PeerSettings {
  return resolveSettings({ command: 'start', addresses: [], flags: { until }, file: null, randomSeed: 1 })
}

const options: RunOptions = { command: 'start', json: true, quiet: false, verbose: false, version: '0.1.0', program: 'grapevine' }

interface Session {
  readonly daemon: FakeDaemon
  readonly io: FakeIo
  readonly clock: VirtualClock
  readonly code: Promise<number>
}

function session(changes: Partial<RunOptions> = {}, io: FakeIo = fakeIo(), until?: string): Session {
  const daemon = new FakeDaemon()
  const clock = new VirtualClock()
  const code = runDaemon(() => daemon, settings(until), { ...options, ...changes }, io as Io, clock)
  code.catch(() => undefined)
  return { daemon, io, clock, code }
}

const events = (io: FakeIo) =>
  io.written.out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

test('a daemon that reaches its goal: every event on stdout, exit 0, no listener left', async () => {
  const { daemon, io, clock, code } = session()
  daemon.started.resolve()
  await clock.run(1)
  daemon.stopped.resolve()
  await daemon.stop('solved')
  assert.equal(await code, 0)
  assert.deepEqual(events(io), [listening, { event: 'stopped', reason: 'solved', steps: 12_000 }])
  assert.equal(io.listening(), 0)
})

test('a signal stops it once, exit 0; npm passing the same signal on changes nothing', async () => {
  const { daemon, io, clock, code } = session()
  daemon.started.resolve()
  await clock.run(1)
  io.leave('SIGINT')
  await clock.run(SAME_SIGNAL_MS)
  io.leave('SIGINT')
  assert.deepEqual(daemon.stops, ['interrupted'])
  assert.deepEqual(io.exits, [])
  daemon.stopped.resolve()
  assert.equal(await code, 0)
})

test('a second signal exits at once', async () => {
  const { daemon, io, clock } = session()
  daemon.started.resolve()
  await clock.run(1)
  io.leave('SIGTERM')
  await clock.run(SAME_SIGNAL_MS + 1)
  assert.deepEqual(io.exits, [])
  io.leave('SIGINT')
  assert.deepEqual(io.exits, [1])
})

test('a daemon that hangs while it stops is left behind after two seconds', async () => {
  const { daemon, io, clock } = session()
  daemon.started.resolve()
  await clock.run(1)
  io.leave('SIGTERM')
  await clock.run(LEAVE_MS - 1)
  assert.deepEqual(io.exits, [])
  await clock.run(1)
  assert.deepEqual(io.exits, [0])
  assert.deepEqual(events(io).at(-1), { event: 'stopped', reason: 'interrupted', steps: 12_000 })
})

test('a signal while it starts gives the start up, and the last event says so', async () => {
  const { daemon, io, code } = session()
  io.leave('SIGINT')
  daemon.stopped.resolve()
  assert.equal(await code, 0)
  assert.deepEqual(daemon.stops, ['interrupted'])
  assert.deepEqual(events(io), [{ event: 'stopped', reason: 'interrupted', steps: 12_000 }])
})

test('a reader that is gone ends the daemon, however often it is noticed', async () => {
  const { daemon, io, clock, code } = session()
  daemon.started.resolve()
  await clock.run(1)
  io.leave('pipe')
  await clock.run(SAME_SIGNAL_MS + 1)
  io.leave('pipe')
  daemon.stopped.resolve()
  assert.equal(await code, 0)
  assert.deepEqual(io.exits, [])
})

test('a failed start is thrown for the caller to tell', async () => {
  const { daemon, code } = session()
  daemon.started.reject(new GrapevineError('refused', 'network', 'Nobody listens there.'))
  await assert.rejects(code, { code: 'refused' })
})

test('a failure that the daemon told of itself is not told twice', async () => {
  const { daemon, io, clock, code } = session()
  daemon.started.resolve()
  await clock.run(1)
  daemon.emit({ event: 'error', code: 'learner_failed', message: 'The learner crashed.' })
  daemon.fail(new GrapevineError('learner_failed', 'local', 'The learner crashed.'))
  assert.equal(await code, 1)
  assert.equal(events(io).filter((event) => event.event === 'error').length, 1)
})

test('a failure that it did not tell of is thrown', async () => {
  const { daemon, clock, code } = session()
  daemon.started.resolve()
  await clock.run(1)
  daemon.fail(new GrapevineError('failed', 'local', 'Something broke.'))
  await assert.rejects(code, { code: 'failed' })
})

test('a person is greeted, told of progress every five seconds, and of the end', async () => {
  const { daemon, io, clock, code } = session({ json: false }, fakeIo(), 'steps=20000')
  daemon.started.resolve()
  await clock.run(4_999)
  assert.match(
    io.written.out,
    /^Grapevine 0\.1\.0: training CartPole-v1 with a2c \(wasm\)\n {2}data folder {2}\/home\/u\/\.grapevine\/default\n/,
  )
  assert.match(io.written.out, /\n {2}grapevine join \/ip4\/127\.0\.0\.1\/tcp\/4001\/p2p\/12D3KooWself\n$/)
  io.written.out = ''
  await clock.run(1)
  assert.equal(io.written.out, '12,000 steps (6,000/s), 100 episodes, mean return 42.0, 1 peer\n')
  daemon.emit({ event: 'solved', steps: 12_000, seconds: 2, returnMean: 480 })
  daemon.stopped.resolve()
  await daemon.stop('reached 20000 steps')
  await code
  assert.deepEqual(io.written.out.split('\n').slice(1), [
    'solved CartPole-v1: mean return 480.0 over 100 episodes after 12,000 steps in 2.0 s; going on until 20,000 steps',
    'stopped after 12,000 steps (reached 20000 steps)',
    '',
  ])
})

test('the line to paste brings the module of an environment of one’s own', async () => {
  const daemon = new FakeDaemon()
  const io = fakeIo()
  const clock = new VirtualClock()
  const own = { ...settings(), modules: [{ file: '/home/u/my env.ts', version: '1' }] }
  const code = runDaemon(() => daemon, own, { ...options, json: false }, io as Io, clock)
  daemon.started.resolve()
  await clock.run(1)
  assert.match(io.written.out, /\n {2}grapevine join \S+ --env '\/home\/u\/my env\.ts'\n/)
  daemon.stopped.resolve()
  await daemon.stop()
  assert.equal(await code, 0)
})
