/** Requests against peers that do not keep to the rules, and the rules on the wire themselves. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Network, NetworkErrorCode } from '../../src/ports/network.ts'
import { BodyReader, writeBody } from '../../src/swarm/body.ts'
import { REQUEST_PIECE_BYTES } from '../../src/swarm/limits.ts'
import { Operation } from '../../src/swarm/operation.ts'
import { GrapevineError } from '../../src/util/errors.ts'
import { rawGossipNode, rawNode } from './raw-node.ts'
import { forever, hurried, loopbackSwarm, until } from './support.ts'

const ASKED = '/grapevine/misbehaved/1'
const SERVED = '/grapevine/echo/1'
const MAX_REQUEST_BYTES = 1_000
const OPTIONS = { maxResponseBytes: 100, timeoutMs: 60_000 }
/** 5 s of silence are 250 ms. */
const clock = hurried(20)

/** A body as it is on the wire; `length` may lie. */
function framed(bytes: readonly number[] | Uint8Array, length = bytes.length): Uint8Array {
  const frame = new Uint8Array(4 + bytes.length)
  new DataView(frame.buffer).setUint32(0, length)
  frame.set(bytes, 4)
  return frame
}

function arrived(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  stream.addEventListener('message', (event) => chunks.push(event.data.subarray()))
  return new Promise((resolve) => {
    stream.addEventListener('end', () => resolve(Buffer.concat(chunks)))
    stream.addEventListener('close', () => resolve(Buffer.concat(chunks)))
  })
}

