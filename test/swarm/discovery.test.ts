import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '../../src/sim/clock.ts'
import { Discovery, serviceName } from '../../src/swarm/discovery.ts'
import { DISCOVERY_JITTER_MS, DISCOVERY_RETRY_MS } from '../../src/swarm/limits.ts'
import { seededRandom } from '../../src/util/random.ts'
import { beaconTopic, parameterTopic } from '../../src/wire/protocol.ts'
import { quiet } from './support.ts'

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

test('the service is named after the run, within the 15 characters of DNS-SD', () => {
  const run = '0123456789abcdef'.repeat(4)
  assert.equal(serviceName(beaconTopic(run)), '_gv0123456789ab._udp.local')
  assert.equal(serviceName(parameterTopic(run)), '_gv0123456789ab._udp.local')
  assert.equal(serviceName('/grapevine/1/short/beacon'), null)
  assert.equal(serviceName('/elsewhere'), null)
})

function discovery(reachable: (address: string) => boolean) {
  const clock = new VirtualClock()
  const dialled: string[] = []
  const connected = new Set<string>()
  const found = new Discovery({
    self: 'self',
    clock,
    random: seededRandom('discovery'),
    log: quiet,
    connected: (peer) => connected.has(peer),
    dial: async (address) => {
      dialled.push(address)
      if (!reachable(address)) throw new Error('refused')
      connected.add(PEER)
      return PEER
    },
  })
  const announce = () =>
    void found.found({ id: peerIdFromString(PEER), multiaddrs: [multiaddr('/ip4/192.0.2.1/tcp/1'), multiaddr('/ip4/192.0.2.2/tcp/2')] })
  return { clock, dialled, connected, found, announce }
}

test('a found peer is dialled once, after a delay, at its addresses in turn until one answers', async () => {
  const { clock, dialled, announce } = discovery((address) => address.includes('192.0.2.2'))
  announce()
  announce()
  await clock.run(0)
  assert.deepEqual(dialled, [])
  await clock.run(DISCOVERY_JITTER_MS)
  assert.deepEqual(dialled, [`/ip4/192.0.2.1/tcp/1/p2p/${PEER}`, `/ip4/192.0.2.2/tcp/2/p2p/${PEER}`])
  announce()
  await clock.run(10 * DISCOVERY_RETRY_MS)
  assert.equal(dialled.length, 2)
})

test('a found peer that cannot be reached is tried again, but not soon', async () => {
  const { clock, dialled, announce } = discovery(() => false)
  announce()
  await clock.run(DISCOVERY_RETRY_MS - 1)
  announce()
  await clock.run(0)
  assert.equal(dialled.length, 2)
  await clock.run(1)
  announce()
  await clock.run(DISCOVERY_JITTER_MS)
  assert.equal(dialled.length, 4)
})

test('after stopping, nobody is dialled', async () => {
  const { clock, dialled, announce, found } = discovery(() => true)
  announce()
  await clock.run(0)
  await found.stop()
  await clock.run(10 * DISCOVERY_JITTER_MS)
  assert.deepEqual(dialled, [])
})
