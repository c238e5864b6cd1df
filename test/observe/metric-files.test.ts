import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { MetricFiles } from '../../src/observe/metric-files.ts'
import { crc32c, fileHeader, scalars } from '../../src/observe/tensorboard.ts'

const stats: PeerEvent = {
  event: 'stats',
  steps: 5_000_000_000,
  updates: 10,
  stepsPerSecond: null,
  returnMean: 42.5,
  episodes: 3,
  peers: 1,
  consensusDistance: 0.25,
  bytesIn: 7,
  bytesOut: 8,
}

function recorded(statistics: Record<string, number>) {
  const files = new Map<string, Buffer>()
  const failures: string[] = []
  const writer = new MetricFiles({
    kinds: ['tensorboard', 'csv'],
    append: async (name, bytes) => void files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), bytes])),
    unixSeconds: () => 1_700_000_000,
    statistics: () => statistics,
    failed: (message) => failures.push(message),
  })
  return { writer, files, failures }
}

test('CRC-32C of the standard’s example', () => {
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
})

test('a file begins with the version that TensorBoard looks for', () => {
  // By hand: 9 bytes of wall time, 2 of key and length, 13 of text; 16 of the record around.
  const header = fileHeader(0)
  assert.equal(header.length, 16 + 9 + 15)
  assert.deepEqual([...header.subarray(0, 8)], [24, 0, 0, 0, 0, 0, 0, 0])
  assert.equal(Buffer.from(header.subarray(12 + 9, 12 + 24)).toString('latin1'), '\u001a\u000dbrain.Event:2')
})

test('CSV: a table with the columns of its first line', async () => {
  const statistics: Record<string, number> = { 'train/loss': 0.5 }
  const { writer, files } = recorded(statistics)
  writer.take({ ...stats, updates: 0 })
  writer.take({ event: 'mix', with: 'p', strategy: 'broadcast', distance: 0.1, staleness: 4, stalenessMs: 20, bytes: 1 })
  writer.take(stats)
  statistics['train/late'] = 1
  writer.take(stats)
  assert.equal(
    files.get('metrics/metrics-1700000000.csv')?.toString('utf8'),
    [
      'unix_seconds,time/steps,time/updates,time/episodes,time/steps_per_second,rollout/return_mean,swarm/peers,swarm/consensus_distance,swarm/staleness_updates,swarm/staleness_ms,network/bytes_in,network/bytes_out,train/loss',
      '1700000000,5000000000,10,3,,42.5,1,0.25,4,20,7,8,0.5',
      '1700000000,5000000000,10,3,,42.5,1,0.25,,,7,8,0.5',
      '',
    ].join('\n'),
  )
})

test('what cannot be written is told of once', async () => {
  const failures: string[] = []
  const writer = new MetricFiles({
    kinds: ['csv'],
    append: async () => {
      throw new Error('disk full')
    },
    unixSeconds: () => 1,
    statistics: () => ({}),
    failed: (message) => failures.push(message),
  })
  writer.take(stats)
  writer.take(stats)
  await new Promise((next) => setImmediate(next))
  assert.deepEqual(failures, ['Metrics cannot be written (disk full); training goes on without.'])
})

const python = process.env.PYTHON ?? 'python3'
const hasTensorboard = spawnSync(python, ['-c', 'import tensorboard']).status === 0
const skip = hasTensorboard || process.env.CI === 'true' ? false : `no tensorboard in ${python}`

test('TensorBoard’s own reader reads the file', { skip }, (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const { writer, files } = recorded({ 'train/loss': -0.125 })
  writer.take({ ...stats, steps: 100 })
  writer.take(stats)
  for (const [name, content] of files) writeFileSync(join(folder, name.replace('metrics/', '')), content)
  const program = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[event.step, event.value, event.wall_time] for event in events.Scalars(tag)] for tag in events.Tags()['scalars']}))`
  const { stdout, stderr } = spawnSync(python, ['-c', program, folder], { encoding: 'utf8' })
  const read = JSON.parse(stdout || `"${stderr}"`)
  assert.deepEqual(read['train/loss'], [
    [100, -0.125, 1_700_000_000],
    [5_000_000_000, -0.125, 1_700_000_000],
  ])
  assert.deepEqual(read['rollout/return_mean'].at(-1), [5_000_000_000, 42.5, 1_700_000_000])
  // Unknown at both times.
  assert.equal('time/steps_per_second' in read, false)
  assert.equal(Object.keys(read).length, 9)
})

test('steps beyond 32 bits and tags beyond ASCII keep their length', () => {
  const event = scalars(0, 2 ** 40, { 'ä/x': 1 })
  assert.equal(new DataView(event.buffer).getUint32(0, true), event.length - 16)
})
