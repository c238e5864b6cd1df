import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const normalisersOf = async ({ peer }: VirtualPeer) => {
  const { normalisers, ownNormalisers } = await peer.run.learner.snapshot()
  return { all: normalisers[0]!, own: ownNormalisers[0]! }
}

test('normalisers ride along: each peer knows its own samples and the newest of the other, none twice', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ wrappers: [{ id: 'normaliseObservations', options: {} }] })
  await swarm.until(() => founder.peer.run.learner.progress().updates >= 100, 60_000, 'the founder learns')
  const joiner = await swarm.add({ join: founder.network.addresses() })
  const joined = await normalisersOf(joiner)
  assert.ok(joined.all.count - joined.own.count >= 4_000, `begins with what its donor saw: ${joined.all.count}, own ${joined.own.count}`)

  await swarm.until(() => [founder, joiner].every((each) => each.of('mix').length >= 5), 30_000, 'both mix')
  await swarm.during(Promise.all([founder, joiner].map(({ peer }) => peer.run.learner.hold())))
  await swarm.clock.run(2_000)
  const [a, b] = [await normalisersOf(founder), await normalisersOf(joiner)]
  assert.equal(a.own.mean.length, 4)
  // Each takes over the other's samples, but never more of them than it saw itself.
  assert.equal(a.all.count, a.own.count + Math.min(a.own.count, b.own.count))
  assert.equal(b.all.count, b.own.count + Math.min(a.own.count, b.own.count))
  // The founder saw more, so it holds all of the joiner's samples: Chan's merge of two parts, by hand.
  assert.ok(a.own.count > b.own.count)
  const total = a.own.count + b.own.count
  for (let i = 0; i < 4; i++) {
    const mean = (a.own.count * a.own.mean[i]! + b.own.count * b.own.mean[i]!) / total
    assert.ok(Math.abs(a.all.mean[i]! - mean) < 1e-9 * (1 + Math.abs(mean)))
    const apart = b.own.mean[i]! - a.own.mean[i]!
    const m2 = a.own.m2[i]! + b.own.m2[i]! + (apart * apart * a.own.count * b.own.count) / total
    assert.ok(Math.abs(a.all.m2[i]! - m2) < 1e-6 * m2)
  }
  await joiner.leave()
  await founder.leave()
})
