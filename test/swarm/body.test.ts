/** Bodies on a stream: any split of their bytes gives the same, and what is declared is not kept before it is there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { systemClock } from '../../src/node/clock.ts'
import { BodyReader, writeBody } from '../../src/swarm/body.ts'
import { REQUEST_PIECE_BYTES } from '../../src/swarm/limits.ts'
import { Operation } from '../../src/swarm/operation.ts'

const MAX_BYTES = 100

/** What a reader makes of these pieces, and the end of the stream after them. */
async function read(pieces: readonly Uint8Array[], into: readonly Uint8Array[] = []): Promise<string> {
  const stream = Object.assign(new EventTarget(), { status: 'open', readableEnded: false })
  const reader = new BodyReader(stream as unknown as Stream, MAX_BYTES)
  const operation = new Operation(systemClock)
  const reading = reader.read(operation, { restart() {}, cancel() {} }, into)
  for (const data of pieces) {
    stream.dispatchEvent(Object.assign(new Event('message'), { data: Object.assign(data, { subarray: data.subarray.bind(data) }) }))
    await Promise.resolve()
  }
  stream.dispatchEvent(new Event('end'))
  try {
    return Buffer.from(await reading).toString('hex')
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    operation.end()
  }
}

function framed(length: number, bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, length)
  return Buffer.concat([head, bytes])
}

test('any split gives the same body, or the same refusal', async () => {
  const body = Uint8Array.from({ length: 50 }, (_, i) => i)
  const cases: [Uint8Array, string][] = [
    [framed(50, body), Buffer.from(body).toString('hex')],
    [framed(0, new Uint8Array()), ''],
    [framed(MAX_BYTES, new Uint8Array(MAX_BYTES)), '00'.repeat(MAX_BYTES)],
    [framed(MAX_BYTES + 1, new Uint8Array(MAX_BYTES + 1)), 'too_large'],
    [framed(0xffffffff, body), 'too_large'],
    [framed(51, body), 'reset'],
    [framed(49, body), 'reset'],
    [Uint8Array.of(0, 0), 'reset'],
  ]
  for (const [bytes, expected] of cases) {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        assert.equal(await read(at.slice(1).map((end, i) => bytes.slice(at[i], end))), expected)
      }),
      { numRuns: 100, seed: 5 },
    )
  }
})

test('a body of exactly the bytes of given memory fills its parts, whatever the split; another one has memory of its own', async () => {
  const body = Uint8Array.from({ length: 50 }, (_, i) => i + 1)
  const hex = Buffer.from(body).toString('hex')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(54)), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), 54]
      const pieces = at.slice(1).map((end, i) => framed(50, body).slice(at[i], end))
      const parts = [1, 0, 19, 30].map((length) => new Uint8Array(length))
      assert.equal(await read(pieces, parts), hex.slice(0, 2))
      assert.equal(Buffer.concat(parts).toString('hex'), hex)
    }),
    { numRuns: 100, seed: 5 },
  )
  const other = [new Uint8Array(20), new Uint8Array(31)]
  assert.equal(await read([framed(50, body)], other), hex)
  assert.ok(other.every((part) => part.every((value) => value === 0)))
  assert.equal(await read([framed(50, Buffer.concat([body, body]))], [new Uint8Array(50)]), 'reset')
})

test('parts leave in full pieces, the length with the first', async () => {
  const parts = [Uint8Array.of(7), Uint8Array.from({ length: 2 * REQUEST_PIECE_BYTES }, (_, i) => i), Uint8Array.of(8, 9)]
  const sent: Uint8Array[] = []
  const stream = { send: (piece: Uint8Array) => sent.push(piece) > 0 } as unknown as Stream
  const operation = new Operation(systemClock)
  await writeBody(stream, parts, operation, { restart() {}, cancel() {} })
  assert.deepEqual(
    sent.map(({ length }) => length),
    [REQUEST_PIECE_BYTES, REQUEST_PIECE_BYTES, 4 + 1 + 2],
  )
  assert.deepEqual(Buffer.concat(sent), framed(2 * REQUEST_PIECE_BYTES + 3, Buffer.concat(parts)))
  // What fills a piece by itself is not copied.
  assert.equal(sent[1]!.buffer, parts[1]!.buffer)
})
