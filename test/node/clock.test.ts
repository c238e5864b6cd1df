import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/node/clock.ts'

test('the clock goes forward and knows the year', () => {
  const before = systemClock.now()
  assert.ok(systemClock.now() >= before)
  assert.equal(systemClock.unixSeconds(), Math.floor(systemClock.unixSeconds()))
  assert.ok(systemClock.unixSeconds() > 1_700_000_000)
})

test('sleep resolves, not before its time', async () => {
  const early: number[] = []
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const ms = (i % 40) * 0.27
      const before = performance.now()
      await systemClock.sleep(ms)
      const slept = performance.now() - before
      if (slept < ms) early.push(ms - slept)
    }),
  )
  assert.deepEqual(early, [])
})

test('sleep rejects with the reason of its signal and leaves neither timer nor listener', async () => {
  const reason = new Error('enough')
  await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason)
  const controller = new AbortController()
  const sleeping = systemClock.sleep(60_000, controller.signal)
  controller.abort(reason)
  await assert.rejects(sleeping, reason)
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout'),
    [],
  )
})

test('after calls once, and not when cancelled', async () => {
  const calls: string[] = []
  const cancel = systemClock.after(1, () => calls.push('cancelled'))
  systemClock.after(1, () => calls.push('called'))
  cancel()
  await systemClock.sleep(5)
  assert.deepEqual(calls, ['called'])
})

test('a wait longer than one timer holds does not fire at once', async () => {
  let fired = false
  const cancel = systemClock.after(2 ** 40, () => {
    fired = true
  })
  await systemClock.sleep(3)
  cancel()
  assert.equal(fired, false)
})
