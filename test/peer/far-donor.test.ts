/** Donors whose snapshots are far from where the swarm's beacons say it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAR_RATIO, LEAST_FAR, MOST_HEAD_START } from '../../src/average/limits.ts'
import { isFarFrom } from '../../src/average/sketch.ts'
import { ARRIVAL_CHECK_MS, JOIN_TIMEOUT_MS } from '../../src/peer/limits.ts'
import { MAX_BEACON_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { beaconTopic, STATE_PROTOCOL } from '../../src/wire/protocol.ts'
import { decodeStateRequest } from '../../src/wire/state.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

const forever = new AbortController().signal
const alone = { strategy: 'none' }

/** A sketch of the length `length` along one bucket. */
const along = (bucket: number, length: number) => Float32Array.from({ length: SKETCH_BUCKETS }, (_, i) => (i === bucket ? length : 0))

test('far is three times the way of the swarm, its width, or a tenth of the initial weights, whichever is most', () => {
  const initial = Float32Array.of(3, 4)
  const way = [along(0, 10), along(0, 10), along(0, 10)].map((sketch) => ({ sketch, version: 100 }))
  assert.equal(isFarFrom({ sketch: along(0, 10 + 3 * 10), version: 100 }, way, initial), false)
  assert.equal(isFarFrom({ sketch: along(0, 10 + 3 * 10 + 0.01), version: 100 }, way, initial), true)
  // Twice the updates may be twice as far, and not more than MOST_HEAD_START times.
  assert.equal(isFarFrom({ sketch: along(0, 69), version: 200 }, way, initial), false)
  assert.equal(isFarFrom({ sketch: along(0, 71), version: 200 }, way, initial), true)
  assert.equal(isFarFrom({ sketch: along(0, 10 + FAR_RATIO * MOST_HEAD_START * 10 + 1), version: 1e9 }, way, initial), true)
  const wide = [along(0, -50), along(0, 0), along(0, 50)].map((sketch) => ({ sketch, version: 100 }))
  assert.equal(isFarFrom({ sketch: along(1, 3 * 50 - 1), version: 100 }, wide, initial), false)
  assert.equal(isFarFrom({ sketch: along(1, 3 * 50 + 1), version: 100 }, wide, initial), true)
  const still = [{ sketch: along(0, 0), version: 1 }]
  assert.equal(isFarFrom({ sketch: along(0, FAR_RATIO * LEAST_FAR * 5 - 0.01), version: 1 }, still, initial), false)
  assert.equal(isFarFrom({ sketch: along(0, FAR_RATIO * LEAST_FAR * 5 + 0.01), version: 1 }, still, initial), true)
  assert.equal(isFarFrom({ sketch: along(0, Number.NaN), version: 1 }, still, initial), true)
})

/** Two that learn, and one that holds weights of its own making. */
async function swarmWithLiar() {
  const swarm = new VirtualSwarm()
  const founder = await swarm.add({ flags: alone })
  const other = await swarm.add({ join: founder.network.addresses() })
  const liar = await swarm.add({ join: founder.network.addresses(), waitForPeers: 60 })
  await liar.peer.run.learner.mix(liar.peer.run.initial.map((_, i) => (i % 2 === 0 ? 5 : -5)))
  await swarm.until(() => liar.peer.alive === 2, 10_000, 'all know each other')
  // Digests and sketches in beacons are new again.
  await swarm.clock.run(5_000)
  const end = async () => {
    for (const peer of [liar, other, founder]) await peer.leave()
  }
  return { swarm, founder, other, liar, end }
}

const warnings = (peer: VirtualPeer) => peer.of('warning').filter(({ code }) => code === 'far_donor')

