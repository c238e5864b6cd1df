/** What pairs exchange under faults never changes the mean of the swarm but by what the ledgers account for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meanOf, sumOfSquares } from '../../src/average/distance.ts'
import { FaultyWires } from '../../src/sim/faulty-wires.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'
import { seededRandom } from '../../src/util/random.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

const PAIRS = {
  nodes: 6,
  rounds: 300,
  learning: 'off',
  init: 'independent',
  dim: 100,
  strategy: 'pairwise',
  codec: 'int8',
  period: 1,
  'update-time': '100ms',
  latency: '1ms-90ms',
}

test('with loss, half-open links and crashes the mean drifts by the ledger', async () => {
  const scenario = [
    { at: 0, do: 'loss', probability: 0.2 },
    { at: '5s', do: 'half-open', peers: 1, for: '4s' },
    { at: '10s', do: 'crash', peers: 3, for: '3s' },
    { at: '15s', do: 'crash', peers: 5, for: '3s' },
  ]
  const { summary, faults } = await runSimulation(resolveSimulation({ ...PAIRS, scenario }))
  assert.equal(faults.length, scenario.length)
  assert.ok(summary.meanDrift !== null && summary.meanDrift < 1e-6, `drift ${summary.meanDrift}`)
})

test('without crashes everything settles: no ledger has anything left, and the mean is where it was', async () => {
  let wires: FaultyWires | undefined
  const swarm = new VirtualSwarm((clock) => {
    wires = new FaultyWires({ clock, random: seededRandom('wires'), nodes: 6, latencyMs: [1, 90], bytesPerMs: null, loss: 0 })
    return wires
  })
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', keepDeltas: true, view: () => ids } as const
  const peers = [await swarm.add({ ...options, flags: { strategy: 'pairwise', codec: 'int8', robust: 'none' } })]
  for (let i = 1; i < 6; i++) peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
  for (const [i, one] of peers.entries()) {
    for (const other of peers.slice(i + 1))
      await swarm.during(one.network.dial(other.network.addresses()[0]!, new AbortController().signal))
  }
  ids.push(...peers.map(({ network }) => network.id).sort())
  for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(peer.run.initial.map((_, j) => Math.sin(1 + j + 31 * i)))
  const replicas = () => Promise.all(peers.map(async ({ peer }) => (await peer.run.learner.snapshot()).parameters.slice()))
  const before = await replicas()
  for (const wire of wires!.peers) Object.assign(wire, { loss: 0.2 })
  const silent = { from: new Set([1]), to: new Set([0, 2, 3, 4, 5]), silent: true }
  for (let round = 0; round < 60; round++) {
    if (round === 20) wires!.cuts.add(silent)
    if (round === 35) wires!.cuts.delete(silent)
    await swarm.during(Promise.all(peers.map(({ peer }) => peer.round())))
  }
  const sum = (name: string) => peers.reduce((total, { peer }) => total + (peer.counters()[name] ?? 0), 0)
  assert.ok(sum('exchanges') > 50 && sum('exchangesLost') > 5, `${sum('exchanges')} exchanges, ${sum('exchangesLost')} answers lost`)
  assert.ok(
    peers.some(({ peer }) => peer.ledger().length > 0),
    'something was open',
  )
  // Losses go on; only rounds do not.
  await swarm.clock.run(600_000)
  assert.deepEqual(
    peers.flatMap(({ peer }) => peer.ledger()),
    [],
  )
  assert.equal(sum('exchangesNeverSettled') + sum('exchangesUnsettled') + sum('outcomesKept'), 0)
  const [mean, start] = [meanOf(await replicas()), meanOf(before)]
  const norm = Math.sqrt(before.reduce((squares, replica) => squares + sumOfSquares(replica), 0) / before.length)
  const drift = Math.sqrt(sumOfSquares(mean.map((value, i) => value - start[i]!))) / norm
  assert.ok(drift < 1e-6, `drift ${drift}`)
  for (const peer of peers) await peer.leave()
})
