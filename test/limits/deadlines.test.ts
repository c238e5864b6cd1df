/** The limits of the design on time, on virtual time: what comes just before is heeded, what comes later is not. Each test begins with the limit's name. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Stream } from '@libp2p/interface'
import { Closers } from '../../src/peer/closers.ts'
import { downloadBody } from '../../src/peer/download.ts'
import { STOP_GRACE_MS, STOP_TIMEOUT_MS } from '../../src/peer/limits.ts'
import type { Network } from '../../src/ports/network.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { BodyReader, writeBody } from '../../src/swarm/body.ts'
import { DIAL_TIMEOUT_MS, FIRST_BYTE_TIMEOUT_MS, PROBE_TIMEOUT_MS, REQUEST_PIECE_BYTES } from '../../src/swarm/limits.ts'
import { Operation } from '../../src/swarm/operation.ts'
import { sha256 } from '../../src/util/sha256.ts'
import { PROGRESS_BYTES, PROGRESS_MS, RANGE_BYTES } from '../../src/wire/limits.ts'
import { bodyDigest, chunkBytes, decodeStateRequest, encodeStateResponse, type Offer } from '../../src/wire/state.ts'
import { rawGossipNode } from '../swarm/raw-node.ts'
import { forever, loopbackSwarm, quiet, until } from '../swarm/support.ts'

/** How a promise stands. */
function watched<T>(promise: Promise<T>): { state: 'waiting' | 'done' | 'failed'; error: unknown } {
  const seen = { state: 'waiting' as 'waiting' | 'done' | 'failed', error: null as unknown }
  promise.then(
    () => (seen.state = 'done'),
    (error: unknown) => Object.assign(seen, { state: 'failed', error }),
  )
  return seen
}

test('dial: a silent address is waited for five seconds', async () => {
  assert.equal(DIAL_TIMEOUT_MS, 5_000)
  const clock = new VirtualClock()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const network = loopbackSwarm(300, { clock })
  await network.start(forever)
  const connected = once(server, 'connection')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const dialled = watched(network.dial(`127.0.0.1:${address.port}`, forever))
  const [socket] = await connected
  await clock.run(DIAL_TIMEOUT_MS - 1)
  assert.equal(dialled.state, 'waiting')
  // And a second more for the look at what it speaks.
  await clock.run(1 + PROBE_TIMEOUT_MS, () => dialled.state === 'failed')
  assert.equal((dialled.error as { code: string }).code, 'timeout')
  await network.stop()
  socket.destroy()
  server.close()
})

test('first byte: an answer is waited for five seconds', async () => {
  assert.equal(FIRST_BYTE_TIMEOUT_MS, 5_000)
  const clock = new VirtualClock()
  const network = loopbackSwarm(301, { clock })
  const node = await rawGossipNode()
  await network.start(forever)
  const streams: Stream[] = []
  await node.handle('/silent/1', (stream) => void streams.push(stream))
  await network.dial(node.getMultiaddrs()[0]!.toString(), forever)
  const ask = () =>
    watched(network.request(node.peerId.toString(), '/silent/1', new Uint8Array(1), { maxResponseBytes: 9, timeoutMs: 60_000 }))
  const early = ask()
  await until(() => streams.length === 1, 'the request')
  await clock.run(FIRST_BYTE_TIMEOUT_MS - 1)
  streams[0]!.send(Uint8Array.of(0, 0, 0, 1, 7))
  await until(() => early.state === 'done', 'the answer')
  const late = ask()
  await until(() => streams.length === 2, 'the request')
  await clock.run(FIRST_BYTE_TIMEOUT_MS - 1)
  assert.equal(late.state, 'waiting')
  await clock.run(1, () => late.state === 'failed')
  assert.equal((late.error as { code: string }).code, 'timeout')
  await network.stop()
  await node.stop()
})

/** The end of a stream that a test holds. */
class FakeStream extends EventTarget {
  readonly readableEnded = false
  readonly status = 'open'
  writableNeedsDrain = false
  sent = 0

