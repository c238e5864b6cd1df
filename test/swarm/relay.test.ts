/** Peers that nobody can dial, and a relay between them. Whoever listens nowhere is as unreachable as one behind the strictest NAT. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network } from '../../src/ports/network.ts'
import type { SwarmOptions } from '../../src/swarm/host.ts'
import { MAX_CIRCUIT_BYTES, MAX_CIRCUITS_PER_PEER, MAX_RESERVATIONS, RELAYS_WANTED } from '../../src/swarm/limits.ts'
import { forever, loopbackSwarm, seed, until } from './support.ts'

const ECHO = '/grapevine/test/1'
const TOPIC = '/grapevine/1/test/params'
const options = { maxResponseBytes: 100, timeoutMs: 5_000 }

async function started(number: number, more: Partial<SwarmOptions> = {}): Promise<Network> {
  const network = loopbackSwarm(number, more)
  network.serve(ECHO, 100, async (_peer, body) => body)
  network.serve(`${ECHO}/small`, 100, async (_peer, body) => body, { overRelay: true })
  network.subscribe(TOPIC, 100_000, () => 'accept')
  await network.start(forever)
  return network
}

const hidden = { listen: [] }
const circuits = (network: Network) => network.addresses().filter((address) => address.includes('/p2p-circuit/'))

/** A relay, and `count` peers with a place there. */
async function behindRelay(count: number, more: Partial<SwarmOptions> = {}, ofRelay: Partial<SwarmOptions> = {}) {
  const relay = await started(1, { relay: true, ...more, ...ofRelay })
  const peers: Network[] = []
  for (let i = 0; i < count; i++) {
    const peer = await started(10 + i, { ...hidden, ...more })
    peers.push(peer)
    await peer.dial(relay.addresses()[0]!, forever)
    await until(() => circuits(peer).length > 0, 'a place on the relay')
  }
  const stop = () => Promise.all([relay, ...peers].map((network) => network.stop()))
  return { relay, peers, stop }
}

test('two that nobody can dial meet through a relay, where small messages pass and nothing else does', async () => {
  const { relay, peers, stop } = await behindRelay(2)
  const [a, b] = peers as [Network, Network]
  assert.equal(a.reachable?.(), false)
  const address = circuits(b)[0]!
  assert.ok(address.startsWith(`${relay.addresses()[0]}/p2p-circuit/p2p/${b.id}`), address)
  assert.equal(await a.dial(address, forever), b.id)
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await until(() => one.peers().some(({ id }) => id === other.id), 'both know')
    assert.equal(one.peers().find(({ id }) => id === other.id)!.relayed, true)
    assert.equal(one.peers().find(({ id }) => id === relay.id)!.relayed, undefined)
    const answer = await one.request(other.id, `${ECHO}/small`, Uint8Array.of(7), { ...options, overRelay: true })
    assert.deepEqual([...answer], [7])
    await assert.rejects(one.request(other.id, ECHO, Uint8Array.of(7), options), { code: 'relayed', message: /never travels through one/ })
    // Not even for one who tries.
    await assert.rejects(one.request(other.id, ECHO, Uint8Array.of(7), { ...options, overRelay: true }), { code: 'reset' })
  }
  // Gossip knows of no neighbour but the relay.
  await until(() => a.subscribers(TOPIC).length > 0 && b.subscribers(TOPIC).length > 0, 'gossip with the relay')
  assert.deepEqual([a.subscribers(TOPIC), b.subscribers(TOPIC)], [[relay.id], [relay.id]])
  await stop()
})

test('one that can be dialled is dialled back by whom it met through a relay, and the relay is left', async () => {
  const { peers, stop } = await behindRelay(1)
  const [hiddenPeer] = peers as [Network]
  const open = await started(30)
  assert.equal(await open.dial(circuits(hiddenPeer)[0]!, forever), hiddenPeer.id)
  await until(() => open.peers().some(({ id, relayed }) => id === hiddenPeer.id && relayed !== true), 'a direct connection')
  await until(() => open.subscribers(TOPIC).includes(hiddenPeer.id), 'gossip over it')
  assert.deepEqual([...(await open.request(hiddenPeer.id, ECHO, Uint8Array.of(9), options))], [9])
  await open.stop()
  await stop()
})

test('dialled back, a peer knows that it can be reached and asks no relay', async () => {
  const relay = await started(1, { relay: true })
  // Listens on all interfaces, as with --lan: it is asked for on 127.0.0.1.
  const open = await started(2, { listen: ['/ip4/0.0.0.0/tcp/0'] })
  await open.dial(relay.addresses()[0]!, forever)
  await until(() => open.reachable?.() === true, 'dialled back')
  assert.deepEqual(circuits(open), [])
  // The connection that was there before is there still.
  assert.ok(open.peers().some(({ id }) => id === relay.id))
  await Promise.all([relay.stop(), open.stop()])
})

test('a peer for this machine only is not announced through relays', async () => {
  const relay = await started(1, { relay: true })
  const local = await started(2)
  await local.dial(relay.addresses()[0]!, forever)
  const behind = await started(3, hidden)
  await behind.dial(relay.addresses()[0]!, forever)
  await until(() => circuits(behind).length > 0, 'the other has a place')
  assert.deepEqual([circuits(local), local.reachable?.()], [[], null])
  await Promise.all([relay, local, behind].map((network) => network.stop()))
})

