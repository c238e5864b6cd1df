import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bans } from '../../src/peer/bans.ts'
import { banPeer, listPeers, unbanPeer } from '../../src/peer/keeping-out.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { MAX_STORED_BANS } from '../../src/store/limits.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

test('a ban is in force at once, outlives a restart, and ends at its time or when it is lifted', async () => {
  const [storage, clock] = [new MemoryStorage(), new VirtualClock()]
  const bans = await Bans.load(storage, clock)
  const [a, b] = [examplePeerId(1), examplePeerId(2)]
  const storing = bans.ban(a, 'noise', 60)
  assert.ok(bans.has(a))
  await storing
  await bans.ban(b, 'lies', null)
  const again = await Bans.load(storage, clock)
  assert.deepEqual(
    again
      .list()
      .map(({ peer, why, sinceSeconds, untilSeconds }) => [peer, why, untilSeconds === null ? null : untilSeconds - sinceSeconds]),
    [
      [a, 'noise', 60],
      [b, 'lies', null],
    ],
  )
  await clock.run(59_000)
  assert.ok(again.has(a))
  await clock.run(1_000)
  assert.ok(!again.has(a))
  assert.ok(again.has(b))
  assert.equal(await again.lift(b), true)
  assert.equal(await again.lift(b), false)
  assert.deepEqual((await Bans.load(storage, clock)).list(), [])
})

test('over the limit the oldest bans are forgotten; a damaged file lets nobody in silently', async () => {
  const [storage, clock] = [new MemoryStorage(), new VirtualClock()]
  const entries = Array.from({ length: MAX_STORED_BANS }, (_, i) => ({ peer: `p${i}`, why: '', sinceSeconds: 1, untilSeconds: null }))
  await storage.write('bans.json', new TextEncoder().encode(JSON.stringify(entries)))
  const bans = await Bans.load(storage, clock)
  await bans.ban(examplePeerId(1), 'noise', null)
  const stored = (await Bans.load(storage, clock)).list()
  assert.deepEqual([stored.length, stored[0]!.peer, stored.at(-1)!.peer], [MAX_STORED_BANS, 'p1', examplePeerId(1)])
  await storage.write('bans.json', new TextEncoder().encode('[{'))
  await assert.rejects(Bans.load(storage, clock), {
    code: 'bad_bans',
    message: 'The file bans.json in the data folder is damaged: restore it from a copy, or delete it to lift all bans.',
  })
})

test('a peer that is banned is hung up on, listed with its cause, and may come back when the ban is lifted', async () => {
  const swarm = new VirtualSwarm()
  const keeper = await swarm.add({ waitForPeers: 9 })
  const guest = await swarm.add({ join: keeper.network.addresses(), waitForPeers: 9 })
  const door = { peer: keeper.peer, network: keeper.network, bans: await Bans.load(new MemoryStorage(), swarm.clock) }
  await swarm.until(() => keeper.peer.alive === 1, 10_000, 'they know each other')
  const { id } = guest.network
  await swarm.during(banPeer(door, { peer: id.slice(-8), why: 'noise', seconds: 60 }))
  assert.deepEqual(keeper.network.peers(), [])
  assert.equal(keeper.of('peer').at(-1)!.state, 'banned')
  const [row] = listPeers(door)
  assert.deepEqual([row!.id, row!.state, row!.ban!.why], [id, 'banned', 'noise'])
  assert.deepEqual(await unbanPeer(door, { peer: id }), { peer: id })
  assert.equal(listPeers(door)[0]!.ban, null)
  await guest.leave()
  await keeper.leave()
})

test('what names no peer, itself, or no time is refused with a sentence', async () => {
  const swarm = new VirtualSwarm()
  const keeper = await swarm.add({ waitForPeers: 9 })
  const door = { peer: keeper.peer, network: keeper.network, bans: await Bans.load(new MemoryStorage(), swarm.clock) }
  const other = examplePeerId(7)
  const bad: [Record<string, unknown>, RegExp][] = [
    [
      { peer: 'abcdefgh', why: '', seconds: null },
      /No peer is known by an id that ends in "abcdefgh"; give the whole id, as grapevine peers prints it\.$/,
    ],
    [{ peer: 7, why: '', seconds: null }, /No peer was named/],
    [{ peer: keeper.network.id, why: '', seconds: null }, /A peer cannot ban itself; give the id of another one\.$/],
    [{ peer: other, why: 'x'.repeat(201), seconds: null }, /--why is a text of at most 200/],
    [{ peer: other, why: '', seconds: 315_360_001 }, /--for is a time of at most 3650 days/],
    [{ peer: other, why: '', seconds: 0 }, /--for/],
  ]
  for (const [request, sentence] of bad) await assert.rejects(banPeer(door, request), sentence)
  await assert.rejects(unbanPeer(door, { peer: other }), { message: `Peer ${other} is not banned.` })
  assert.deepEqual(door.bans.list(), [])
  await keeper.leave()
})
