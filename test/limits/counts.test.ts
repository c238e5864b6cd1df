/** The limits of the design on numbers: as many as that, and what becomes of one more. Each test begins with the limit's name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { Authors } from '../../src/peer/authors.ts'
import { Ledger } from '../../src/peer/exchange/ledger.ts'
import { exchangeName, type Outcome, Outcomes } from '../../src/peer/exchange/outcomes.ts'
import { BEACON_BURST, BEACON_RATE_PER_SECOND, MAX_AUTHORS, MAX_DOWNLOADS_SERVED, MAX_OUTCOMES } from '../../src/peer/limits.ts'
import type { Network } from '../../src/ports/network.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { MAX_CONNECTIONS } from '../../src/swarm/limits.ts'
import { encodeBeacon } from '../../src/wire/beacon.ts'
import { MAX_BEACON_BYTES, MAX_RESPONSE_BYTES, SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { beaconTopic, STATE_PROTOCOL } from '../../src/wire/protocol.ts'
import { decodeStateResponse, encodeStateRequest, type StateRequest, type StateResponse } from '../../src/wire/state.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'
import { rawNode } from '../swarm/raw-node.ts'
import { forever, loopbackSwarm } from '../swarm/support.ts'

async function stranger(swarm: VirtualSwarm, number: number, to: VirtualPeer): Promise<Network> {
  const network = swarm.hub.join(examplePeerId(number))
  await network.start(forever)
  await swarm.during(network.dial(to.network.addresses()[0]!, forever))
  return network
}

test('beacons per author: five at once are taken, the sixth is refused; then one a second', async () => {
  assert.deepEqual([BEACON_BURST, BEACON_RATE_PER_SECOND], [5, 1])
  const swarm = new VirtualSwarm()
  const victim = await swarm.add({ waitForPeers: 9 })
  const network = await stranger(swarm, 66, victim)
  const topic = beaconTopic(victim.peer.run.id)
  network.subscribe(topic, MAX_BEACON_BYTES, () => 'accept')
  await swarm.clock.run(100)
  let sequence = 0
  const say = async () => {
    const numbers = { incarnation: 1, sequence: ++sequence, epoch: 1, version: 1, steps: 1, returnMean: null }
    const flags = { holding: true, leaving: false, observing: false, addresses: [] }
    const bytes = encodeBeacon({ ...numbers, ...flags, digest: new Uint8Array(32), sketch: new Float32Array(SKETCH_BUCKETS) })
    await network.publish(topic, bytes)
    await swarm.clock.run(10)
  }
  const heard = () => victim.peer.authors.get(network.id)?.beacon?.sequence
  const refused = () => victim.of('refused').map(({ code }) => code)
  for (let i = 0; i < BEACON_BURST; i++) await say()
  assert.deepEqual([heard(), refused()], [BEACON_BURST, []])
  await say()
  assert.deepEqual([heard(), refused()], [BEACON_BURST, ['rate_limited']])
  await swarm.clock.run(1_000)
  await say()
  assert.equal(heard(), BEACON_BURST + 2)
  await say()
  assert.deepEqual([heard(), refused()], [BEACON_BURST + 2, ['rate_limited', 'rate_limited']])
  await victim.leave()
  await network.stop()
})

test('exchanges in flight per peer: of two who propose to one peer at once, one exchanges and one hears busy', async () => {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
  const asked = await swarm.add({ ...options, flags: { strategy: 'pairwise' } })
  const join = asked.network.addresses()
  const proposers = [await swarm.add({ ...options, join }), await swarm.add({ ...options, join })]
  ids.push(...[asked, ...proposers].map(({ network }) => network.id).sort())
  const counted = (name: string) => proposers.map(({ peer }) => peer.counters()[name])
  await swarm.during(proposers[0]!.peer.round({ partner: asked.network.id }))
  assert.deepEqual(
    [counted('exchanges'), counted('exchangesBusy')],
    [
      [1, 0],
      [0, 0],
    ],
  )
  await swarm.during(Promise.all(proposers.map(({ peer }) => peer.round({ partner: asked.network.id }))))
  assert.deepEqual(
    [counted('exchanges'), counted('exchangesBusy')],
    [
      [2, 0],
      [0, 1],
    ],
  )
  for (const peer of [...proposers, asked]) await peer.leave()
})

test('downloads served at once: two joiners get a copy, the third hears busy until one is done', async () => {
  assert.equal(MAX_DOWNLOADS_SERVED, 2)
  const swarm = new VirtualSwarm()
  const donor = await swarm.add()
  const joiners = [await stranger(swarm, 90, donor), await stranger(swarm, 91, donor), await stranger(swarm, 92, donor)]
  const ask = async (network: Network, request: StateRequest): Promise<StateResponse> => {
    const options = { maxResponseBytes: MAX_RESPONSE_BYTES, timeoutMs: 5_000 }
    return decodeStateResponse(await swarm.during(network.request(donor.network.id, STATE_PROTOCOL, encodeStateRequest(request), options)))
  }
  const [first] = [await ask(joiners[0]!, { kind: 'snapshot' }), await ask(joiners[1]!, { kind: 'snapshot' })]
  assert.ok(first?.kind === 'offer')
  assert.deepEqual(await ask(joiners[2]!, { kind: 'snapshot' }), { kind: 'error', code: 'busy' })
  await ask(joiners[0]!, { kind: 'done', body: first.offer.body })
  assert.equal((await ask(joiners[2]!, { kind: 'snapshot' })).kind, 'offer')
  await donor.leave()
  for (const network of joiners) await network.stop()
})

test('connections: 64 are open at a time; the next is told that we are full, until one closes', async () => {
  assert.equal(MAX_CONNECTIONS, 64)
  // No virtual time passes, so links without gossip are not repaired meanwhile.
  const full = loopbackSwarm(310, { clock: new VirtualClock() })
  const [node, last] = [await rawNode(), loopbackSwarm(311)]
  await Promise.all([full.start(forever), last.start(forever)])
  const address = full.addresses()[0]!
  const connections: Connection[] = []
  while (connections.length < MAX_CONNECTIONS) connections.push(await node.dial(multiaddr(address), { force: true }))
  // Another second of INBOUND_CONNECTIONS_PER_SECOND.
  await sleep(1_000)
  await assert.rejects(last.dial(address, forever), { code: 'refused', message: /it is full/ })
  await connections[0]!.close()
  await sleep(100)
  assert.equal(await last.dial(address, forever), full.id)
  await Promise.all([full.stop(), last.stop(), node.stop()])
})

test('pending outcomes: 256 are known; with one more the oldest goes to the ledger and can only be called forgotten', () => {
  assert.equal(MAX_OUTCOMES, 256)
  const ledger = new Ledger(false)
  const outcomes = new Outcomes(ledger)
  const id = (number: number) => ({ incarnation: 1, number })
  const record = (number: number) => {
    const entry = { exchange: exchangeName('a', id(number)), partner: 'a', role: 'responder', applied: true, norm: 3, delta: null } as const
    outcomes.record({ factor: 1, applied: Promise.resolve(), entry, initiator: 'a', id: id(number) } satisfies Outcome)
  }
  for (let number = 1; number <= MAX_OUTCOMES; number++) record(number)
  assert.deepEqual([outcomes.size, ledger.count, outcomes.get('a', id(1))?.factor], [MAX_OUTCOMES, 0, 1])
  record(MAX_OUTCOMES + 1)
  assert.deepEqual([outcomes.size, ledger.count, outcomes.get('a', id(1))], [MAX_OUTCOMES, 1, undefined])
  assert.deepEqual([outcomes.mayHaveDropped('a', id(1)), outcomes.mayHaveDropped('a', id(2))], [true, false])
  assert.equal(outcomes.get('a', id(2))?.factor, 1)
})

test('authors remembered: 4,096, and for one more the least recently heard is forgotten', () => {
  assert.equal(MAX_AUTHORS, 4_096)
  const authors = new Authors()
  for (let i = 0; i < MAX_AUTHORS; i++) authors.hear(`${i}`, i)
  assert.equal(authors.values().length, MAX_AUTHORS)
  // The first speaks again, so the second is now the oldest.
  authors.hear('0', MAX_AUTHORS)
  authors.hear('one more', MAX_AUTHORS + 1)
  assert.equal(authors.values().length, MAX_AUTHORS)
  assert.deepEqual([authors.get('0')?.id, authors.get('1'), authors.get('2')?.id], ['0', undefined, '2'])
})
