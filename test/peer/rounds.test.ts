import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ARRIVING_MS, MAX_EPOCH } from '../../src/peer/limits.ts'
import { Rounds } from '../../src/peer/rounds.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { encodeBeacon } from '../../src/wire/beacon.ts'
import { beaconTopic } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

/** Rounds of a peer that hears what `ahead` says. */
function rounds(clock: VirtualClock, ahead: () => readonly number[]): Rounds {
  return new Rounds({
    strategy: { round: async () => undefined, counters: () => ({}) },
    clock,
    learner: null as never,
    period: () => 1,
    minPeriodMs: 0,
    inCompany: () => true,
    onAlone: async () => undefined,
    ahead,
    onFailure: (error) => assert.fail(String(error)),
  })
}

test('who arrives takes the epoch of the others in one step; one that lied alone is outvoted, and later nobody throws it far', async () => {
  const clock = new VirtualClock()
  let others: readonly number[] = [1_000_000]
  const arriving = rounds(clock, () => others)
  await arriving.once({})
  assert.equal(arriving.epoch, 1_000_001)
  others = [1_000_000, 500, 501]
  await arriving.once({})
  assert.equal(arriving.epoch, 503)
  await clock.run(ARRIVING_MS + 1)
  others = [1_000_000, 2_000_000, 501]
  await arriving.once({})
  assert.equal(arriving.epoch, 505)
})

const epochOf = ({ network }: VirtualPeer, seenBy: VirtualPeer) => seenBy.peer.authors.get(network.id)?.beacon?.epoch ?? 0

for (const partner of ['matching', 'exponential', 'ring']) {
  test(`${partner}: a joiner of an old swarm is in step with it within seconds`, async () => {
    const swarm = new VirtualSwarm()
    const flags = { strategy: 'pairwise', partner, period: 5 }
    // A round every 200 ms, and little to compute.
    const slow = { updateMs: 40 }
    const founder = await swarm.add({ ...slow, flags, waitForPeers: 1 })
    const second = await swarm.add({ ...slow, join: founder.network.addresses() })
    const third = await swarm.add({ ...slow, join: founder.network.addresses() })
    const rounds = ({ peer }: VirtualPeer) => peer.counters().rounds!
    await swarm.until(() => rounds(founder) >= 100, 600_000, 'the swarm grows old')
    const joiner = await swarm.add({ ...slow, join: founder.network.addresses() })
    await swarm.until(() => rounds(joiner) >= 20, 30_000, 'it averages')
    await swarm.clock.run(4_000)
    const apart = epochOf(joiner, founder) - epochOf(founder, second)
    assert.ok(epochOf(founder, second) > 100)
    // Beacons are up to two seconds apart, which are ten rounds.
    assert.ok(Math.abs(apart) <= 15, `${apart} rounds apart`)
    for (const peer of [joiner, third, second, founder]) await peer.leave()
  })
}

test('a claim of more rounds than there can be breaks no counter', async () => {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ updateMs: 40, flags: { strategy: 'pairwise', partner: 'matching', period: 5 } })
  const liar = swarm.hub.join(examplePeerId(90))
  const { run } = founder.peer
  await swarm.during(liar.start(new AbortController().signal))
  await swarm.during(liar.dial(founder.network.addresses()[0]!, new AbortController().signal))
  const claim = {
    incarnation: 1,
    sequence: 1,
    epoch: Number.MAX_SAFE_INTEGER,
    version: 1,
    steps: 1,
    returnMean: null,
    digest: new Uint8Array(32),
    sketch: new Float32Array(256),
    holding: false,
    leaving: false,
    observing: false,
    addresses: [],
  }
  await swarm.until(() => liar.subscribers(beaconTopic(run.id)).length > 0, 10_000, 'the founder listens')
  await swarm.during(liar.publish(beaconTopic(run.id), encodeBeacon(claim)))
  const second = await swarm.add({ updateMs: 40, join: founder.network.addresses() })
  await swarm.until(() => second.of('mix').length > 3, 60_000, 'they average all the same')
  assert.ok(epochOf(founder, second) <= MAX_EPOCH + 1_000)
  assert.equal(founder.peer.counters().roundsFailed, 0)
  await second.leave()
  await founder.leave()
})
