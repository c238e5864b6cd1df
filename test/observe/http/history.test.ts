import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Curves, Journal, MixMeans, type Point } from '../../../src/observe/http/history.ts'
import { MAX_EVENTS_KEPT } from '../../../src/observe/limits.ts'

const point = (seconds: number): Point => ({
  seconds,
  steps: 0,
  stepsPerSecond: null,
  returnMean: null,
  consensusDistance: null,
  staleness: null,
  stalenessMs: null,
  peers: 0,
  bytesIn: 0,
  bytesOut: 0,
  statistics: {},
})
const mix = (staleness: number | null) =>
  ({ event: 'mix', with: 'p', strategy: 'broadcast', distance: 0.1, staleness, stalenessMs: 10, bytes: 1 }) as const

test('curves cover the whole run in constant memory, evenly', () => {
  const curves = new Curves(4)
  for (let second = 0; second < 4; second++) curves.add(point(second))
  assert.deepEqual(
    curves.points.map(({ seconds }) => seconds),
    [0, 1, 2, 3],
  )
  for (let second = 4; second <= 16; second++) curves.add(point(second))
  assert.deepEqual(
    curves.points.map(({ seconds }) => seconds),
    [0, 8, 16],
  )
})

test('mixes do not drive warnings out of the journal', () => {
  const journal = new Journal()
  journal.add({ event: 'warning', code: 'x', message: 'Look.' }, 0)
  for (let i = 0; i < MAX_EVENTS_KEPT + 5; i++) journal.add(mix(1), i)
  journal.add({ event: 'refused', peer: 'p', code: 'digest' }, 9)
  const kept = journal.latest()
  assert.equal(kept.length, MAX_EVENTS_KEPT + 2)
  assert.deepEqual([kept[0]?.event.event, kept.at(-1)?.event.event], ['warning', 'refused'])
})

test('staleness is the mean since it was last taken; unknown counts for nothing', () => {
  const means = new MixMeans()
  for (const staleness of [2, null, 4]) means.add(mix(staleness))
  assert.deepEqual(means.take(), { staleness: 3, stalenessMs: 10 })
  assert.deepEqual(means.take(), { staleness: null, stalenessMs: null })
})
