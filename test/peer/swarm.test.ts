import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toString as encodeText } from 'uint8arrays/to-string'
import { exactConsensusDistance } from '../../src/average/distance.ts'
import { parameterDigest } from '../../src/util/sha256.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

describe('a swarm on virtual time', () => {
  test('a joiner starts from the weights of the swarm and both see each other', async () => {
    const swarm = new VirtualSwarm()
    const founder = await swarm.add()
    await swarm.until(() => founder.peer.run.learner.progress().updates >= 200, 60_000, 'the founder learns')
    const joiner = await swarm.add({ join: founder.network.addresses(), waitForPeers: 9 })
    const [joined] = joiner.of('joined')
    const [served] = founder.of('served')
    assert.ok(joined && served)
    assert.equal(joined.digest, served.digest)
    assert.equal(joined.from, founder.network.id)
    assert.equal(served.peer, joiner.network.id)
    assert.ok(joined.version >= 200)
    await swarm.until(() => founder.peer.alive === 1 && joiner.peer.alive === 1, 10_000, 'both are alive for each other')
    await swarm.until(() => joiner.of('mix').length > 0, 10_000, 'the joiner mixes')
    assert.equal(joiner.of('mix')[0]!.with, founder.network.id)
    await founder.leave()
    await swarm.until(
      () => joiner.of('peer').some(({ id, state }) => id === founder.network.id && state === 'left'),
      5_000,
      'the goodbye arrives',
    )
    await joiner.leave()
  })

  test('what a joiner holds before its first update is what its donor served', async () => {
    const swarm = new VirtualSwarm()
    const founder = await swarm.add()
    await swarm.until(() => founder.peer.run.learner.progress().updates >= 100, 60_000, 'the founder learns')
    // No averaging round falls between joining and this look, and the joiner holds.
    const joiner = await swarm.add({ join: founder.network.addresses(), waitForPeers: 9, set: { minPeriodMs: 600_000 } })
    const held = encodeText(parameterDigest(await parametersOf(joiner)), 'base16')
    assert.equal(held, joiner.of('joined')[0]!.digest)
    assert.equal(joiner.peer.run.learner.progress().updates, 0)
    await joiner.leave()
    await founder.leave()
  })

  test('after training stops, mixing brings two replicas within 1 % of their distance', async () => {
    const swarm = new VirtualSwarm()
    const a = await swarm.add({ waitForPeers: 1, set: { minPeriodMs: 2_000 } })
    const b = await swarm.add({ join: a.network.addresses(), waitForPeers: 1, set: { minPeriodMs: 2_000 } })
    await swarm.until(() => [a, b].every(({ peer }) => peer.run.learner.progress().updates > 500), 60_000, 'both learn')
    await swarm.during(Promise.all([a.peer.run.learner.hold(), b.peer.run.learner.hold()]))
    const distance = async () => exactConsensusDistance([await parametersOf(a), await parametersOf(b)]).distance
    const before = await distance()
    assert.ok(before > 1e-4, `the replicas differ: ${before}`)
    await swarm.clock.run(30_000)
    const after = await distance()
    assert.ok(after < 0.01 * before, `${before} became ${after}`)
    await a.leave()
    await b.leave()
  })

  test('the founder crashes: the others go on learning and mixing, and a fourth joins through one of them', async () => {
    const swarm = new VirtualSwarm()
    const founder = await swarm.add()
    const b = await swarm.add({ join: founder.network.addresses() })
    const c = await swarm.add({ join: founder.network.addresses() })
    await swarm.until(() => [founder, b, c].every(({ peer }) => peer.alive === 2), 30_000, 'all three know each other')
    await founder.crash()
    const mixes = b.of('mix').length
    const updates = b.peer.run.learner.progress().updates
    await swarm.until(() => b.of('mix').length > mixes + 5, 30_000, 'the others mix')
    assert.ok(
      b
        .of('mix')
        .slice(mixes + 2)
        .every((mix) => mix.with === c.network.id),
    )
    assert.ok(b.peer.run.learner.progress().updates > updates)
    await swarm.until(
      () => b.of('peer').some(({ id, state }) => id === founder.network.id && state === 'silent'),
      60_000,
      'the silence is noticed',
    )
    const d = await swarm.add({ join: c.network.addresses() })
    await swarm.until(() => d.peer.alive === 2, 30_000, 'the fourth knows both')
    for (const each of [b, c, d]) await each.leave()
  })

  test('eight peers meet: states never repeat, every mix is with somebody alive, and nobody is refused', async () => {
    const swarm = new VirtualSwarm()
    const founder = await swarm.add()
    const peers = [founder]
    for (let i = 0; i < 7; i++) peers.push(await swarm.add({ join: founder.network.addresses() }))
    await swarm.until(() => peers.every(({ peer }) => peer.alive === 7), 60_000, 'everybody knows everybody')
    await founder.leave()
    await swarm.until(() => peers.slice(1).every(({ peer }) => peer.alive === 6), 10_000, 'the founder has left')
    await swarm.clock.run(2_000)
    for (const { events } of peers) {
      const states = new Map<string, string>()
      for (const event of events) {
        assert.notEqual(event.event, 'refused')
        if (event.event === 'mix') assert.equal(states.get(event.with), 'alive')
        if (event.event !== 'peer') continue
        assert.notEqual(states.get(event.id), event.state)
        states.set(event.id, event.state)
      }
    }
    for (const peer of peers.slice(1)) await peer.leave()
  })

  test('two runs with the same seeds are the same', async () => {
    const run = async () => {
      const swarm = new VirtualSwarm()
      const flags = { deterministic: true, seed: 3 }
      const a = await swarm.add({ flags, waitForPeers: 1 })
      const b = await swarm.add({ join: a.network.addresses(), waitForPeers: 1 })
      await swarm.until(() => [a, b].every(({ peer }) => peer.run.learner.progress().updates > 300), 60_000, 'both learn')
      const digests = [parameterDigest(await parametersOf(a)), parameterDigest(await parametersOf(b))]
      await a.leave()
      await b.leave()
      return { digests, events: [a.events, b.events] }
    }
    assert.deepEqual(await run(), await run())
  })

  test('joining says why not', async () => {
    const swarm = new VirtualSwarm()
    await assert.rejects(swarm.add({ join: [`/memory/99/p2p/${examplePeerId(99)}`] }), { code: 'refused' })
  })
})
