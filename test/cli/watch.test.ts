import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepAsking } from '../../src/cli/status.ts'
import { Watch } from '../../src/observe/watch-text.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { fakeIo, status } from './fake.ts'

test('a screen of this peer and of each other one, with curves', () => {
  const watch = new Watch()
  watch.lines({ ...status, returnMean: 10, consensusDistance: 0.1 }, 80)
  const lines = watch.lines({ ...status, returnMean: 20, consensusDistance: 0.01, paused: true }, 80)
  assert.deepEqual(lines, [
    'CartPole-v1 with a2c, up 1.0 s, paused',
    'return        20.0  ▁█',
    'distance      0.01  █▁',
    'steps        12.0k  6.00k/s  300 updates',
    'peers            1  alive of 1 known',
    '',
    'PEER        STATE  STEPS  RETURN      MIXES  LAST  REFUSED',
    '..3KooWone  alive      1     2.0  ▄▄      3   1 s        0',
  ])
  assert.ok(watch.lines(status, 20).every((line) => line.length <= 20))
})

test('asks every second until the person leaves', async () => {
  const clock = new VirtualClock()
  const io = fakeIo()
  let asked = 0
  const done = keepAsking(
    async () => status,
    () => void asked++,
    io,
    clock,
  )
  await clock.run(3_500, () => false)
  io.leave('SIGINT')
  await done
  assert.deepEqual([asked, io.listening()], [3, 0])
})

test('ends well when the daemon does, and tells other faults', async () => {
  const clock = new VirtualClock()
  const io = fakeIo()
  const failing = (code: string) => async () => {
    throw new GrapevineError(code, 'local', 'No.')
  }
  const gone = keepAsking(failing('no_daemon'), () => undefined, io, clock)
  await clock.run(2_000, () => io.written.err !== '')
  await gone
  assert.equal(io.written.err, 'The daemon has left.\n')
  const fault = keepAsking(failing('timeout'), () => undefined, io, clock)
  const rejected = assert.rejects(fault, { code: 'timeout' })
  await clock.run(2_000, () => false)
  await rejected
})
