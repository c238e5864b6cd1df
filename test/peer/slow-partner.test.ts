import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactConsensusDistance, meanOf } from '../../src/average/distance.ts'
import { AnswerTimes } from '../../src/peer/exchange/answer-times.ts'
import { FaultyWires } from '../../src/sim/faulty-wires.ts'
import { seededRandom } from '../../src/util/random.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

test('slow is whose last answer took over four times the median of at least three partners, and over 100 ms', () => {
  const times = new AnswerTimes()
  times.took('far', 400)
  times.took('a', 40)
  assert.equal(times.isSlow('far'), false)
  times.took('b', 60)
  assert.deepEqual(
    ['far', 'a', 'b', 'unknown'].map((peer) => times.isSlow(peer)),
    [true, false, false, false],
  )
  times.took('far', 240)
  assert.equal(times.isSlow('far'), false)
  const quick = new AnswerTimes()
  for (const [peer, ms] of [
    ['a', 1],
    ['b', 1],
    ['far', 100],
  ] as const)
    quick.took(peer, ms)
  assert.equal(quick.isSlow('far'), false)
})

const NEAR_MS = 20
const FAR_MS = 200
const ROUNDS = 40

test('a far partner costs the others no rounds, and the mean stays as it was', async () => {
  let wires: FaultyWires | undefined
  const swarm = new VirtualSwarm((clock) => {
    wires = new FaultyWires({ clock, random: seededRandom('far'), nodes: 6, latencyMs: [NEAR_MS, NEAR_MS], bytesPerMs: null, loss: 0 })
    return wires
  })
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', keepDeltas: true, view: () => ids } as const
  const peers = [await swarm.add({ ...options, flags: { strategy: 'pairwise', robust: 'none' } })]
  for (let i = 1; i < 6; i++) peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
  for (const [i, one] of peers.entries()) {
    for (const other of peers.slice(i + 1))
      await swarm.during(one.network.dial(other.network.addresses()[0]!, new AbortController().signal))
  }
  ids.push(...peers.map(({ network }) => network.id).sort())
  for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(peer.run.initial.map((_, j) => Math.sin(1 + j + 31 * i)))
  const replicas = () => Promise.all(peers.map(async ({ peer }) => (await peer.run.learner.snapshot()).parameters.slice()))
  const before = await replicas()
  const [far, ...others] = [peers[5]!, ...peers.slice(0, 5)]
  wires!.peers[5]!.latencyMs = [FAR_MS, FAR_MS]
  let farRounds = 0
  let over = false
  const farGoesOn = (async () => {
    for (; !over; farRounds++) await far.peer.round()
  })()
  const tookMs: number[] = []
  const go = async (peer: (typeof others)[number]) => {
    for (let round = 0; round < ROUNDS; round++) {
      const startedAtMs = swarm.clock.now()
      await peer.peer.round()
      tookMs.push(swarm.clock.now() - startedAtMs)
    }
  }
  await swarm.during(Promise.all(others.map(go)))
  over = true
  await swarm.during(farGoesOn)
  assert.ok(farRounds > 0)
  const counted = (name: string) => others.reduce((sum, { peer }) => sum + peer.counters()[name]!, 0)
  assert.ok(counted('exchangesAside') > 0, 'somebody met the far one beside others')
  // One exchange is two answers of 40 ms; with the far one it is two of 400. Only the first with it, of which nobody knows, is waited for.
  const long = tookMs.filter((ms) => ms > 2 * FAR_MS)
  assert.ok(long.length <= 2 * others.length, `${long.length} of ${tookMs.length} rounds were waited for`)
  await swarm.clock.run(30_000)
  assert.deepEqual(
    peers.flatMap(({ peer }) => peer.ledger()),
    [],
  )
  const after = await replicas()
  const mean = meanOf(before)
  const drift = meanOf(after).map((value, i) => value - mean[i]!)
  assert.ok(drift.every((value) => Math.abs(value) < 1e-5))
  assert.ok(exactConsensusDistance(after).distance < 0.01 * exactConsensusDistance(before).distance)
  for (const peer of peers) await peer.leave()
})