  arrive(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  send(piece: Uint8Array): boolean {
    this.sent += piece.length
    this.writableNeedsDrain = true
    return false
  }

  drain(): void {
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }
}

test('progress, reading: 64 KiB/s over five seconds are enough, one byte less is not', async () => {
  assert.deepEqual([PROGRESS_BYTES / PROGRESS_MS, PROGRESS_MS], [65.536, 5_000])
  for (const [bytes, state] of [
    [PROGRESS_BYTES, 'waiting'],
    [PROGRESS_BYTES - 1, 'failed'],
  ] as const) {
    const clock = new VirtualClock()
    const stream = new FakeStream()
    const operation = new Operation(clock)
    const silence = operation.deadline(PROGRESS_MS, () => new Error('too slow'))
    const reading = watched(new BodyReader(stream as unknown as Stream, 2 ** 30).read(operation, silence))
    stream.arrive(Uint8Array.of(16, 0, 0, 0))
    for (let i = 0; i < 5; i++) {
      await clock.run(PROGRESS_MS - 1)
      stream.arrive(new Uint8Array(bytes))
    }
    await clock.run(0)
    assert.equal(reading.state, state, `${bytes} bytes`)
    operation.end()
  }
})

test('progress, writing: who takes 64 KiB/s over five seconds is served, who takes one piece less is not', async () => {
  // Counted in whole pieces, of which one may be on its way.
  const pieces = Math.floor(PROGRESS_BYTES / REQUEST_PIECE_BYTES)
  for (const [taken, state] of [
    [pieces, 'waiting'],
    [pieces - 1, 'failed'],
  ] as const) {
    const clock = new VirtualClock()
    const stream = new FakeStream()
    const operation = new Operation(clock)
    const silence = operation.deadline(PROGRESS_MS, () => new Error('too slow'))
    const writing = watched(writeBody(stream as unknown as Stream, new Uint8Array(100 * REQUEST_PIECE_BYTES), operation, silence))
    await clock.run(0)
    stream.drain()
    for (let i = 0; i < 3; i++) {
      await clock.run(PROGRESS_MS - 1)
      for (let piece = 0; piece < taken; piece++) {
        stream.drain()
        await clock.run(0)
      }
    }
    await clock.run(1)
    assert.equal(writing.state, state, `${taken} pieces`)
    operation.end()
  }
})

/** Downloads a body of `bytes` from a donor that takes `rangeMs` for each range and `doneMs` for the last word. */
async function downloaded(bytes: number, rangeMs: number, doneMs = 0): Promise<string> {
  const clock = new VirtualClock()
  const body = new Uint8Array(bytes)
  const size = chunkBytes(bytes)
  const chunks = Array.from({ length: Math.ceil(bytes / size) }, (_, i) => sha256(body.subarray(i * size, (i + 1) * size)))
  const numbers = { version: 1, steps: 1, epoch: 1, sequence: 1 }
  const offer: Offer = { body: bodyDigest(bytes, chunks), bodyBytes: bytes, chunks, parameterDigest: new Uint8Array(32), ...numbers }
  const request: Network['request'] = async (_peer, _protocol, asked, { signal }) => {
    const wanted = decodeStateRequest(asked)
    await clock.sleep(wanted.kind === 'range' ? rangeMs : doneMs, signal)
    if (wanted.kind !== 'range') return encodeStateResponse({ kind: 'done' })
    return encodeStateResponse({ kind: 'range', bytes: body.subarray(wanted.offset, wanted.offset + wanted.length) })
  }
  const download = downloadBody({ network: { request } as Network, clock }, 'donor', offer, forever)
  return clock.during(
    download.then(
      () => 'whole',
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    ),
    600_000,
  )
}

test('total: a snapshot may take thirty seconds and one more for each MiB, and no longer', async () => {
  const bytes = 64 * RANGE_BYTES
  const limitMs = 30_000 + (1_000 * bytes) / 1_048_576
  assert.equal(await downloaded(bytes, 500, limitMs - 32_000 - 1), 'whole')
  assert.equal(await downloaded(bytes, 500, limitMs - 32_000 + 1), 'timeout: Peer donor took longer than 34 s to send its snapshot.')
})

test('progress, a snapshot: 64 KiB/s over any five seconds, whatever the total allows', async () => {
  // Six ranges are more than 320 KiB, five are less.
  assert.equal(await downloaded(24 * RANGE_BYTES, 4_999 / 6), 'whole')
  assert.equal(await downloaded(24 * RANGE_BYTES, 5_001 / 6), 'timeout: Peer donor sent its snapshot at less than 64 KiB a second.')
  // A small one has five seconds in all.
  assert.equal(await downloaded(2 * RANGE_BYTES, 2_499), 'whole')
  assert.equal(await downloaded(2 * RANGE_BYTES, 2_501), 'timeout: Peer donor sent its snapshot at less than 64 KiB a second.')
})

test('leaving: whatever hangs, closing is over within two seconds', async () => {
  const clock = new VirtualClock()
  const closers = new Closers(clock, quiet)
  const closed: string[] = []
  closers.push(() => void closed.push('first opened'))
  closers.push(async () => {
    await clock.sleep(STOP_TIMEOUT_MS - 1)
    closed.push('slow')
  })
  await clock.during(closers.close(), 2_000)
  assert.deepEqual(closed, ['slow', 'first opened'])
  closers.push(() => void closed.push('opened before what hangs'))
  closers.push(() => new Promise(() => undefined))
  const beganMs = clock.now()
  await clock.during(closers.close(), 60_000)
  assert.equal(closed.at(-1), 'opened before what hangs')
  assert.equal(clock.now() - beganMs, STOP_TIMEOUT_MS + STOP_GRACE_MS)
  assert.ok(STOP_TIMEOUT_MS + STOP_GRACE_MS < 2_000)
})
