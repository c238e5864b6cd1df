import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { follow, sleepOn } from '../../src/util/abort.ts'

test('a child aborts with its parent and for the same reason, until they are unlinked', () => {
  const parent = new AbortController()
  const [linked, unlinked, late] = [new AbortController(), new AbortController(), new AbortController()]
  follow(parent.signal, linked)
  follow(parent.signal, unlinked)()
  parent.abort('enough')
  follow(parent.signal, late)()
  assert.deepEqual([linked.signal.reason, unlinked.signal.aborted, late.signal.reason], ['enough', false, 'enough'])
})

test('nothing of an unlinked child stays with the parent', () => {
  const { signal } = new AbortController()
  for (let i = 0; i < 5; i++) follow(signal, new AbortController())()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a sleep ends in time or with its signal, and leaves nothing behind', async () => {
  const timers: (() => void)[] = []
  let cancelled = 0
  const sleep = sleepOn((_ms, run) => {
    timers.push(run)
    return () => cancelled++
  })
  const { signal } = new AbortController()
  const slept = sleep(5, signal)
  timers[0]!()
  await slept
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  const leaving = new AbortController()
  const broken = sleep(5, leaving.signal)
  leaving.abort(new Error('enough'))
  await assert.rejects(broken, { message: 'enough' })
  await assert.rejects(sleep(5, leaving.signal), { message: 'enough' })
  assert.deepEqual([timers.length, cancelled], [2, 1])
})
