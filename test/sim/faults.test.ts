/** Each fault of a scenario happens to a swarm of real peers, and shows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveSimulation } from '../../src/sim/options.ts'
import { type NodeEvent, runSimulation } from '../../src/sim/simulate.ts'

/** Six replicas that do not learn, a round a second; peers fall silent after 6 s. */
async function scenario(steps: readonly object[], rounds: number, more: object = {}) {
  const events: NodeEvent[] = []
  const flags = { nodes: 6, rounds, learning: 'off', init: 'independent', dim: 40, period: 1, 'update-time': '1s', strategy: 'broadcast' }
  const settings = resolveSimulation({ ...flags, ...more, scenario: steps })
  const result = await runSimulation(settings, { onEvent: (event) => events.push(event) })
  const between = (kind: NodeEvent['event'], node: number, from: number, to: number) =>
    events.filter((event) => event.event === kind && event.node === node && event.seconds >= from && event.seconds < to)
  return { ...result, events, between, distance: result.summary.consensusDistance }
}

test('a partition keeps two halves apart until it is healed; both go on averaging', async () => {
  const { distance, between } = await scenario([{ at: 0, do: 'partition', peers: '0-2', for: '60s' }], 90)
  assert.ok(distance[55]! > 0.1 && Math.abs(distance[55]! - distance[50]!) < 1e-6)
  assert.ok(between('mix', 0, 10, 60).length > 50)
  assert.ok(distance[90]! < 1e-6, `${distance[90]} after healing`)
})

test('in a one-way partition those who only hear are drawn towards the others, who hear nothing of them', async () => {
  const { between } = await scenario([{ at: 0, do: 'partition', peers: 0, direction: 'in' }], 30)
  assert.equal(between('mix', 0, 5, 30).length, 0)
  const { between: outwards } = await scenario([{ at: 0, do: 'partition', peers: 0, direction: 'out' }], 30)
  assert.ok(outwards('mix', 0, 5, 15).length > 5)
})

test('a crashed peer is missed, and comes back as a joiner with the weights of the swarm', async () => {
  const { distance, between, events } = await scenario([{ at: '10s', do: 'crash', peers: 3, for: '20s' }], 60)
  assert.equal(between('mix', 3, 10.1, 30).length, 0)
  assert.equal(between('joined', 3, 30, 40).length, 1)
  assert.ok(between('mix', 3, 40, 60).length > 0)
  assert.ok(distance[59]! < 1e-6)
  assert.ok(!events.some((event) => event.event === 'error'))
})

test('a restart with a clock that went back an hour is still news to the others', async () => {
  const steps = [
    { at: '5s', do: 'skew', peers: 3, by: '-1h' },
    { at: '6s', do: 'crash', peers: 3, for: '4s' },
  ]
  const { between } = await scenario(steps, 40)
  assert.equal(between('joined', 3, 10, 20).length, 1)
  const mixedWith3 = between('mix', 0, 20, 40).filter((event) => event.event === 'mix' && event.staleness !== null)
  assert.ok(mixedWith3.length > 0)
  assert.equal(between('refused', 0, 10, 40).length, 0)
})

test('a paused peer does nothing, the others go on, and nobody is blamed', async () => {
  const { between, events } = await scenario([{ at: '10s', do: 'pause', peers: 2, for: '15s' }], 50)
  assert.equal(between('mix', 2, 10, 25).length, 0)
  assert.ok(between('mix', 1, 12, 25).length > 5)
  assert.ok(between('mix', 2, 27, 50).length > 5)
  assert.ok(!events.some((event) => event.event === 'refused' && event.code !== 'rate_limited'))
})

test('a slow peer is slow alone', async () => {
  const { events } = await scenario([{ at: 0, do: 'slow', peers: 1, times: 10 }], 40)
  const updates = (node: number) => events.findLast((event) => event.event === 'stats' && event.node === node)
  const [slow, quick] = [updates(1), updates(2)]
  assert.ok(slow?.event === 'stats' && quick?.event === 'stats')
  assert.ok(quick.updates >= 38)
  assert.ok(slow.updates <= 5)
})

test('copies that come when they are forgotten are refused by name', async () => {
  const { events, distance } = await scenario([{ at: 0, do: 'duplicate', probability: 0.02 }], 20)
  const codes = new Set(events.flatMap((event) => (event.event === 'refused' ? [event.code] : [])))
  assert.ok(codes.has('stale_beacon') || codes.has('stale_version'))
  assert.ok(distance[20]! < 1e-3)
})

test('loss, overtaking, flapping and half-open links slow averaging down and do not stop it', async () => {
  const steps = [
    { at: 0, do: 'loss', probability: 0.3 },
    { at: 0, do: 'reorder', probability: 0.3, late: '900ms' },
    { at: 0, do: 'flap', peers: '0-1', every: '3s', for: '30s' },
    { at: 0, do: 'half-open', peers: 5, for: '30s' },
    { at: 0, do: 'latency', peers: 4, latency: '200ms-900ms' },
    { at: 0, do: 'bandwidth', peers: 3, rate: '20kbit/s' },
  ]
  const trouble = await scenario(steps, 30)
  const calm = await scenario([], 30)
  assert.ok(trouble.distance[8]! > calm.distance[8]!)
  const after = await scenario(steps, 120)
  assert.ok(after.distance[120]! < 1e-3, `${after.distance[120]}`)
})