test('a donor far from all others is passed over for one that is near, with a warning', async () => {
  const { swarm, founder, other, liar, end } = await swarmWithLiar()
  // Gives the liar's weights, slowly, so that the joiner hears the others meanwhile.
  const front = swarm.hub.join(examplePeerId(90))
  await front.start(forever)
  await swarm.during(front.dial(liar.network.addresses()[0]!, forever))
  front.subscribe(beaconTopic(liar.peer.run.id), MAX_BEACON_BYTES, () => 'accept')
  front.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, async (_peer, body) => {
    if (decodeStateRequest(body).kind === 'snapshot') await swarm.clock.sleep(3_000)
    return front.request(liar.network.id, STATE_PROTOCOL, body, { maxResponseBytes: MAX_RESPONSE_BYTES, timeoutMs: 5_000 })
  })
  const joiner = await swarm.add({ join: front.addresses() })
  const [joined] = joiner.of('joined')
  assert.ok([founder.network.id, other.network.id].includes(joined!.from), joined!.from)
  assert.deepEqual(
    warnings(joiner).map(({ message }) => message),
    [
      `The weights of peer ${front.id} are far from where the beacons of all others say that the swarm is: that peer lies, or has gone astray (those of peer ${joined!.from} were taken instead).`,
    ],
  )
  await swarm.clock.run(ARRIVAL_CHECK_MS + 1_000)
  assert.equal(warnings(joiner).length, 1)
  await joiner.leave()
  await front.stop()
  await end()
})

test('where nobody else gives any, far weights are taken, and the warning says so', async () => {
  const { swarm, liar, founder, other, end } = await swarmWithLiar()
  for (const { network } of [founder, other]) network.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, () => Promise.reject(new Error('no')))
  const front = swarm.hub.join(examplePeerId(90))
  await front.start(forever)
  await swarm.during(front.dial(liar.network.addresses()[0]!, forever))
  front.subscribe(beaconTopic(liar.peer.run.id), MAX_BEACON_BYTES, () => 'accept')
  front.serve(STATE_PROTOCOL, MAX_REQUEST_BYTES, async (_peer, body) => {
    if (decodeStateRequest(body).kind === 'snapshot') await swarm.clock.sleep(3_000)
    return front.request(liar.network.id, STATE_PROTOCOL, body, { maxResponseBytes: MAX_RESPONSE_BYTES, timeoutMs: 5_000 })
  })
  const beganMs = swarm.clock.now()
  const joiner = await swarm.add({ join: front.addresses() })
  assert.equal(joiner.of('joined')[0]!.from, front.id)
  assert.match(warnings(joiner)[0]!.message, /taken all the same: no other peer gave any; to be safe, stop and join through another one/)
  assert.ok(swarm.clock.now() - beganMs < JOIN_TIMEOUT_MS)
  await joiner.leave()
  await front.stop()
  await end()
})

test('weights that were taken before anybody else was heard are compared with the swarm soon after', async () => {
  const { swarm, liar, end } = await swarmWithLiar()
  const joiner = await swarm.add({ join: liar.network.addresses() })
  assert.equal(joiner.of('joined')[0]!.from, liar.network.id)
  assert.deepEqual(warnings(joiner), [])
  await swarm.clock.run(ARRIVAL_CHECK_MS + 100)
  assert.match(warnings(joiner)[0]!.message, /taken before others were heard; to be safe, stop and join through another one/)
  await joiner.leave()
  await end()
})

test('honest donors are never far: in a young swarm, a trained one, and one that holds', async () => {
  const { swarm, founder, other, end } = await swarmWithLiar()
  for (const donor of [founder, other]) {
    const joiner = await swarm.add({ join: donor.network.addresses(), flags: {} })
    await swarm.clock.run(ARRIVAL_CHECK_MS + 100)
    assert.deepEqual(warnings(joiner), [])
    await joiner.leave()
  }
  await end()
  for (const flags of [alone, {}]) {
    for (const waitForPeers of [0, 60]) {
      const young = new VirtualSwarm()
      const first = await young.add({ flags, waitForPeers })
      const peers = [first]
      for (let i = 0; i < 4; i++) {
        peers.push(await young.add({ join: peers.at(-1)!.network.addresses(), waitForPeers }))
        await young.clock.run(700)
      }
      await young.clock.run(ARRIVAL_CHECK_MS + 100)
      for (const peer of peers) assert.deepEqual(warnings(peer), [])
      for (const peer of peers) await peer.leave()
    }
  }
})
