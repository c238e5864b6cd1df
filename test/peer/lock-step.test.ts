import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

test('driven rounds: all publish, then all mix, and three replicas are their mean', async () => {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const driven = { waitForPeers: 9, pace: 'driven', view: () => ids } as const
  const a = await swarm.add(driven)
  const b = await swarm.add({ ...driven, join: a.network.addresses() })
  const c = await swarm.add({ ...driven, join: a.network.addresses() })
  const peers = [a, b, c]
  ids.push(...peers.map(({ network }) => network.id).sort())
  await swarm.clock.run(20_000)
  assert.deepEqual(
    peers.map(({ peer }) => peer.counters().rounds),
    [0, 0, 0],
  )
  const zero = a.peer.run.initial
  for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(zero.map(() => 3 * i))
  let publishing = peers.length
  const { promise: delivered, resolve } = Promise.withResolvers<void>()
  const barrier = () => {
    publishing--
    if (publishing === 0) swarm.clock.after(1_000, resolve)
    return delivered
  }
  await swarm.during(Promise.all(peers.map(({ peer }) => peer.round({ delivered: barrier }))))
  for (const { peer, events } of peers) {
    const { parameters } = await peer.run.learner.snapshot()
    assert.ok(parameters.every((value, i) => Math.abs(value - (zero[i]! + 3)) < 1e-5))
    assert.equal(peer.counters().rounds, 1)
    assert.equal(events.filter(({ event }) => event === 'mix').length, 2)
  }
  for (const peer of peers) await peer.leave()
})

test('a peer at its own pace is not driven', async () => {
  const swarm = new VirtualSwarm()
  const a = await swarm.add()
  await assert.rejects(a.peer.round(), { code: 'not_driven' })
  await a.leave()
})
