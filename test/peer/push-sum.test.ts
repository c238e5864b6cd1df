import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactConsensusDistance } from '../../src/average/distance.ts'
import { MAX_AUTHORS_PER_ADDRESS } from '../../src/peer/limits.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

/** Sum of w and of w x over the swarm, of what is on its way, and of what waits. */
async function sums(peers: readonly VirtualPeer[]) {
  const masses = peers.map(({ peer }) => peer.mass()!)
  const parts: { weight: number; values: Float32Array }[] = []
  for (const [i, mass] of masses.entries()) {
    parts.push({ weight: mass.weight, values: await parametersOf(peers[i]!) }, ...mass.arrived)
    parts.push(...mass.sent.filter(({ name }) => !masses.some((other) => other.hasTaken(name))))
  }
  const total = new Float64Array(parts[0]!.values.length)
  for (const { weight, values } of parts) for (let i = 0; i < total.length; i++) total[i]! += weight * values[i]!
  return { weight: parts.reduce((sum, part) => sum + part.weight, 0), total }
}

test('push-sum: whatever is on its way, no weight and no parameter is lost; all meet at the mean', async () => {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
  const peers = [await swarm.add({ ...options, flags: { strategy: 'push-sum' } })]
  for (let i = 1; i < 5; i++) peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
  for (const [i, a] of peers.entries()) {
    for (const b of peers.slice(i + 1)) await swarm.during(a.network.dial(b.network.addresses()[0]!, new AbortController().signal))
  }
  ids.push(...peers.map(({ network }) => network.id).sort())
  const { initial } = peers[0]!.peer.run
  for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(initial.map((_, j) => Math.cos(j + 17 * i)))
  const before = await sums(peers)
  const replicas = () => Promise.all(peers.map(parametersOf))
  const apart = exactConsensusDistance(await replicas()).distance
  assert.equal(before.weight, 5)
  const norm = Math.hypot(...before.total)
  let onTheirWay = 0
  for (let round = 0; round < 120; round++) {
    for (const { peer } of peers) await swarm.during(peer.round())
    // A message takes 5 ms to its receiver: two rounds or three.
    await swarm.clock.run(2)
    const now = await sums(peers)
    onTheirWay = Math.max(onTheirWay, 5 - peers.reduce((sum, { peer }) => sum + peer.mass()!.weight, 0))
    assert.ok(Math.abs(now.weight - 5) < 1e-9, `${now.weight} in round ${round}`)
    const drift = Math.hypot(...now.total.map((value, i) => value - before.total[i]!))
    assert.ok(drift < 1e-5 * norm, `${drift} in round ${round}`)
  }
  assert.ok(onTheirWay > 1, `only ${onTheirWay} was ever on its way`)
  const after = exactConsensusDistance(await replicas()).distance
  assert.ok(after < 1e-4 * apart, `${apart} became ${after}`)
  for (const peer of peers) await peer.leave()
})

test('push-sum: of one place so many authors are taken, and what is refused goes back to its sender', async () => {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
  const strict = await swarm.add({ ...options, flags: { strategy: 'push-sum', 'strict-quotas': true } })
  const others: VirtualPeer[] = []
  for (let i = 0; i < MAX_AUTHORS_PER_ADDRESS + 1; i++) others.push(await swarm.add({ ...options, join: strict.network.addresses() }))
  const all = [strict, ...others]
  ids.push(...all.map(({ network }) => network.id).sort())
  for (const other of others) await swarm.during(other.peer.round({ partner: strict.network.id }))
  await swarm.clock.run(5_000)
  assert.equal(strict.peer.counters().pushesTaken, MAX_AUTHORS_PER_ADDRESS)
  assert.equal(strict.peer.counters().refused_quota, 1)
  assert.deepEqual(
    others.map(({ peer }) => peer.counters().pushesRefused),
    [...others.slice(1).map(() => 0), 1],
  )
  const { weight } = await sums(all)
  assert.ok(Math.abs(weight - all.length) < 1e-9, `${weight}`)
  for (const peer of all) await peer.leave()
})
