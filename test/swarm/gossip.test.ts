/** Gossip on real sockets: what the contract of all networks does not say. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/node/clock.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Network } from '../../src/ports/network.ts'
import type { SwarmOptions } from '../../src/swarm/host.ts'
import {
  DISCLAIM_MS,
  FLOOD_MESSAGE_BYTES,
  FORWARD_HOLD_MS,
  FORWARD_SMALL_HOLD_MS,
  MAX_GOSSIP_MESSAGE_BYTES,
} from '../../src/swarm/limits.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { rawGossipNode } from './raw-node.ts'
import { forever, loopbackSwarm, until } from './support.ts'

const TOPIC = '/grapevine/1/00112233445566778899/params'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()))
})

let identities = 400

async function swarms(count: number, options: Partial<SwarmOptions> = {}): Promise<Network[]> {
  const networks = Array.from({ length: count }, () => loopbackSwarm(identities++, options))
  await Promise.all(networks.map((network) => network.start(forever)))
  cleanups.push(...networks.map((network) => () => network.stop()))
  return networks
}

/** Remembers the first byte of each message with its author. */
function listen(network: Network, maxBytes = MAX_GOSSIP_MESSAGE_BYTES): { author: string; first: number; bytes: number }[] {
  const heard: { author: string; first: number; bytes: number }[] = []
  network.subscribe(TOPIC, maxBytes, (author, bytes) => {
    heard.push({ author, first: bytes[0]!, bytes: bytes.length })
    return 'accept'
  })
  return heard
}

const connect = (from: Network, to: Network) => from.dial(to.addresses()[0]!, forever)
const knowEachOther = (networks: readonly Network[], count: number) =>
  until(() => networks.every((network) => network.subscribers(TOPIC).length >= count), 'subscribing')

test('the largest message arrives, one byte more is refused, whether the topic is ours or not', async () => {
  const [a, b] = (await swarms(2)) as [Network, Network]
  const heard = listen(b)
  await connect(a, b)
  await knowEachOther([a], 1)
  const largest = new Uint8Array(MAX_GOSSIP_MESSAGE_BYTES).fill(7)
  assert.equal(await a.publish(TOPIC, largest), 1)
  await until(() => heard.length === 1, 'the message')
  assert.deepEqual(heard, [{ author: a.id, first: 7, bytes: MAX_GOSSIP_MESSAGE_BYTES }])
  const tooLarge = new Uint8Array(MAX_GOSSIP_MESSAGE_BYTES + 1)
  const isRefused = (error: unknown) => error instanceof GrapevineError && error.code === 'too_large' && error.fault === 'local'
  await assert.rejects(a.publish(TOPIC, tooLarge), isRefused)
  listen(a, Number.POSITIVE_INFINITY)
  await assert.rejects(a.publish(TOPIC, tooLarge), isRefused)
})

test('twelve peers that dial one at the same moment all get in, and all hear each other in spite of one address', async () => {
  const [hub, ...others] = (await swarms(13)) as [Network, ...Network[]]
  const all = [hub, ...others]
  const heard = all.map((network) => listen(network))
  await Promise.all(others.map((other) => connect(other, hub)))
  await knowEachOther([hub], others.length)
  await knowEachOther(others, 1)
  const authors = heard.map(() => new Set<string>())
  // What is forwarded before the mesh stands can be missed, so everyone goes on publishing, as peers do.
  for (let round = 0; authors.some((known) => known.size < others.length); round++) {
    assert.ok(round < 100, 'some are never heard')
    const before = heard.map((list) => list.length)
    await Promise.all(all.map((network) => network.publish(TOPIC, new Uint8Array(FLOOD_MESSAGE_BYTES + 1).fill(round))))
    // Who missed all of this round hears the next one.
    for (let waits = 0; waits < 50 && !heard.every((list, i) => list.length > before[i]!); waits++) await sleep(10)
    for (const [i, list] of heard.entries()) for (const { author } of list) authors[i]!.add(author)
  }
  for (const [i, known] of authors.entries()) assert.ok(!known.has(all[i]!.id))
})

