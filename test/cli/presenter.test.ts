import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIVE_PERIOD_MS, PLAIN_PERIOD_MS } from '../../src/cli/limits.ts'
import { jsonPresenter, type TextOptions, textPresenter } from '../../src/cli/presenter.ts'
import type { PeerEvent } from '../../src/observe/events.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { type FakeIo, fakeIo, listening, status } from './fake.ts'

const ERASE = '\r\u001b[2K'

function watch(io: FakeIo, changes: Partial<TextOptions> = {}) {
  const clock = new VirtualClock()
  const presenter = textPresenter(io, clock, {
    quiet: false,
    status: () => status,
    greeting: () => ['hello'],
    afterwards: 'going on, Ctrl-C stops',
    ...changes,
  })
  /** What was written since the last call. */
  const fresh = () => {
    const { out } = io.written
    io.written.out = ''
    return out
  }
  return { clock, presenter, fresh }
}

const solved: PeerEvent = { event: 'solved', steps: 1000, seconds: 1, returnMean: 480 }

test('on a terminal one line updates, and what else is said goes above it', async () => {
  const { clock, presenter, fresh } = watch(fakeIo({ terminal: true, env: { NO_COLOR: '1' } }))
  presenter.event(listening)
  assert.equal(fresh(), 'hello\n')
  await clock.run(LIVE_PERIOD_MS)
  const live = '12.0k steps  6.00k/s  return 42.0 ▄  1 peer'
  assert.equal(fresh(), ERASE + live)
  presenter.event({ event: 'peer', id: '12D3KooWone', state: 'alive' })
  assert.equal(fresh(), `${ERASE}peer ..3KooWone is here\n${live}`)
  await clock.run(LIVE_PERIOD_MS)
  assert.equal(fresh(), `${ERASE}12.0k steps  6.00k/s  return 42.0 ▄▄  1 peer`)
  presenter.event({ event: 'stopped', reason: 'interrupted', steps: 5 })
  assert.equal(fresh(), '\nstopped after 5 steps (interrupted)\n')
  presenter.close()
  await clock.run(10 * LIVE_PERIOD_MS)
  assert.equal(fresh(), '')
})

test('the log does not run into the live line', async () => {
  const io = fakeIo({ terminal: true, env: { NO_COLOR: '1' } })
  const { clock, presenter, fresh } = watch(io)
  presenter.event(listening)
  await clock.run(LIVE_PERIOD_MS)
  fresh()
  presenter.log('dialling\n')
  assert.equal(io.written.err, 'dialling\n')
  assert.ok(fresh().startsWith(ERASE))
})

test('colours on a terminal unless NO_COLOR asks for none', () => {
  const coloured = fakeIo({ terminal: true })
  watch(coloured).presenter.event(solved)
  const text = 'solved CartPole-v1: mean return 480.0 over 100 episodes after 1,000 steps in 1.0 s; going on, Ctrl-C stops'
  assert.equal(coloured.written.out, `\u001b[32m${text}\u001b[0m\n`)
  const plain = fakeIo({ terminal: true, env: { NO_COLOR: '1' } })
  watch(plain).presenter.event(solved)
  assert.equal(plain.written.out, `${text}\n`)
})

test('off a terminal a plain line every five seconds and no escape sequences', async () => {
  const { clock, presenter, fresh } = watch(fakeIo())
  presenter.event(listening)
  presenter.event({ event: 'warning', code: 'x', message: 'watch out' })
  await clock.run(2 * PLAIN_PERIOD_MS)
  const line = '12,000 steps (6,000/s), 100 episodes, mean return 42.0, 1 peer\n'
  assert.equal(fresh(), `hello\nwarning: watch out\n${line}${line}`)
})

test('quiet: solved, warnings and errors', async () => {
  const { clock, presenter, fresh } = watch(fakeIo(), { quiet: true, afterwards: '' })
  presenter.event(listening)
  presenter.event({ event: 'peer', id: '12D3KooWone', state: 'alive' })
  presenter.event(solved)
  presenter.event({ event: 'error', code: 'x', message: 'broke' })
  presenter.event({ event: 'stopped', reason: 'x', steps: 1 })
  await clock.run(2 * PLAIN_PERIOD_MS)
  assert.equal(fresh(), 'solved CartPole-v1: mean return 480.0 over 100 episodes after 1,000 steps in 1.0 s\nerror: broke\n')
})

test('json: each event as it is, logs elsewhere, and dropped lines told of once', () => {
  const io = fakeIo()
  const presenter = jsonPresenter(io)
  presenter.event(solved)
  presenter.log('{"level":"info"}\n')
  io.dropped = 3
  presenter.event(solved)
  presenter.event(solved)
  assert.deepEqual(
    io.written.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [solved, solved, { event: 'warning', code: 'lines_dropped', message: '3 lines were dropped because nobody read them.' }, solved],
  )
  assert.equal(io.written.err, '{"level":"info"}\n')
})
