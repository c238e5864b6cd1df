/** What every network promises of dialling, of peers that come and go, and of its own end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network, PeerChange } from '../../src/ports/network.ts'
import { forever, isConnected, type NetworkFixture, OPTIONS, PROTOCOL } from './network-fixture.ts'

export function peersContract(on: NetworkFixture): void {
  test('dialling says who is there, with and without their id, and once connected needs no second connection', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    const full = b.addresses()[0]!
    assert.ok(full.endsWith(`/p2p/${b.id}`))
    const changes: PeerChange[] = []
    a.onPeer((change) => changes.push(change))
    assert.equal(await on.settled(a.dial(full.replace(/\/p2p\/.*/, ''), forever)), b.id)
    assert.equal(await on.settled(a.dial(full, forever)), b.id)
    assert.equal(await on.settled(a.dial(full.replace(/\/p2p\/.*/, ''), forever)), b.id)
    assert.deepEqual(changes, [{ id: b.id, state: 'connected' }])
    assert.deepEqual(
      a.peers().map(({ id }) => id),
      [b.id],
    )
    assert.ok(a.peers()[0]!.addresses.includes(full))
  })

  test('dialling nobody, nonsense, ourselves or someone else fails with the code for it', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    await on.failsWith('refused', a.dial(await on.harness.nobody(), forever))
    await on.failsWith('malformed', a.dial('over there', forever))
    await on.failsWith('self', a.dial(a.addresses()[0]!, forever))
    await on.failsWith('self', a.dial(a.addresses()[0]!.replace(/\/p2p\/.*/, ''), forever))
    const error = await on.failsWith('wrong_peer', a.dial(b.addresses()[0]!.replace(b.id, c.id), forever))
    assert.match(error.message, new RegExp(b.id))
    await on.until(() => b.peers().length === 0)
    assert.deepEqual(a.peers(), [])
    const caller = new AbortController()
    caller.abort(new Error('never mind'))
    await assert.rejects(on.settled(a.dial(b.addresses()[0]!, caller.signal)), /never mind/)
  })

  test('peers come and go on both sides, by hanging up and by stopping', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    const seen: string[] = []
    const names = new Map([
      [a.id, 'a'],
      [b.id, 'b'],
      [c.id, 'c'],
    ])
    for (const network of [a, b, c]) network.onPeer(({ id, state }) => seen.push(`${names.get(network.id)}: ${names.get(id)} ${state}`))
    await on.connect(a, b)
    await on.settled(a.hangUp(b.id))
    await on.until(() => b.peers().length === 0)
    assert.deepEqual(seen.splice(0).toSorted(), ['a: b connected', 'a: b disconnected', 'b: a connected', 'b: a disconnected'])
    await on.settled(a.hangUp(b.id))
    await on.connect(b, a)
    await on.connect(c, a)
    const unsubscribe = a.onPeer(() => seen.push('never'))
    unsubscribe()
    seen.length = 0
    await on.settled(c.stop())
    await on.until(() => a.peers().length === 1)
    assert.ok(seen.includes('a: c disconnected'))
    assert.ok(!seen.includes('never'))
    assert.ok(isConnected(a, b))
  })

  test('bytes are counted where they pass', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    b.serve(PROTOCOL, 100, async () => new Uint8Array(50_000))
    await on.connect(a, b)
    const before = a.counters()
    await on.settled(a.request(b.id, PROTOCOL, new Uint8Array(100), OPTIONS))
    const after = a.counters()
    assert.ok(after.bytesIn - before.bytesIn >= 50_000 && after.bytesIn - before.bytesIn < 55_000)
    assert.ok(after.bytesOut - before.bytesOut >= 100 && after.bytesOut - before.bytesOut < 5_000)
    await on.settled(Promise.all([a.stop(), b.stop()]))
    assert.ok(a.counters().bytesIn >= after.bytesIn)
    assert.ok(b.counters().bytesOut >= 50_000)
  })

  test('handlers and topics of before the start work, stopping twice is once, and nothing is left', async () => {
    const networks = [on.create(), on.create()]
    const [a, b] = networks as [Network, Network]
    b.serve(PROTOCOL, 10, async (_peer, body) => body)
    const heard = on.listen(b)
    assert.deepEqual(a.addresses(), [])
    await on.settled(Promise.all([a.start(forever), b.start(forever), b.start(forever)]))
    await on.connect(a, b)
    assert.deepEqual(await on.settled(a.request(b.id, PROTOCOL, Uint8Array.of(5), OPTIONS)), Uint8Array.of(5))
    await on.knows(a, 1)
    await on.say(a, 'hello')
    await on.until(() => heard.length === 1)
    await on.settled(Promise.all([a.stop(), a.stop(), b.stop()]))
    await on.settled(a.stop())
    assert.deepEqual([a.peers(), b.peers(), a.addresses()], [[], [], []])
    await on.harness.assertNothingLeft()
  })

  test('a network stopped before its start does not start', async () => {
    const network = on.create()
    await on.settled(network.stop())
    await on.failsWith('closed', network.start(forever))
    const other = on.create()
    const caller = new AbortController()
    caller.abort(new Error('not today'))
    await assert.rejects(on.settled(other.start(caller.signal)), /not today/)
    await on.settled(other.stop())
  })
}