test('messages of one author arrive in the order they were sent, over a third peer too', async () => {
  const [a, b, c] = (await swarms(3)) as [Network, Network, Network]
  const heard = [a, b, c].map((network) => listen(network))
  await connect(a, b)
  await connect(b, c)
  await knowEachOther([b], 2)
  await knowEachOther([a, c], 1)
  // The mesh stands once a forwarded message came through.
  await a.publish(TOPIC, Uint8Array.of(255))
  await until(() => heard[2]!.length === 1, 'the first message')
  const order = Array.from({ length: 30 }, (_, i) => i)
  for (const i of order) await a.publish(TOPIC, new Uint8Array(i % 2 === 0 ? 20_000 : 10).fill(i))
  await until(() => heard[2]!.length === 31, 'all messages')
  assert.deepEqual(
    heard[1]!.slice(1).map(({ first }) => first),
    order,
  )
  const [large, small] = [0, 1].map((parity) =>
    heard[2]!
      .slice(1)
      .map(({ first }) => first)
      .filter((first) => first % 2 === parity),
  )
  assert.deepEqual(
    large,
    order.filter((i) => i % 2 === 0),
  )
  assert.deepEqual(
    small,
    order.filter((i) => i % 2 === 1),
  )
})

interface Crowd {
  readonly networks: readonly Network[]
  readonly heard: readonly { author: string; first: number; bytes: number }[][]
  /** What was sent on any connection before has arrived afterwards. */
  everythingArrived(): Promise<void>
  /** By all together. */
  bytesSent(): number
}

/** Four that are all connected. */
async function crowd(clock: Clock): Promise<Crowd> {
  const networks = await swarms(4, { clock })
  const heard = networks.map((network) => listen(network))
  const echo = '/grapevine/echo/1'
  for (const network of networks) network.serve(echo, 1, async (_peer, body) => body)
  for (const [i, from] of networks.entries()) for (const to of networks.slice(0, i)) await connect(from, to)
  await knowEachOther(networks, 3)
  return {
    networks,
    heard,
    async everythingArrived() {
      for (const from of networks) {
        for (const to of networks)
          if (to !== from) await from.request(to.id, echo, new Uint8Array(1), { maxResponseBytes: 1, timeoutMs: 10_000 })
      }
    },
    bytesSent: () => networks.reduce((sum, network) => sum + network.counters().bytesOut, 0),
  }
}

/** A clock on which sleeps of `heldMs` end when the returned function says so. */
function heldClock(heldMs: number): { clock: Clock; holds: (() => void)[] } {
  const holds: (() => void)[] = []
  const sleep: Clock['sleep'] = (ms, signal) =>
    ms === heldMs ? new Promise((resolve) => holds.push(resolve)) : systemClock.sleep(ms, signal)
  return { clock: { ...systemClock, sleep }, holds }
}

test('a large message is not forwarded to those that have said meanwhile that they have it', async () => {
  const { clock, holds } = heldClock(FORWARD_HOLD_MS)
  const { networks, heard, everythingArrived, bytesSent } = await crowd(clock)
  const bytes = 500_000
  const before = bytesSent()
  await networks[0]!.publish(TOPIC, new Uint8Array(bytes))
  await until(() => heard.slice(1).every((list) => list.length === 1) && holds.length === 3, 'the message')
  await everythingArrived()
  for (const release of holds) release()
  await everythingArrived()
  const copies = (bytesSent() - before) / bytes
  assert.ok(copies > 3 && copies < 3.1, `${copies} copies where three are needed and nine would be sent without the hold`)
})

