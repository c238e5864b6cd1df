/** What every network promises of requests. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network, PeerId } from '../../src/ports/network.ts'
import { forever, type NetworkFixture, OPTIONS, PROTOCOL, TOPIC } from './network-fixture.ts'

export function requestsContract(on: NetworkFixture): void {
  test('a request is answered, whatever its size', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    const askers: PeerId[] = []
    b.serve(PROTOCOL, 600_000, async (peer, body) => {
      askers.push(peer)
      return body.toReversed()
    })
    await on.connect(a, b)
    for (const size of [0, 1, 65_000, 600_000]) {
      const body = Uint8Array.from({ length: size }, (_, i) => i * 7)
      assert.deepEqual(await on.settled(a.request(b.id, PROTOCOL, body, OPTIONS)), body.toReversed())
    }
    assert.deepEqual(askers, [a.id, a.id, a.id, a.id])
  })

  test('requests run side by side and their answers do not mix', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    b.serve(PROTOCOL, 100, async (_peer, body) => body)
    await on.connect(a, b)
    const asked = Array.from({ length: 12 }, (_, i) => a.request(b.id, PROTOCOL, Uint8Array.of(i), OPTIONS))
    assert.deepEqual(
      (await on.settled(Promise.all(asked))).map(([first]) => first),
      asked.map((_, i) => i),
    )
  })

  test('a request to a peer that is not connected is refused', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    const { message } = await on.failsWith('refused', a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS))
    assert.equal(message, `There is no connection to peer ${b.id}.`)
  })

  test('a protocol that is not served, a request that is too large and a failing handler reset', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    await on.connect(a, b)
    const unserved = await on.failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS))
    assert.match(unserved.message, /^Peer \S+ (does not answer requests on|broke off a request on) \S+\.$/)
    b.serve(PROTOCOL, 10, async (_peer, [first]) => {
      if (first === 1) throw new Error('no')
      return new Uint8Array(1)
    })
    await on.failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(11), OPTIONS))
    await on.failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(500_000), OPTIONS))
    const { message } = await on.failsWith('reset', a.request(b.id, PROTOCOL, Uint8Array.of(1), OPTIONS))
    assert.match(message, /^(Peer \S+ broke off a request on \S+|The other side broke off)\.$/)
    // And the connection lives on.
    assert.deepEqual(await on.settled(a.request(b.id, PROTOCOL, Uint8Array.of(2), OPTIONS)), new Uint8Array(1))
    b.serve(PROTOCOL, 20, async () => new Uint8Array(3))
    assert.deepEqual(await on.settled(a.request(b.id, PROTOCOL, new Uint8Array(20), OPTIONS)), new Uint8Array(3))
  })

  test('an answer over the limit fails, one of exactly the limit does not', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    b.serve(PROTOCOL, 10, async () => new Uint8Array(1_000))
    await on.connect(a, b)
    const { message } = await on.failsWith('too_large', a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, maxResponseBytes: 999 }))
    assert.match(message, /^(The other side sent|The answer has) 1000 bytes where at most 999 are allowed\.$/)
    const answer = await on.settled(a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, maxResponseBytes: 1_000 }))
    assert.equal(answer.length, 1_000)
  })

  test('a request that is not answered in time fails, and so does one that its caller gives up', async () => {
    const [a, b] = (await on.started(2)) as [Network, Network]
    let asked = 0
    b.serve(PROTOCOL, 10, () => {
      asked++
      return new Promise(() => {})
    })
    await on.connect(a, b)
    const late = await on.failsWith('timeout', a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, timeoutMs: 300 }))
    assert.match(late.message, /^(Peer \S+ took too long to answer to a request on \S+|There was no answer in time)\.$/)
    const caller = new AbortController()
    const given = a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, signal: caller.signal })
    given.catch(() => {})
    await on.until(() => asked === 2)
    caller.abort(new Error('changed my mind'))
    await assert.rejects(on.settled(given), /changed my mind/)
  })

  test('a request fails when the connection ends, and when either side stops', async () => {
    const [a, b, c] = (await on.started(3)) as [Network, Network, Network]
    let asked = 0
    for (const network of [b, c]) {
      network.serve(PROTOCOL, 10, () => {
        asked++
        return new Promise(() => {})
      })
    }
    await on.connect(a, b)
    await on.connect(a, c)
    const cut = a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS)
    cut.catch(() => {})
    await on.until(() => asked === 1)
    await on.settled(b.stop())
    await on.failsWith('reset', cut)
    const ours = a.request(c.id, PROTOCOL, new Uint8Array(1), OPTIONS)
    ours.catch(() => {})
    await on.until(() => asked === 2)
    await on.settled(a.stop())
    await on.failsWith('closed', ours)
    await on.failsWith('closed', a.request(c.id, PROTOCOL, new Uint8Array(1), OPTIONS))
    await on.failsWith('closed', a.publish(TOPIC, new Uint8Array(1)))
    await on.failsWith('closed', a.dial(c.addresses()[0]!, forever))
  })
}