test('places on several relays, as many as wanted; when one is gone another is asked', async () => {
  const relays = [await started(1, { relay: true }), await started(2, { relay: true }), await started(3, { relay: true })]
  const peer = await started(10, hidden)
  for (const relay of relays) await peer.dial(relay.addresses()[0]!, forever)
  const places = () => relays.filter((relay) => circuits(peer).some((address) => address.includes(relay.id)))
  await until(() => places().length === RELAYS_WANTED, 'as many as wanted')
  const [gone] = places()
  await gone!.stop()
  await until(() => places().length === RELAYS_WANTED && !places().includes(gone!), 'another one')
  await Promise.all([peer, ...relays].map((network) => network.stop()))
})

test('a relay passes nothing on from or to whom it does not admit', async () => {
  const unwanted = loopbackSwarm(11, hidden).id
  let shut = false
  const { peers, stop } = await behindRelay(2, {}, { admits: (peer) => !shut || peer !== unwanted })
  const [a, b] = peers as [Network, Network]
  assert.equal(b.id, unwanted)
  const address = circuits(b)[0]!
  shut = true
  await assert.rejects(a.dial(address, forever), { code: 'refused', message: /the relay does not let these two meet/ })
  shut = false
  await stop()
})

test('addresses through relays that lead nowhere are told in one sentence', async () => {
  const { relay, peers, stop } = await behindRelay(1)
  const plain = await started(40)
  const [peer] = peers as [Network]
  const nobody = loopbackSwarm(41).id
  const sentence = (address: string) =>
    peer.dial(address, forever).then(
      () => assert.fail('it was reached'),
      (error: { code: string; message: string }) => `${error.code}: ${error.message.replace(address, 'ADDRESS')}`,
    )
  const through = (relayAddress: string) => `${relayAddress}/p2p-circuit/p2p/${nobody}`
  assert.equal(
    await sentence(through(relay.addresses()[0]!)),
    'refused: ADDRESS was not reached, although its relay was: the peer meant has no place there: it is gone, or has moved to another relay; ask for another address.',
  )
  assert.equal(
    await sentence(through(plain.addresses()[0]!)),
    'refused: ADDRESS was not reached, although its relay was: the peer there is no relay (one is started with --relay); ask for another address.',
  )
  assert.match(
    await sentence(through(`/ip4/127.0.0.1/tcp/1/p2p/${loopbackSwarm(42).id}`)),
    /^refused: The relay of ADDRESS was not reached: .* refused the connection: nobody listens there/,
  )
  assert.match(await sentence(`${relay.addresses()[0]}/p2p-circuit/p2p/${peer.id}`), /^self: /)
  await plain.stop()
  await stop()
})

test('in a private swarm relays work as well', async () => {
  const { peers, stop } = await behindRelay(2, { swarmKey: seed(77) })
  const [a, b] = peers as [Network, Network]
  await a.dial(circuits(b)[0]!, forever)
  const answer = await a.request(b.id, `${ECHO}/small`, Uint8Array.of(7), { ...options, overRelay: true })
  assert.deepEqual([...answer], [7])
  await stop()
})

test('a relayed connection carries so many bytes, and then it ends', async () => {
  const { peers, stop } = await behindRelay(2)
  const [a, b] = peers as [Network, Network]
  await a.dial(circuits(b)[0]!, forever)
  const body = new Uint8Array(100)
  const isMet = () => a.peers().some(({ id }) => id === b.id)
  let sent = 0
  for (; isMet() && sent < MAX_CIRCUIT_BYTES; sent += body.length)
    await a.request(b.id, `${ECHO}/small`, body, { ...options, overRelay: true }).catch(() => undefined)
  await until(() => !isMet(), 'its end')
  // Each body came back, so two of them passed; the rest is what a request costs.
  assert.ok(2 * sent < MAX_CIRCUIT_BYTES && sent > MAX_CIRCUIT_BYTES / 20, `${sent}`)
  // Both are at the relay still, and may meet again.
  await a.dial(circuits(b)[0]!, forever)
  await stop()
})

test('a relay keeps so many places and not one more, and of one peer so many relayed connections at a time', async () => {
  const relay = await started(1, { relay: true })
  const peers: Network[] = []
  for (let i = 0; i <= MAX_RESERVATIONS; i++) {
    const peer = await started(100 + i, hidden)
    peers.push(peer)
    await peer.dial(relay.addresses()[0]!, forever)
  }
  const placed = () => peers.filter((peer) => circuits(peer).length > 0)
  await until(() => placed().length === MAX_RESERVATIONS, 'all places are taken')
  const dialler = await started(90, hidden)
  await dialler.dial(relay.addresses()[0]!, forever)
  const dials = await Promise.allSettled(placed().map((peer) => dialler.dial(circuits(peer)[0]!, forever)))
  assert.equal(dials.filter(({ status }) => status === 'fulfilled').length, MAX_CIRCUITS_PER_PEER)
  assert.equal(placed().length, MAX_RESERVATIONS)
  await Promise.all([relay, dialler, ...peers].map((network) => network.stop()))
})