test('nor are small ones, of which all that came in a while are named together', async () => {
  const { clock, holds } = heldClock(FORWARD_SMALL_HOLD_MS)
  const { networks, heard, everythingArrived, bytesSent } = await crowd(clock)
  const idle = bytesSent()
  await everythingArrived()
  const askingBytes = bytesSent() - idle
  const [count, bytes] = [20, FLOOD_MESSAGE_BYTES]
  const before = bytesSent()
  for (let i = 0; i < count; i++) await networks[0]!.publish(TOPIC, new Uint8Array(bytes))
  await until(() => heard.slice(1).every((list) => list.length === count) && holds.length === 3 * count, 'the messages')
  await sleep(2 * DISCLAIM_MS)
  await everythingArrived()
  for (const release of holds) release()
  await everythingArrived()
  const copies = (bytesSent() - before - 2 * askingBytes) / (count * bytes)
  assert.ok(copies > 3 && copies < 3.5, `${copies} copies where three are needed and nine would be sent without the hold`)
})

test('what strangers publish badly is neither heard nor forwarded, and they are soon not heard at all', async () => {
  const [a, b] = (await swarms(2)) as [Network, Network]
  const heard = [listen(a, 1_000), listen(b, 1_000)]
  const node = await rawGossipNode()
  cleanups.push(async () => node.stop())
  await connect(a, b)
  await a.dial(node.getMultiaddrs()[0]!.toString(), forever)
  node.services.gossip.subscribe(TOPIC)
  await knowEachOther([a], 2)
  await until(() => node.services.gossip.getSubscribers(TOPIC).length === 1, 'subscribing')
  // Unknown topics are not kept, oversized messages not delivered.
  await node.services.gossip.publish('/elsewhere', new Uint8Array(100))
  await node.services.gossip.publish(TOPIC, new Uint8Array(500).fill(1))
  await until(() => heard[0]!.length === 1 && heard[1]!.length === 1, 'a good message')
  assert.equal(heard[0]![0]!.author, node.peerId.toString())
  for (let round = 0; round < 500; round++) {
    await node.services.gossip.publish(TOPIC, new Uint8Array(1_001).fill(2))
    await node.services.gossip.publish(TOPIC, new Uint8Array(500).fill(3))
    await b.publish(TOPIC, new Uint8Array(10).fill(4))
    await until(() => heard[0]!.filter(({ first }) => first === 4).length === round + 1, 'the fence')
    if (heard[0]!.filter(({ first }) => first === 3).length < round) break
    assert.ok(round < 499, 'oversized messages cost nothing')
  }
  assert.ok(heard.flat().every(({ first }) => first !== 2))
})

test('two peers that dial each other at once are connected, gossip, and hang up whole', async () => {
  const [a, b] = (await swarms(2)) as [Network, Network]
  const heard = [listen(a), listen(b)]
  await Promise.all([connect(a, b), connect(b, a)])
  await knowEachOther([a, b], 1)
  await a.publish(TOPIC, Uint8Array.of(1))
  await b.publish(TOPIC, Uint8Array.of(2))
  await until(() => heard.every((list) => list.length === 1), 'both messages')
  await a.hangUp(b.id)
  await until(() => b.peers().length === 0, 'hanging up')
  assert.deepEqual(a.peers(), [])
})

test('who has our key and speaks elsewhere in the swarm is heard by us, too, and forwarded by us to nobody', async () => {
  const identity = identities
  const [first, near, far] = (await swarms(3)) as [Network, Network, Network]
  const copy = loopbackSwarm(identity)
  await copy.start(forever)
  cleanups.push(() => copy.stop())
  assert.equal(copy.id, first.id)
  const heard = [first, near, far, copy].map((network) => listen(network))
  await Promise.all([connect(first, near), connect(near, far), connect(copy, far)])
  await knowEachOther([first, copy], 1)
  await knowEachOther([near, far], 2)
  for (let tries = 0; heard[0]!.length === 0; tries++) {
    assert.ok(tries < 100, 'it never heard the other')
    await copy.publish(TOPIC, Uint8Array.of(tries, 1, 2))
    await sleep(50)
  }
  assert.equal(heard[0]![0]!.author, first.id)
})
