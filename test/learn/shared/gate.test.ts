import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EPISODES_AHEAD } from '../../../src/learn/limits.ts'
import { Gate, gateBuffer } from '../../../src/learn/shared/gate.ts'
import { ReportedEpisodes, reportBuffer, WorkerReport } from '../../../src/learn/shared/worker-report.ts'

test('a gate lets threads in while it is open, and closes once they are out', () => {
  const buffer = gateBuffer(2)
  const gate = new Gate(buffer)
  assert.equal(gate.enter(0), false, 'it begins closed')
  gate.open()
  assert.ok(gate.enter(0))
  assert.ok(gate.enter(1))
  gate.leave(0)
  gate.leave(1)
  gate.close()
  assert.equal(gate.enter(1), false)
  assert.ok(new Int32Array(buffer).every((word) => word === 0))
})

test('a thread that dies inside does not keep the gate open', () => {
  const gate = new Gate(gateBuffer(2))
  gate.open()
  assert.ok(gate.enter(0))
  gate.close()
  gate.open()
  assert.ok(gate.enter(0), 'its successor comes in')
})

test('a worker reports its steps, and its episodes as they finish', () => {
  const buffer = reportBuffer()
  const learner = new WorkerReport(buffer)
  const episodes = new ReportedEpisodes(2, new WorkerReport(buffer), () => false)
  const finished: number[][] = []
  const drain = () => learner.drain((...episode) => finished.push(episode))
  episodes.record(Float32Array.of(1, 2), Uint8Array.of(0, 1), Uint8Array.of(0, 0))
  episodes.record(Float32Array.of(3, 4), Uint8Array.of(0, 0), Uint8Array.of(1, 0))
  drain()
  assert.deepEqual(finished, [
    [2, 1],
    [4, 2],
  ])
  episodes.record(Float32Array.of(5, 6), Uint8Array.of(1, 1), Uint8Array.of(0, 0))
  drain()
  assert.deepEqual(finished.slice(2), [
    [5, 1],
    [10, 2],
  ])
  assert.equal(learner.get('steps'), 6)
})

test('a worker whose learner does not listen is held back, and lets go when it is stopped', () => {
  const report = new WorkerReport(reportBuffer())
  for (let i = 0; i < EPISODES_AHEAD; i++) assert.ok(report.push(i, 1))
  assert.equal(report.push(0, 1), false)
  let asked = 0
  const episodes = new ReportedEpisodes(1, report, () => ++asked === 2)
  episodes.record(Float32Array.of(1), Uint8Array.of(1), Uint8Array.of(0))
  assert.equal(asked, 2)
  let taken = 0
  report.drain((episodeReturn) => assert.equal(episodeReturn, taken++))
  assert.equal(taken, EPISODES_AHEAD)
})
