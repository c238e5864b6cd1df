import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../src/sim/clock.ts'

test('timers fire in order of due time, then of creation, and cancelled ones never', async () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  const at = (ms: number, name: string) => clock.after(ms, () => fired.push(`${name}@${clock.now()}`))
  at(30, 'c')
  at(10, 'a')
  at(10, 'b')
  at(20, 'x')()
  at(50, 'late')
  await clock.run(40)
  assert.deepEqual(fired, ['a@10', 'b@10', 'c@30'])
  assert.equal(clock.now(), 40)
})

test('promises that wait on time go on between two timers', async () => {
  const clock = new VirtualClock(1_000)
  const seen: number[] = []
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(1_000)
      seen.push(clock.now())
    }
  })()
  await clock.run(10_000)
  await loop
  assert.deepEqual(seen, [1_000, 2_000, 3_000])
  assert.equal(clock.unixSeconds(), 1_010)
})

test('an aborted sleep rejects with the reason and leaves no timer that fires', async () => {
  const clock = new VirtualClock()
  const stop = new AbortController()
  const sleeping = clock.sleep(100, stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  await assert.rejects(clock.sleep(1, stop.signal), /enough/)
  await clock.run(1_000, () => clock.now() >= 500)
  assert.equal(clock.now(), 1_000)
})
