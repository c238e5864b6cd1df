import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import type { Clock } from '../../src/ports/clock.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { DEADLINE_SLICES } from '../../src/swarm/limits.ts'
import { Operation } from '../../src/swarm/operation.ts'

test('a deadline aborts with its reason when its time is over, not before', async () => {
  const clock = new VirtualClock()
  const operation = new Operation(clock)
  operation.deadline(1_000, () => new Error('late'))
  await clock.run(999)
  assert.equal(operation.signal.aborted, false)
  await clock.run(1)
  assert.match(String(operation.signal.reason), /late/)
})

test('a deadline that is restarted in time never aborts, one that is cancelled neither', async () => {
  const clock = new VirtualClock()
  const operation = new Operation(clock)
  const silence = operation.deadline(1_000, () => new Error('silent'))
  operation.deadline(1_500, () => new Error('late')).cancel()
  for (let i = 0; i < 5; i++) {
    await clock.run(850)
    silence.restart()
  }
  assert.equal(operation.signal.aborted, false)
  await clock.run(1_000)
  assert.match(String(operation.signal.reason), /silent/)
})

test('a timer that comes late, because our own loop stood still, costs one slice and no more', () => {
  const timers: { ms: number; fire: () => void }[] = []
  const after = (ms: number, fire: () => void) => {
    timers.push({ ms, fire })
    return () => {}
  }
  const operation = new Operation({ ...new VirtualClock(), after } as Clock)
  operation.deadline(1_000, () => new Error('late'))
  for (let slice = 1; slice <= DEADLINE_SLICES; slice++) {
    assert.equal(operation.signal.aborted, false)
    const timer = timers.shift()
    assert.equal(timer?.ms, 1_000 / DEADLINE_SLICES)
    timer.fire()
  }
  assert.equal(operation.signal.aborted, true)
  assert.equal(timers.length, 0)
})

test('parents abort an operation; at its end no timer and no listener is left', async () => {
  const clock = new VirtualClock()
  const parent = new AbortController()
  const operation = new Operation(clock, parent.signal, undefined)
  operation.deadline(1_000, () => new Error('late'))
  const racing = operation.race(new Promise(() => {}))
  parent.abort(new Error('enough'))
  await assert.rejects(racing, /enough/)
  await assert.rejects(operation.race(Promise.resolve(1)), /enough/)
  operation.end()
  assert.equal(getEventListeners(operation.signal, 'abort').length, 0)

  const other = new Operation(clock, parent.signal)
  assert.match(String(other.signal.reason), /enough/)
  other.end()
  const fresh = new AbortController()
  const quick = new Operation(clock, fresh.signal)
  quick.deadline(1_000, () => new Error('late'))
  assert.equal(await quick.race(Promise.resolve(7)), 7)
  await assert.rejects(quick.race(Promise.reject(new Error('own'))), /own/)
  quick.end()
  await clock.run(10_000)
  assert.equal(quick.signal.aborted, false)
  assert.equal(getEventListeners(fresh.signal, 'abort').length, 0)
})
