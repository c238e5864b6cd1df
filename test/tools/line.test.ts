/** The fault bench's bad line does what it says, and counts it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { test } from 'node:test'
import { type Badness, Line } from '../../scripts/chaos/line.ts'

const SENT = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))

/** What arrives of SENT over such a line, how the stream ends, and the line. */
async function over(badness: Badness) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(SENT)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const line = await Line.open(() => ({ host: '127.0.0.1', port: address.port }), badness, 1)
  const began = performance.now()
  const socket = createConnection({ host: '127.0.0.1', port: line.port })
  const parts: Buffer[] = []
  let error: string | undefined
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    error = failure.code
  })
  await once(socket, 'close')
  const ms = performance.now() - began
  await line.close()
  server.close()
  return { received: Buffer.concat(parts), error, line, ms }
}

test('a line that is only slow loses and changes nothing', async () => {
  const { received, error, line, ms } = await over({ delayMs: 20, jitterMs: 10, loss: 0.05, bytesPerSecond: 1_000_000 })
  assert.ok(received.equals(SENT))
  assert.deepEqual([error, line.connections, line.bytes, line.cuts, line.flips], [undefined, 1, SENT.length, 0, 0])
  // 70 packets of which one in twenty is lost, and a tenth of a second for so many bytes.
  assert.ok(line.stalls > 0)
  assert.ok(ms >= 100)
})

test('a line is cut after exactly so many bytes, with FIN or with RESET', async () => {
  for (const how of ['fin', 'reset'] as const) {
    const { received, line } = await over({ cut: { afterBytes: 12_345, how } })
    // A reset may overtake what was on its way.
    assert.ok(how === 'fin' ? received.length === 12_345 : received.length <= 12_345)
    assert.ok(received.equals(SENT.subarray(0, received.length)))
    assert.equal(line.cuts, 1)
  }
})

test('a line flips one bit', async () => {
  const { received, line } = await over({ flip: { atByte: 77_777 } })
  const expected = Buffer.from(SENT)
  expected[77_777]! ^= 2
  assert.ok(received.equals(expected))
  assert.equal(line.flips, 1)
})