describe('asking', () => {
  let network: Network
  let node: Libp2p
  let behave: (stream: Stream) => Promise<void> | void

  before(async () => {
    network = loopbackSwarm(200, { clock })
    // One without gossip would be taken for a broken link and dialled again.
    node = await rawGossipNode()
    await network.start(forever)
    await node.handle(ASKED, (stream) => behave(stream))
    await network.dial(node.getMultiaddrs()[0]!.toString(), forever)
  })
  after(async () => {
    await network.stop()
    await node.stop()
  })

  const ask = (body: Uint8Array = new Uint8Array(1)) => network.request(node.peerId.toString(), ASKED, body, OPTIONS)
  const fails = (code: NetworkErrorCode) =>
    assert.rejects(ask(), (error) => error instanceof GrapevineError && error.code === code && error.message.length > 0)

  test('a request and its answer are a length in four bytes and the body', async () => {
    let request: Promise<Uint8Array> | undefined
    behave = async (stream) => {
      request = arrived(stream)
      await request
      stream.send(framed([7, 8, 9]))
      await stream.close()
    }
    assert.deepEqual(await ask(Uint8Array.of(1, 2)), Uint8Array.of(7, 8, 9))
    assert.deepEqual(new Uint8Array((await request)!), Uint8Array.of(0, 0, 0, 2, 1, 2))
  })

  test('an answer in single bytes is put together', async () => {
    behave = async (stream) => {
      for (const byte of framed([1, 2, 3, 4, 5])) {
        stream.send(Uint8Array.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await stream.close()
    }
    assert.deepEqual(await ask(), Uint8Array.of(1, 2, 3, 4, 5))
  })

  test('an answer that announces too much is refused before it is read', async () => {
    for (const length of [101, 0xffff_ffff]) {
      behave = (stream) => void stream.send(framed([1], length))
      await fails('too_large')
    }
  })

  test('an answer that ends early, or goes on after its end, is broken', async () => {
    behave = async (stream) => {
      stream.send(framed([1, 2, 3], 4))
      await stream.close()
    }
    await fails('reset')
    behave = (stream) => void stream.send(framed(new Uint8Array(50), 49))
    await fails('reset')
    behave = (stream) => void stream.send(framed(new Uint8Array(150_000), 100))
    await fails('reset')
    behave = (stream) => stream.close()
    await fails('reset')
    behave = (stream) => stream.abort(new Error('no'))
    await fails('reset')
  })

  test('silence is a timeout, before the first byte and after it', async () => {
    behave = () => {}
    await fails('timeout')
    behave = (stream) => void stream.send(framed([1, 2, 3], 4))
    await fails('timeout')
    assert.equal(network.peers().length, 1)
    await until(() => node.getConnections()[0]!.streams.every((stream) => stream.protocol !== ASKED), 'resetting the streams')
  })

  test('an answer that comes byte by byte without an end is as good as silence', async () => {
    let sent = 0
    behave = async (stream) => {
      for (; stream.status === 'open'; sent++) {
        stream.send(sent === 0 ? framed([], 100) : Uint8Array.of(1))
        await clock.sleep(1_000)
      }
    }
    await fails('timeout')
    assert.ok(sent < 20, String(sent))
  })
})

describe('answering', () => {
  let network: Network
  let node: Libp2p
  let answered = 0
  let held: PromiseWithResolvers<Uint8Array> | null = null

  before(async () => {
    network = loopbackSwarm(201, { clock })
    network.serve(SERVED, MAX_REQUEST_BYTES, async (_peer, body) => {
      answered++
      return held === null ? body : held.promise
    })
    node = await rawGossipNode()
    await network.start(forever)
    await node.dial(multiaddr(network.addresses()[0]!))
  })
  after(async () => {
    await network.stop()
    await node.stop()
  })

  const open = () => node.dialProtocol(multiaddr(network.addresses()[0]!), SERVED)

  /** Sends `bytes`, closes when told to, and resolves when the other side has reset the stream. */
  async function isReset(bytes: Uint8Array, close: boolean): Promise<void> {
    const before = answered
    const stream = await open()
    stream.send(bytes)
    if (close) await stream.close()
    await until(() => stream.status !== 'open', 'the reset')
    assert.equal(stream.status, 'reset')
    assert.equal(answered, before)
  }

  test('a request in one piece is answered, and the stream is closed on both sides', async () => {
    const stream = await open()
    const answer = arrived(stream)
    stream.send(framed([5, 6]))
    await stream.close()
    assert.deepEqual(new Uint8Array(await answer), framed([5, 6]))
    await until(() => stream.status === 'closed', 'closing')
  })

  test('a request over the limit, one that ends early and one that never ends are reset, and no handler sees them', async () => {
    await isReset(framed([1], MAX_REQUEST_BYTES + 1), false)
    await isReset(framed([1], 0xffff_ffff), false)
    await isReset(framed(new Uint8Array(200_000), 10), false)
    await isReset(framed([1, 2], 3), true)
    await isReset(new Uint8Array(3), true)
    await isReset(framed([1, 2], 3), false)
  })

  test('an asker that leaves while its request is worked on harms nobody', async () => {
    held = Promise.withResolvers()
    const before = answered
    const stream = await open()
    stream.send(framed([1]))
    await stream.close()
    await until(() => answered === before + 1, 'the request')
    stream.abort(new Error('lost interest'))
    held.resolve(new Uint8Array(100_000))
    held = null
    const next = await open()
    const answer = arrived(next)
    next.send(framed([9]))
    await next.close()
    assert.deepEqual(new Uint8Array(await answer), framed([9]))
  })

  test('who is not admitted is not answered', async () => {
    const stranger = await rawNode({ agent: 'kubo/0.40.0' })
    try {
      const before = answered
      const asking = stranger.dialProtocol(multiaddr(network.addresses()[0]!), SERVED).then((stream) => {
        stream.send(framed([1]))
        return arrived(stream)
      })
      const answer = await asking.catch(() => new Uint8Array(0))
      assert.equal(answer.length, 0)
      assert.equal(answered, before)
    } finally {
      await stranger.stop()
    }
  })
})

test('a writer waits while the reader does not read, and no more than two pieces pile up', async () => {
  const [a, b] = [await rawNode(), await rawNode()]
  try {
    const body = new Uint8Array(8_000_000).fill(3)
    const incoming = Promise.withResolvers<Stream>()
    await b.handle(SERVED, (stream) => {
      stream.pause()
      incoming.resolve(stream)
    })
    const stream = await a.dialProtocol(b.getMultiaddrs()[0]!, SERVED)
    const operation = new Operation(clock)
    const never = { restart() {}, cancel() {} }
    let done = false
    const writing = writeBody(stream, body, operation, never).then(() => {
      done = true
    })
    const reading = await incoming.promise
    await until(() => stream.writableNeedsDrain, 'the window filling up')
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      assert.ok(stream.writeBufferLength <= 2 * REQUEST_PIECE_BYTES, `${stream.writeBufferLength} bytes waiting`)
    }
    assert.equal(done, false)
    const reader = new BodyReader(reading, body.length)
    reading.resume()
    const [, received] = await Promise.all([writing, reader.read(operation, never)])
    assert.deepEqual(received, body)
    operation.end()
  } finally {
    await a.stop()
    await b.stop()
  }
})
