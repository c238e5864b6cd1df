/** Peers of one run that reach each other through a relay only. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIRECT_TIMEOUT_MS, RELAYED_ONLY_AFTER_MS } from '../../src/peer/limits.ts'
import { MAX_BEACON_BYTES } from '../../src/wire/limits.ts'
import { EXCHANGE_PROTOCOL } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const stateOf = (peer: VirtualPeer, other: VirtualPeer) => peer.peer.authors.get(other.network.id)?.state
const told = (peer: VirtualPeer) => peer.of('warning').filter(({ code }) => code === 'relayed_only')

for (const strategy of ['broadcast', 'pairwise', 'push-sum']) {
  test(`${strategy}: who is reached through a relay only is heard, and learns alone until that changes`, async () => {
    const swarm = new VirtualSwarm()
    const a = await swarm.add({ flags: { strategy }, updateMs: 20 })
    const b = await swarm.add({ join: a.network.addresses(), updateMs: 20 })
    await swarm.until(() => a.of('mix').length > 2 && b.of('mix').length > 2, 20_000, 'they mix')
    assert.equal(a.peer.relayedOnly, false)
    swarm.hub.relay(a.network.id, b.network.id, true)
    await swarm.clock.run(1_000)
    const mixes = () => a.of('mix').length + b.of('mix').length
    const before = mixes()
    const bytes = () => a.network.counters().bytesOut + b.network.counters().bytesOut
    const sentBefore = bytes()
    const steps = a.peer.run.learner.progress().steps
    const windowMs = 30_000
    await swarm.clock.run(windowMs)
    // Beacons, every four seconds or less often, are all that passes.
    assert.ok(bytes() > sentBefore && bytes() - sentBefore <= 2 * MAX_BEACON_BYTES * (windowMs / 3_600 + 1), `${bytes() - sentBefore}`)
    assert.deepEqual([stateOf(a, b), stateOf(b, a)], ['alive', 'alive'])
    assert.equal(mixes(), before)
    assert.ok(a.peer.run.learner.progress().steps > steps)
    for (const peer of [a, b]) {
      assert.equal(peer.peer.relayedOnly, true)
      assert.deepEqual(
        told(peer).map(({ message }) => message),
        [
          'This peer is reachable only through a relay; learning alone until a direct connection is made. To help: forward a port to it and name it with --announce, or try --upnp.',
        ],
      )
      assert.equal(peer.of('peer').filter(({ state }) => state === 'silent').length, 0)
    }
    swarm.hub.relay(a.network.id, b.network.id, false)
    await swarm.until(() => mixes() > before, 20_000, 'they mix again')
    assert.equal(a.peer.relayedOnly, false)
    await swarm.clock.run(3_000)
    // It is told again when it begins anew, and not before it has lasted a while.
    swarm.hub.relay(a.network.id, b.network.id, true)
    await swarm.clock.run(RELAYED_ONLY_AFTER_MS / 2)
    assert.equal(told(a).length, 1)
    await swarm.clock.run(RELAYED_ONLY_AFTER_MS)
    assert.equal(told(a).length, 2)
    await b.leave()
    await a.leave()
  })
}

test('with a third peer that both reach directly nobody is alone', async () => {
  const swarm = new VirtualSwarm()
  const a = await swarm.add({ updateMs: 20 })
  const third = await swarm.add({ join: a.network.addresses(), updateMs: 20 })
  const other = await swarm.add({ join: third.network.addresses(), updateMs: 20 })
  swarm.hub.relay(a.network.id, other.network.id, true)
  await swarm.clock.run(30_000)
  for (const peer of [a, other, third]) {
    assert.equal(peer.peer.relayedOnly, false)
    assert.deepEqual(told(peer), [])
  }
  // Gossip goes the long way round.
  const heard = new Set(a.of('mix').map((event) => event.with))
  assert.ok(heard.has(other.network.id) && heard.has(third.network.id))
  for (const peer of [other, third, a]) await peer.leave()
})

test('joining through a relay: in the end one sentence, or at once when the direct connection is made', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ updateMs: 20 })
  swarm.hub.relay(founder.network.id, examplePeerId(2), true)
  const beganMs = swarm.clock.now()
  await assert.rejects(swarm.add({ join: founder.network.addresses(), updateMs: 20 }), {
    code: 'relayed',
    fault: 'network',
    message: `Peer ${founder.network.id} was met through a relay, but no direct connection to it came about within 10 s, and weights never travel through a relay: join through another peer, or make one of the two reachable (forward a port and name it with --announce, or try --upnp).`,
  })
  assert.ok(swarm.clock.now() - beganMs <= DIRECT_TIMEOUT_MS + 1_000)
  swarm.hub.relay(founder.network.id, examplePeerId(3), true)
  swarm.clock.after(2_000, () => swarm.hub.relay(founder.network.id, examplePeerId(3), false))
  const joiner = await swarm.add({ join: founder.network.addresses(), updateMs: 20 })
  assert.equal(joiner.of('joined')[0]!.from, founder.network.id)
  await joiner.leave()
  await founder.leave()
})

test('what must not travel through a relay does not, for whoever asks', async () => {
  const swarm = new VirtualSwarm()
  const a = await swarm.add({ flags: { strategy: 'pairwise' }, waitForPeers: 9 })
  const stranger = swarm.hub.join(examplePeerId(66))
  await stranger.start(new AbortController().signal)
  await swarm.during(stranger.dial(a.network.addresses()[0]!, new AbortController().signal))
  swarm.hub.relay(a.network.id, stranger.id, true)
  const ask = (overRelay: boolean) =>
    swarm.during(
      stranger.request(a.network.id, EXCHANGE_PROTOCOL, new Uint8Array(8), { maxResponseBytes: 1_000, timeoutMs: 1_000, overRelay }),
    )
  await assert.rejects(ask(false), { code: 'relayed' })
  await assert.rejects(ask(true), { code: 'reset' })
  await a.leave()
  await stranger.stop()
})
