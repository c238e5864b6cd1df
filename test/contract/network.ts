/** What every network promises (src/ports/network.ts), on sockets and in memory. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Network, NetworkErrorCode, PeerChange, PeerId } from '../../src/ports/network.ts'
import { GrapevineError } from '../../src/util/errors.ts'

export interface NetworkHarness {
  /** A new network that can reach the others of this harness, not started. */
  create(): Network
  /** Lets time pass, virtual or real, until `done` holds; fails when it takes more than a few seconds. */
  until(done: () => boolean): Promise<void>
  /** An address at which nobody listens. */
  nobody(): Promise<string>
  /** Checks that nothing is left after all networks were stopped. */
  assertNothingLeft(): Promise<void>
}

const TOPIC = '/grapevine/1/00112233445566778899/beacon'
const PROTOCOL = '/grapevine/echo/1'
const OPTIONS = { maxResponseBytes: 1_000_000, timeoutMs: 5_000 }
const forever = new AbortController().signal

interface Heard {
  readonly author: PeerId
  readonly text: string
}

export function networkContract(name: string, createHarness: () => NetworkHarness): void {
  describe(name, () => {
    let harness: NetworkHarness
    let networks: Network[]

    beforeEach(() => {
      harness = createHarness()
      networks = []
    })
    afterEach(async () => {
      await settled(Promise.all(networks.map((network) => network.stop())))
    })

    async function started(count: number): Promise<Network[]> {
      for (let i = 0; i < count; i++) networks.push(harness.create())
      await settled(Promise.all(networks.map((network) => network.start(forever))))
      return networks
    }

    /** Waits for `promise` while time passes. */
    async function settled<T>(promise: Promise<T>): Promise<T> {
      let done = false
      const finish = () => {
        done = true
      }
      promise.then(finish, finish)
      await harness.until(() => done)
      return promise
    }

    async function connect(from: Network, to: Network): Promise<void> {
      assert.equal(await settled(from.dial(to.addresses()[0]!, forever)), to.id)
      await harness.until(() => isConnected(from, to) && isConnected(to, from))
    }

    async function failsWith(code: NetworkErrorCode, promise: Promise<unknown>): Promise<GrapevineError> {
      const error = await settled(
        promise.then(
          () => null,
          (reason: unknown) => reason,
        ),
      )
      assert.ok(error instanceof GrapevineError, `expected ${code}, got ${error}`)
      assert.equal(error.code, code, error.message)
      return error
    }

    function listen(network: Network, accepts = (_text: string) => true): Heard[] {
      const heard: Heard[] = []
      network.subscribe(TOPIC, 100, (author, bytes) => {
        const text = new TextDecoder().decode(bytes)
        heard.push({ author, text })
        return accepts(text) ? 'accept' : 'reject'
      })
      return heard
    }

    /** Waits until `network` knows as many subscribers. */
    const knows = (network: Network, count: number) => harness.until(() => network.subscribers(TOPIC).length === count)
    const say = (network: Network, text: string) => settled(network.publish(TOPIC, new TextEncoder().encode(text)))

    test('a message reaches every subscriber, over several hops, with its true author, and not its author', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      const heard = [a, b, c].map((network) => listen(network))
      await connect(a, b)
      await connect(c, b)
      await knows(b, 2)
      await knows(a, 1)
      await knows(c, 1)
      assert.equal(await say(a, 'first'), 1)
      await harness.until(() => heard[1]!.length === 1)
      // Forwarding may wait for the mesh; what was missed is made up for.
      await harness.until(() => heard[2]!.length === 1)
      assert.equal(await say(b, 'second'), 2)
      await harness.until(() => heard[0]!.length === 1 && heard[2]!.length === 2)
      assert.deepEqual(heard[0], [{ author: b.id, text: 'second' }])
      assert.deepEqual(heard[1], [{ author: a.id, text: 'first' }])
      assert.deepEqual(heard[2], [
        { author: a.id, text: 'first' },
        { author: b.id, text: 'second' },
      ])
    })

    test('publishing to nobody hands the message to nobody and is no error', async () => {
      const [a] = (await started(1)) as [Network]
      assert.equal(await say(a, 'anyone?'), 0)
      listen(a)
      assert.equal(await say(a, 'anyone?'), 0)
    })

    test('a peer that unsubscribed is not written to', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      listen(b)
      await connect(a, b)
      await knows(a, 1)
      b.unsubscribe(TOPIC)
      await knows(a, 0)
      assert.equal(await say(a, 'gone?'), 0)
      const heard = listen(b)
      await knows(a, 1)
      assert.equal(await say(a, 'back'), 1)
      await harness.until(() => heard.length === 1)
    })

    test('a rejected message is not forwarded', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      listen(a)
      const heardByB = listen(b, (text) => text !== 'bad')
      const heardByC = listen(c)
      await connect(a, b)
      await connect(c, b)
      await knows(b, 2)
      await knows(a, 1)
      await say(a, 'bad')
      await harness.until(() => heardByB.length === 1)
      await say(b, 'good')
      await harness.until(() => heardByC.some(({ text }) => text === 'good'))
      assert.deepEqual(heardByC, [{ author: b.id, text: 'good' }])
    })

    test('a neighbour that goes on sending bad messages is not heard any more', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      const heard = listen(b, (text) => !text.startsWith('bad'))
      listen(c)
      await connect(a, b)
      await connect(c, b)
      await knows(a, 1)
      await knows(c, 1)
      let round = 0
      // c's message of a round comes after a's of the round before.
      for (let deaf = false; !deaf; round++) {
        assert.ok(round < 2_000, 'bad messages cost nothing')
        await say(a, `bad ${round}`)
        await say(c, `fence ${round}`)
        await harness.until(() => heard.some(({ text }) => text === `fence ${round}`))
        deaf = round > 0 && !heard.some(({ text }) => text === `bad ${round - 1}`)
      }
      assert.ok(round >= 3, 'one bad message is forgiven')
    })

    test('a message over the limit of its topic is refused before it is sent, and rejected where it arrives', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      const heard = listen(b)
      listen(c)
      await connect(a, b)
      await connect(c, b)
      await knows(a, 1)
      await knows(c, 1)
      await failsWith('too_large', c.publish(TOPIC, new Uint8Array(101)))
      // a has no limit of its own.
      assert.equal(await settled(a.publish(TOPIC, new Uint8Array(101))), 1)
      assert.equal(await settled(c.publish(TOPIC, new Uint8Array(100))), 1)
      await harness.until(() => heard.length === 1)
      assert.equal(heard[0]!.author, c.id)
    })

    test('a validator that throws costs its message and nothing else', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      const heard = listen(b, (text) => {
        if (text === 'trap') throw new Error('a bug')
        return true
      })
      await connect(a, b)
      await knows(a, 1)
      await say(a, 'trap')
      await say(a, 'fine')
      await harness.until(() => heard.some(({ text }) => text === 'fine'))
    })

    test('the bytes of a message are its own: neither side sees later changes of the array', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      const heard = listen(b)
      await connect(a, b)
      await knows(a, 1)
      const bytes = new TextEncoder().encode('before')
      const publishing = a.publish(TOPIC, bytes)
      bytes.fill(0)
      await settled(publishing)
      await harness.until(() => heard.length === 1)
      assert.equal(heard[0]!.text, 'before')
    })

    test('a request is answered, whatever its size', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      const askers: PeerId[] = []
      b.serve(PROTOCOL, 600_000, async (peer, body) => {
        askers.push(peer)
        return body.toReversed()
      })
      await connect(a, b)
      for (const size of [0, 1, 65_000, 600_000]) {
        const body = Uint8Array.from({ length: size }, (_, i) => i * 7)
        assert.deepEqual(await settled(a.request(b.id, PROTOCOL, body, OPTIONS)), body.toReversed())
      }
      assert.deepEqual(askers, [a.id, a.id, a.id, a.id])
    })

    test('requests run side by side and their answers do not mix', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      b.serve(PROTOCOL, 100, async (_peer, body) => body)
      await connect(a, b)
      const asked = Array.from({ length: 12 }, (_, i) => a.request(b.id, PROTOCOL, Uint8Array.of(i), OPTIONS))
      assert.deepEqual(
        (await settled(Promise.all(asked))).map(([first]) => first),
        asked.map((_, i) => i),
      )
    })

    test('a request to a peer that is not connected is refused', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      await failsWith('refused', a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS))
    })

    test('a protocol that is not served, a request that is too large and a failing handler reset', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      await connect(a, b)
      await failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS))
      b.serve(PROTOCOL, 10, async (_peer, [first]) => {
        if (first === 1) throw new Error('no')
        return new Uint8Array(1)
      })
      await failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(11), OPTIONS))
      await failsWith('reset', a.request(b.id, PROTOCOL, new Uint8Array(500_000), OPTIONS))
      await failsWith('reset', a.request(b.id, PROTOCOL, Uint8Array.of(1), OPTIONS))
      // And the connection lives on.
      assert.deepEqual(await settled(a.request(b.id, PROTOCOL, Uint8Array.of(2), OPTIONS)), new Uint8Array(1))
    })

    test('an answer over the limit fails, one of exactly the limit does not', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      b.serve(PROTOCOL, 10, async () => new Uint8Array(1_000))
      await connect(a, b)
      await failsWith('too_large', a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, maxResponseBytes: 999 }))
      const answer = await settled(a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, maxResponseBytes: 1_000 }))
      assert.equal(answer.length, 1_000)
    })

    test('a request that is not answered in time fails, and so does one that its caller gives up', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      let asked = 0
      b.serve(PROTOCOL, 10, () => {
        asked++
        return new Promise(() => {})
      })
      await connect(a, b)
      await failsWith('timeout', a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, timeoutMs: 300 }))
      const caller = new AbortController()
      const given = a.request(b.id, PROTOCOL, new Uint8Array(1), { ...OPTIONS, signal: caller.signal })
      given.catch(() => {})
      await harness.until(() => asked === 2)
      caller.abort(new Error('changed my mind'))
      await assert.rejects(settled(given), /changed my mind/)
    })

    test('a request fails when the connection ends, and when either side stops', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      let asked = 0
      for (const network of [b, c]) {
        network.serve(PROTOCOL, 10, () => {
          asked++
          return new Promise(() => {})
        })
      }
      await connect(a, b)
      await connect(a, c)
      const cut = a.request(b.id, PROTOCOL, new Uint8Array(1), OPTIONS)
      cut.catch(() => {})
      await harness.until(() => asked === 1)
      await settled(b.stop())
      await failsWith('reset', cut)
      const ours = a.request(c.id, PROTOCOL, new Uint8Array(1), OPTIONS)
      ours.catch(() => {})
      await harness.until(() => asked === 2)
      await settled(a.stop())
      await failsWith('closed', ours)
      await failsWith('closed', a.request(c.id, PROTOCOL, new Uint8Array(1), OPTIONS))
      await failsWith('closed', a.publish(TOPIC, new Uint8Array(1)))
      await failsWith('closed', a.dial(c.addresses()[0]!, forever))
    })

    test('dialling says who is there, with and without their id, and once connected needs no second connection', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      const full = b.addresses()[0]!
      assert.ok(full.endsWith(`/p2p/${b.id}`))
      const changes: PeerChange[] = []
      a.onPeer((change) => changes.push(change))
      assert.equal(await settled(a.dial(full.replace(/\/p2p\/.*/, ''), forever)), b.id)
      assert.equal(await settled(a.dial(full, forever)), b.id)
      assert.equal(await settled(a.dial(full.replace(/\/p2p\/.*/, ''), forever)), b.id)
      assert.deepEqual(changes, [{ id: b.id, state: 'connected' }])
      assert.deepEqual(
        a.peers().map(({ id }) => id),
        [b.id],
      )
      assert.ok(a.peers()[0]!.addresses.includes(full))
    })

    test('dialling nobody, nonsense, ourselves or someone else fails with the code for it', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      await failsWith('refused', a.dial(await harness.nobody(), forever))
      await failsWith('malformed', a.dial('over there', forever))
      await failsWith('self', a.dial(a.addresses()[0]!, forever))
      await failsWith('self', a.dial(a.addresses()[0]!.replace(/\/p2p\/.*/, ''), forever))
      const error = await failsWith('wrong_peer', a.dial(b.addresses()[0]!.replace(b.id, c.id), forever))
      assert.match(error.message, new RegExp(b.id))
      await harness.until(() => b.peers().length === 0)
      assert.deepEqual(a.peers(), [])
      const caller = new AbortController()
      caller.abort(new Error('never mind'))
      await assert.rejects(settled(a.dial(b.addresses()[0]!, caller.signal)), /never mind/)
    })

    test('peers come and go on both sides, by hanging up and by stopping', async () => {
      const [a, b, c] = (await started(3)) as [Network, Network, Network]
      const seen: string[] = []
      const names = new Map([
        [a.id, 'a'],
        [b.id, 'b'],
        [c.id, 'c'],
      ])
      for (const network of [a, b, c]) network.onPeer(({ id, state }) => seen.push(`${names.get(network.id)}: ${names.get(id)} ${state}`))
      await connect(a, b)
      await settled(a.hangUp(b.id))
      await harness.until(() => b.peers().length === 0)
      assert.deepEqual(seen.splice(0).toSorted(), ['a: b connected', 'a: b disconnected', 'b: a connected', 'b: a disconnected'])
      await settled(a.hangUp(b.id))
      await connect(b, a)
      await connect(c, a)
      const unsubscribe = a.onPeer(() => seen.push('never'))
      unsubscribe()
      seen.length = 0
      await settled(c.stop())
      await harness.until(() => a.peers().length === 1)
      assert.ok(seen.includes('a: c disconnected'))
      assert.ok(!seen.includes('never'))
      assert.ok(isConnected(a, b))
    })

    test('bytes are counted where they pass', async () => {
      const [a, b] = (await started(2)) as [Network, Network]
      b.serve(PROTOCOL, 100, async () => new Uint8Array(50_000))
      await connect(a, b)
      const before = a.counters()
      await settled(a.request(b.id, PROTOCOL, new Uint8Array(100), OPTIONS))
      const after = a.counters()
      assert.ok(after.bytesIn - before.bytesIn >= 50_000 && after.bytesIn - before.bytesIn < 55_000)
      assert.ok(after.bytesOut - before.bytesOut >= 100 && after.bytesOut - before.bytesOut < 5_000)
      await settled(Promise.all([a.stop(), b.stop()]))
      assert.ok(a.counters().bytesIn >= after.bytesIn)
      assert.ok(b.counters().bytesOut >= 50_000)
    })

    test('handlers and topics of before the start work, stopping twice is once, and nothing is left', async () => {
      networks = [harness.create(), harness.create()]
      const [a, b] = networks as [Network, Network]
      b.serve(PROTOCOL, 10, async (_peer, body) => body)
      const heard = listen(b)
      assert.deepEqual(a.addresses(), [])
      await settled(Promise.all([a.start(forever), b.start(forever), b.start(forever)]))
      await connect(a, b)
      assert.deepEqual(await settled(a.request(b.id, PROTOCOL, Uint8Array.of(5), OPTIONS)), Uint8Array.of(5))
      await knows(a, 1)
      await say(a, 'hello')
      await harness.until(() => heard.length === 1)
      await settled(Promise.all([a.stop(), a.stop(), b.stop()]))
      await settled(a.stop())
      assert.deepEqual([a.peers(), b.peers(), a.addresses()], [[], [], []])
      await harness.assertNothingLeft()
    })

    test('a network stopped before its start does not start', async () => {
      const network = harness.create()
      await settled(network.stop())
      await failsWith('closed', network.start(forever))
      const other = harness.create()
      const caller = new AbortController()
      caller.abort(new Error('not today'))
      await assert.rejects(settled(other.start(caller.signal)), /not today/)
      await settled(other.stop())
    })
  })
}

function isConnected(network: Network, other: Network): boolean {
  return network.peers().some(({ id }) => id === other.id)
}
