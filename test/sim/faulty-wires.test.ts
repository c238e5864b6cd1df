import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../src/sim/clock.ts'
import { FaultyWires, type FaultyWiresOptions } from '../../src/sim/faulty-wires.ts'
import { memoryNetwork } from '../../src/sim/network.ts'
import { NodeClock } from '../../src/sim/node-clock.ts'
import { seededRandom } from '../../src/util/random.ts'

function wiresOf(options: Partial<FaultyWiresOptions> = {}) {
  const clock = new VirtualClock()
  const wires = new FaultyWires({
    clock,
    random: seededRandom('test'),
    nodes: 4,
    latencyMs: [10, 10],
    bytesPerMs: null,
    loss: 0,
    ...options,
  })
  return { clock, wires }
}

const share = (draws: number, hits: () => boolean) => Array.from({ length: draws }, hits).filter(Boolean).length / draws

test('messages leave one after the other at the bandwidth of their sender, and keep their order', async () => {
  const { clock, wires } = wiresOf({ bytesPerMs: 100 })
  assert.deepEqual([wires.stream(0, 1, 1_000), wires.stream(0, 1, 500), wires.stream(0, 2, 0)], [20, 25, 25])
  assert.equal(wires.stream(1, 0, 1_000), 20)
  await clock.run(100)
  assert.deepEqual(wires.gossip(0, 1, 1_000), [20])
  const jittered = wiresOf({ latencyMs: [5, 500] }).wires
  const arrivals = Array.from({ length: 50 }, () => jittered.stream(2, 3, 1) as number)
  assert.deepEqual(
    arrivals,
    arrivals.toSorted((a, b) => a - b),
  )
  assert.ok(arrivals[0]! >= 5 && arrivals.at(-1)! <= 500 && new Set(arrivals).size > 1)
})

test('loss, copies and overtaking come as often as they should, and are counted', () => {
  const { wires } = wiresOf()
  Object.assign(wires.peers[1]!, { loss: 0.25, duplication: 0.5, reordering: 0.1, reorderingMs: 90 })
  const draws = 20_000
  assert.ok(Math.abs(share(draws, () => wires.gossip(0, 1, 1).length === 0) - 0.25) < 0.02)
  assert.equal(wires.gossip(0, 2, 1).length, 1)
  assert.ok(Math.abs(wires.counts.lost / draws - 0.25) < 0.02)
  assert.ok(Math.abs(wires.counts.duplicated / draws - 0.375) < 0.02)
  assert.ok(Math.abs(wires.counts.reordered / draws - 0.075) < 0.01)
  const late = wiresOf().wires
  Object.assign(late.peers[0]!, { reordering: 1, reorderingMs: 90 })
  assert.deepEqual(late.gossip(0, 1, 1), [100])
  const fates = Array.from({ length: draws }, () => wires.stream(1, 0, 1))
  for (const fate of ['reset', 'stall']) assert.ok(Math.abs(fates.filter((each) => each === fate).length / draws - 0.125) < 0.02)
})

test('a cut is one-way or both, and a silent one is not noticed', () => {
  const { wires } = wiresOf()
  const cut = { from: new Set([0]), to: new Set([1, 2, 3]), silent: false }
  wires.cuts.add(cut)
  assert.deepEqual([wires.stream(0, 1, 1), wires.stream(1, 0, 1), wires.gossip(0, 2, 1)], ['stall', 10, []])
  assert.deepEqual([wires.severed(0, 1), wires.severed(1, 0), wires.severed(1, 2)], [true, false, false])
  wires.cuts.delete(cut)
  wires.cuts.add({ ...cut, silent: true })
  assert.deepEqual([wires.stream(0, 1, 1), wires.severed(0, 1)], ['stall', false])
})

test('connections over a cut way are given up after the keep-alive, over a flapping or silent one never', async () => {
  for (const [what, silent, cutMs, gone] of [
    ['cut', false, 60_000, true],
    ['healed in time', false, 5_000, false],
    ['silent', true, 60_000, false],
  ] as const) {
    const { clock, wires } = wiresOf()
    const hub = memoryNetwork(clock, { wires })
    const [a, b] = [hub.join('a'), hub.join('b')]
    const signal = new AbortController().signal
    await a.start(signal)
    await b.start(signal)
    await clock.during(a.dial('/memory/1', signal), 1_000)
    const cut = { from: new Set([0]), to: new Set([1]), silent }
    wires.cuts.add(cut)
    hub.watchSevered()
    clock.after(cutMs, () => wires.cuts.delete(cut))
    b.serve('p', 10, async () => new Uint8Array(1))
    const asked = a.request('b', 'p', new Uint8Array(1), { maxResponseBytes: 1, timeoutMs: 1_000 })
    await assert.rejects(clock.during(asked, 5_000), { code: 'timeout' }, what)
    await clock.run(30_000)
    assert.deepEqual([a.peers().length, b.peers().length], gone ? [0, 0] : [1, 1], what)
  }
})

test('a held clock lets nothing happen until it is released, then everything in order', async () => {
  const clock = new VirtualClock()
  const own = new NodeClock(clock)
  const seen: string[] = []
  own.after(10, () => seen.push(`a@${own.now()}`))
  own.after(20, () => seen.push('never'))()
  own.after(30, () => seen.push(`b@${own.now()}`))
  own.hold()
  await clock.run(25)
  own.admit(() => seen.push('message'))
  await clock.run(75)
  assert.deepEqual(seen, [])
  own.release()
  await clock.run(1)
  assert.deepEqual(seen, ['a@100', 'message', 'b@100'])
  own.skewSeconds = -3_600
  assert.equal(own.unixSeconds(), clock.unixSeconds() - 3_600)
})
