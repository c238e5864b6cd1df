/** An observer follows a run, and the run does not notice: on virtual time, with the core that the daemon runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relativeDistance } from '../../src/average/distance.ts'
import { peerStatus } from '../../src/peer/status.ts'
import { sha256Hex } from '../../src/util/sha256.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

/** Two learners, deterministic to the last bit, and perhaps an observer that joins after a while. */
async function history(strategy: string, observed: boolean) {
  const swarm = new VirtualSwarm()
  const until = 'steps=12000'
  const flags = { algo: 'a2c', strategy, deterministic: true, seed: 3, until }
  // Who proposes first depends on chance, which beacons draw from as well: pairs are driven.
  const common = { updateMs: 10, waitForPeers: 1, ...(strategy === 'pairwise' ? { pace: 'driven' as const } : {}) }
  const first = await swarm.add({ ...common, flags })
  const second = await swarm.add({ ...common, flags: { until }, join: first.network.addresses() })
  const learners = [first, second]
  await swarm.until(() => first.peer.run.learner.progress().steps >= 2_000, 60_000, 'they learn')
  const observer = observed ? await swarm.add({ flags: { observe: true }, join: first.network.addresses() }) : null
  for (let round = 1; strategy === 'pairwise' && round <= 10; round++) {
    await swarm.clock.run(2_000, () => false)
    await swarm.during(Promise.all(learners.map(({ peer }) => peer.round({ delivered: async () => {} }))))
  }
  await swarm.until(() => learners.every(({ peer }) => peer.run.learner.progress().steps >= 12_000), 600_000, 'they learn to the end')
  await swarm.clock.run(30_000, () => false)
  return { swarm, learners, observer, replicas: await swarm.during(Promise.all(learners.map(parametersOf))) }
}

for (const strategy of ['broadcast', 'pairwise', 'push-sum', 'server', 'none']) {
  test(`${strategy}: an observer comes to stand where the swarm stands, and moves nobody by a bit`, async () => {
    const { swarm, learners, observer, replicas } = await history(strategy, true)
    const alone = await history(strategy, false)
    assert.deepEqual(
      replicas.map((replica) => sha256Hex(new Uint8Array(replica.buffer))),
      alone.replicas.map((replica) => sha256Hex(new Uint8Array(replica.buffer))),
    )
    const watching = observer!
    const followed = await swarm.during(parametersOf(watching))
    const distances = replicas.map((replica) => relativeDistance(followed, replica)!)
    assert.ok(Math.min(...distances) < 1e-6, `${distances}: it holds what one of them holds`)

    const { steps, updates, returnMean } = watching.peer.run.learner.progress()
    assert.deepEqual([steps, updates, returnMean], [0, 0, null])
    const mixes = watching.of('mix')
    assert.ok(mixes.length >= 3, `${mixes.length} snapshots`)
    assert.ok(mixes.every((mix) => mix.strategy === 'observe' && mix.bytes > 0))
    const { version } = await swarm.during(watching.peer.run.learner.snapshot())
    assert.equal(version, learners[0]!.peer.run.learner.progress().updates)

    for (const { peer, network, of } of learners) {
      assert.equal(peer.alive, 1, 'it is no partner')
      assert.ok(strategy === 'none' || of('mix').length >= 5, `${of('mix').length} mixes of the learners`)
      assert.ok(of('mix').every((mix) => mix.with !== watching.network.id))
      assert.equal(of('refused').length, 0)
      assert.ok(of('served').filter((served) => served.peer === watching.network.id).length <= 1, 'told once')
      const status = peerStatus(peer, { network, clock: swarm.clock }, 1_000)
      const known = status.peers.find(({ id }) => id === watching.network.id)!
      assert.deepEqual([known.state, known.observing, known.returnMean, known.mixes], ['alive', true, null, 0])
    }
    const own = peerStatus(watching.peer, { network: watching.network, clock: swarm.clock }, 1_000)
    assert.equal(own.observing, true)
    assert.equal(watching.peer.alive, 2)
  })
}

test('a founder that waits for partners does not begin for an observer, and one that lost them is alone with it', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ waitForPeers: 1, flags: { seed: 3 } })
  const observer = await swarm.add({ flags: { observe: true }, join: founder.network.addresses() })
  await swarm.until(() => founder.of('peer').some(({ state }) => state === 'alive'), 20_000, 'it hears the observer')
  await swarm.clock.run(5_000, () => false)
  assert.equal(founder.peer.run.learner.progress().holding, true)
  assert.equal(founder.peer.counters().rounds, 0)
  await observer.peer.pause()
  await swarm.during(observer.peer.resume())
  assert.equal(observer.peer.run.learner.progress().holding, true, 'an observer that is resumed does not learn')
  await observer.leave()
  await founder.leave()
})

test('a snapshot that stands far from where all others say is not followed', async () => {
  const swarm = new VirtualSwarm()
  const flags = { seed: 3, strategy: 'none' }
  const first = await swarm.add({ updateMs: 10, flags })
  const others = [
    await swarm.add({ updateMs: 10, join: first.network.addresses() }),
    await swarm.add({ updateMs: 10, join: first.network.addresses() }),
  ]
  const observer = await swarm.add({ flags: { observe: true }, join: first.network.addresses() })
  await swarm.until(() => observer.of('mix').length > 2, 60_000, 'it follows')
  // One of them goes astray.
  const { parameters, version, steps } = await swarm.during(others[0]!.peer.run.learner.snapshot())
  const stray = parameters.map((value) => value + 50)
  for (const each of [first, ...others]) await each.peer.pause()
  await swarm.during(others[0]!.peer.run.learner.adopt({ parameters: stray, target: null, version, steps, normalisers: [] }))
  await swarm.clock.run(10_000, () => false)
  const before = observer.of('mix').length
  await swarm.until(() => (observer.peer.counters().snapshotsFar ?? 0) > 0, 120_000, 'it was asked for its snapshot')
  await swarm.until(() => observer.of('mix').length > before + 2, 120_000, 'others are followed')
  assert.ok(
    observer
      .of('mix')
      .slice(before)
      .every((mix) => mix.with !== others[0]!.network.id),
  )
  for (const each of [observer, first, ...others]) await each.leave()
})
