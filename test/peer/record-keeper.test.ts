/** What a report shows is written while a peer lives: over several lives, through a full disk, and never at the cost of the peer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerEvent } from '../../src/observe/events.ts'
import { MAX_RECORD_GROWTH_BYTES } from '../../src/observe/limits.ts'
import { RunRecord } from '../../src/observe/run-record.ts'
import { RecordKeeper } from '../../src/peer/record-keeper.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { KEPT_RECORDS } from '../../src/store/limits.ts'
import { listRecords, recordOf } from '../../src/store/records.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { status } from '../cli/fake.ts'

const RUN_ID = 'ab'.repeat(32)

class Life {
  readonly warnings: string[] = []
  readonly keeper: RecordKeeper
  readonly clock: VirtualClock
  steps = 0
  progress: (steps: number, returnMean: number | null) => void = () => undefined
  unsubscribed = 0

  constructor(storage: MemoryStorage, clock: VirtualClock) {
    this.clock = clock
    this.keeper = new RecordKeeper({ storage, clock, warn: (code, message) => this.warnings.push(`${code}: ${message}`) })
  }

  begin(incarnation: number): Promise<void> {
    return this.keeper.begin({
      run: { peer: 'me', run: RUN_ID, version: 'grapevine/1.0', manifest: {}, settings: {} },
      incarnation,
      steps: this.steps,
      status: () => ({ ...status, steps: this.steps }),
      onProgress: (listener) => {
        this.progress = listener
        return () => {
          this.unsubscribed++
        }
      },
      statistics: () => ({ 'train/loss': 1 }),
    })
  }

  /** `count` times two seconds with 100 steps each. */
  async live(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.clock.run(2_000)
      this.steps += 100
      this.progress(this.steps, this.steps / 10)
      this.keeper.take(statsOf(this.steps))
      await this.clock.run(0)
    }
  }
}

function statsOf(steps: number): PeerEvent {
  const unknown = { stepsPerSecond: null, returnMean: null, consensusDistance: null }
  return { event: 'stats', steps, updates: 1, episodes: 1, peers: 0, bytesIn: 0, bytesOut: 0, ...unknown }
}

async function recordIn(storage: MemoryStorage): Promise<RunRecord> {
  const [newest] = await listRecords(storage)
  return RunRecord.parse(new TextDecoder().decode((await storage.read(newest!.name))!))
}

test('lives of one run follow each other in one record; what a crash left is kept, and early warnings are in it', async () => {
  const storage = new MemoryStorage()
  const clock = new VirtualClock()
  const first = new Life(storage, clock)
  first.keeper.take({ event: 'warning', code: 'bad_checkpoint', message: 'an older one is used' })
  await first.begin(5)
  await first.live(3)
  // Gone without a word; the last line is torn.
  await storage.append('records/00000001-abababababababab.jsonl', new TextEncoder().encode('{"kind":"poi'))
  const second = new Life(storage, clock)
  second.steps = 200
  await second.begin(6)
  await second.live(2)
  await second.keeper.end('interrupted')
  assert.equal(second.unsubscribed, 1)
  const record = await recordIn(storage)
  assert.equal(record.damaged, 0)
  assert.deepEqual(
    record.lives.map(({ incarnation, steps, seconds }) => [incarnation, steps, seconds]),
    [
      [5, 0, 0],
      [6, 200, 6],
    ],
  )
  assert.deepEqual(
    record.curves.points.map(({ seconds, steps }) => [seconds, steps]),
    [
      [2, 100],
      [4, 200],
      [6, 300],
      [8, 300],
      [10, 400],
    ],
  )
  assert.equal(record.returns.points.length, 5)
  assert.deepEqual(record.trouble[0], {
    kind: 'event',
    seconds: 0,
    event: { event: 'warning', code: 'bad_checkpoint', message: 'an older one is used' },
  })
  const [stopped] = record.outcomes
  assert.deepEqual(stopped!.event, { event: 'stopped', reason: 'interrupted', steps: 400 })
  assert.equal(record.standing!.status.steps, 400)
  assert.deepEqual([...first.warnings, ...second.warnings], [])
})

test('a full disk is told of once for each time it is full, and made good when there is space again', async () => {
  const storage = new MemoryStorage()
  const { append, write } = storage
  const full = () => Promise.reject(new GrapevineError('storage', 'local', 'Cannot write the record in the data folder: ENOSPC.'))
  const peer = new Life(storage, new VirtualClock())
  await peer.begin(1)
  await peer.live(2)
  for (let time = 1; time <= 2; time++) {
    storage.append = full
    storage.write = full
    await peer.live(25)
    assert.equal(peer.warnings.length, time)
    assert.match(
      peer.warnings.at(-1)!,
      /^record_failed: What grapevine report shows of this run could not be written; training goes on.*ENOSPC/,
    )
    storage.append = append
    storage.write = write
    await peer.live(10)
  }
  await peer.keeper.end(null)
  const record = await recordIn(storage)
  assert.equal(record.curves.points.length, 72)
  assert.equal(record.damaged, 0)
})

test('a file that grows is written anew, and one that cannot be read begins anew', async () => {
  const storage = new MemoryStorage()
  const peer = new Life(storage, new VirtualClock())
  await peer.begin(1)
  const name = await recordOf(storage, RUN_ID)
  let largest = 0
  for (let i = 0; i < 400; i++) {
    for (let j = 0; j < 60; j++) peer.keeper.take({ event: 'warning', code: 'noise', message: 'x'.repeat(100) })
    await peer.live(1)
    largest = Math.max(largest, storage.files.get(name)!.length)
  }
  assert.ok(largest > MAX_RECORD_GROWTH_BYTES, 'it grew')
  assert.ok(largest < 1.2 * MAX_RECORD_GROWTH_BYTES, `and was cut: ${largest}`)
  storage.read = () => Promise.reject(new GrapevineError('storage', 'local', 'Cannot read it: EIO.'))
  const after = new Life(storage, new VirtualClock())
  await after.begin(2)
  assert.match(after.warnings[0]!, /EIO/)
  await after.keeper.end('done')
})

test('the latest records are kept, each run has one', async () => {
  const storage = new MemoryStorage()
  for (let run = 0; run < KEPT_RECORDS + 3; run++) {
    const name = await recordOf(storage, run.toString(16).padStart(64, '0').slice(48).padEnd(64, '0'))
    await storage.write(name, new Uint8Array(1))
  }
  const kept = await listRecords(storage)
  assert.equal(kept.length, KEPT_RECORDS)
  assert.equal(kept[0]!.number, KEPT_RECORDS + 3)
  assert.equal(await recordOf(storage, kept[5]!.run.padEnd(64, '0')), kept[5]!.name)
})
