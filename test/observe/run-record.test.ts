/** The record of a run: round trips, bounds, and reading what a crash or a hand has damaged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { MAX_POINTS, MAX_RECORD_BYTES, MAX_RECORDED_EVENTS } from '../../src/observe/limits.ts'
import { type Life, type RecordedRun, RunRecord } from '../../src/observe/run-record.ts'
import { Spaced } from '../../src/observe/spaced.ts'
import { status } from '../cli/fake.ts'

const RUN: RecordedRun = { peer: 'me', run: 'ab'.repeat(32), version: 'grapevine/1.0', manifest: { seed: 1 }, settings: { quiet: false } }
const life = (seconds: number, changes: Partial<Life> = {}): Life => ({ seconds, unixSeconds: 1_000, incarnation: 7, steps: 0, ...changes })
const stats = (steps: number): PeerEvent => ({
  event: 'stats',
  steps,
  updates: steps / 8,
  stepsPerSecond: 100,
  returnMean: steps / 10,
  episodes: 3,
  peers: 1,
  consensusDistance: 0.01,
  bytesIn: 5,
  bytesOut: 6,
})
const mix = (distance: number): PeerEvent => ({
  event: 'mix',
  with: 'other',
  strategy: 'broadcast',
  distance,
  staleness: 4,
  stalenessMs: 20,
  bytes: 100,
})
const none = () => ({})

test('what lines say is what was taken, line by line and as a whole', () => {
  const record = new RunRecord()
  record.begin(RUN, life(0))
  let lines = record.lines()
  lines += record.take(mix(0.1), 1, none)
  lines += record.take(mix(0.3), 1.5, none)
  lines += record.take(stats(80), 2, () => ({ 'train/loss': 0.5 }))
  lines += record.takeReturn(2, 80, 8)
  lines += record.takeReturn(2.1, 88, null)
  lines += record.take({ event: 'evaluation', steps: 80, deterministic: 9, stochastic: 8, episodes: 20 }, 2.2, none)
  lines += record.take({ event: 'warning', code: 'far_apart', message: 'far' }, 3, none)
  lines += record.take({ event: 'peer', id: 'other', state: 'alive' }, 3, none)
  lines += record.take({ event: 'checkpoint', path: 'x' }, 3, none)
  lines += record.take({ event: 'solved', steps: 80, seconds: 2, returnMean: 8 }, 3, none)
  lines += record.stand({ ...status, steps: 80 }, 4)
  for (const read of [RunRecord.parse(lines), RunRecord.parse(record.lines())]) {
    assert.deepEqual(read.run, RUN)
    assert.deepEqual(read.lives, [life(0)])
    const [point] = read.curves.points
    assert.deepEqual(
      [point!.steps, point!.mixes, point!.mixDistance, point!.staleness, point!.statistics],
      [80, 2, 0.2, 4, { 'train/loss': 0.5 }],
    )
    assert.deepEqual(read.returns.points, [{ seconds: 2, steps: 80, returnMean: 8 }])
    assert.equal(read.best!.event.deterministic, 9)
    assert.deepEqual([read.trouble.length, read.swarm.length, read.outcomes.length], [1, 1, 1])
    assert.equal(read.standing!.status.steps, 80)
    assert.equal(read.standing!.mixes.length, 2)
    assert.equal(read.seconds, 4)
    assert.equal(read.damaged, 0)
  }
})

test('a torn line, foreign lines and wrong values are passed over and counted', () => {
  const record = new RunRecord()
  record.begin(RUN, life(0))
  const good = record.lines() + record.take(stats(8), 2, none)
  const bad = [
    '{"kind":"point","seconds":',
    'hello',
    '{"kind":"other"}',
    '{"kind":"life","seconds":"x"}',
    '[]',
    '{"kind":"event","seconds":1,"event":{"event":"nonsense"}}',
  ]
  const read = RunRecord.parse(`${good}${bad.join('\n')}\n${record.take(stats(16), 4, none)}`)
  assert.equal(read.damaged, bad.length)
  assert.deepEqual(
    read.curves.points.map(({ steps }) => steps),
    [8, 16],
  )
})

test('a month of noise stays within its bounds, covers the whole time, and keeps trouble and milestones', () => {
  const record = new RunRecord()
  record.begin(RUN, life(0))
  record.take({ event: 'solved', steps: 1, seconds: 1, returnMean: 1 }, 1, none)
  const seconds = 30 * 86_400
  const step = 20
  for (let at = 0; at < seconds; at += step) {
    record.take(stats(at), at, () => ({ 'train/loss': at, 'train/entropy_loss': 1 }))
    record.takeReturn(at, at, 1)
    record.take({ event: 'refused', peer: 'p'.repeat(52), code: 'not_finite' }, at, none)
    record.take({ event: 'evaluation', steps: at, deterministic: at === 1_000_000 ? 100 : 1, stochastic: null, episodes: 20 }, at, none)
  }
  record.take({ event: 'warning', code: 'late', message: 'x'.repeat(10_000) }, seconds, none)
  const text = record.lines()
  assert.ok(text.length < MAX_RECORD_BYTES / 8, `${text.length} bytes`)
  const read = RunRecord.parse(text)
  const { points } = read.curves
  assert.ok(points.length > MAX_POINTS / 3 && points.length <= MAX_POINTS, `${points.length} points`)
  const gaps = points.slice(1).map((point, i) => point.seconds - points[i]!.seconds)
  assert.ok(Math.max(...gaps) <= 2 * Math.min(...gaps), `gaps from ${Math.min(...gaps)} to ${Math.max(...gaps)}`)
  assert.ok(points[0]!.seconds === 0 && seconds - points.at(-1)!.seconds <= 2 * Math.max(...gaps))
  assert.equal(read.trouble.length, MAX_RECORDED_EVENTS)
  assert.equal((read.trouble.at(-1)!.event as { message: string }).message.length, 1_000)
  assert.equal(read.outcomes.length, 1)
  assert.equal(read.best!.event.steps, 1_000_000)
})

test('a curve put together from parts of different gaps becomes even', () => {
  const curve = new Spaced<{ seconds: number }>(8)
  for (const seconds of [0, 16, 32, 48]) curve.add({ seconds })
  for (let seconds = 50; seconds < 80; seconds += 2) curve.add({ seconds })
  // Gaps of 2 are thinned to 3, 6, 12 before those of 16 are touched.
  assert.deepEqual(
    curve.points.slice(0, 4).map(({ seconds }) => seconds),
    [0, 16, 32, 48],
  )
  assert.ok(curve.points.length <= 8)
  assert.equal(curve.wants(0), false)
})
