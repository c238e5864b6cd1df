import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { codecNamed, payloadBytes } from '../../src/average/codecs.ts'
import { payloadPass } from '../../src/average/passes.ts'
import { INLINE_PASS_BYTES } from '../../src/node/limits.ts'
import { threadWorkers } from '../../src/node/workers.ts'
import { reuseFloats } from '../../src/util/memory.ts'
import { decodeReplica } from '../../src/wire/replica.ts'
import { chunkBytes } from '../../src/wire/state.ts'

const started: Worker[] = []
const remember = (worker: Worker) => started.push(worker)
process.on('worker', remember)
after(() => process.off('worker', remember))

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i / 7)
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

test('small arrays are digested inline, large ones in one helper thread, with the same answers', async () => {
  const workers = threadWorkers()
  const small = ramp(1000)
  assert.deepEqual(await workers.compute.digest(small), sha256(bytesOf(small)))
  assert.equal(started.length, 0)
  const large = ramp(INLINE_PASS_BYTES / 4 + 1).subarray(0)
  const shared = new Float32Array(new SharedArrayBuffer(large.byteLength))
  shared.set(large)
  const digests = await Promise.all([
    workers.compute.digest(large),
    workers.compute.digest(shared),
    workers.compute.digest(large.subarray(0, 10)),
  ])
  assert.deepEqual(digests, [sha256(bytesOf(large)), sha256(bytesOf(large)), sha256(bytesOf(large.slice(0, 10)))])
  assert.equal(large.length, INLINE_PASS_BYTES / 4 + 1)
  assert.equal(started.length, 1)
  await workers.stop()
  assert.equal(started[0]!.threadId, -1)
})

test('chunks are digested one by one, the last one shorter', async () => {
  const workers = threadWorkers()
  for (const length of [0, 1, 2500, INLINE_PASS_BYTES + 1]) {
    const bytes = new Uint8Array(length).map((_, i) => i % 251)
    const expected = []
    for (let at = 0; at < length; at += 1000) expected.push(sha256(bytes.slice(at, at + 1000)))
    assert.deepEqual(await workers.compute.chunkDigests(bytes, 1000), expected)
  }
  await workers.stop()
})

test('a helper that dies fails what it had, and the next call gets another', async () => {
  const workers = threadWorkers()
  const large = ramp(INLINE_PASS_BYTES)
  const lost = assert.rejects(workers.compute.digest(large), {
    code: 'helper_lost',
    message: /^The helper thread did not finish its work because .+\.$/,
  })
  // The event that announces the thread comes a tick later.
  await nextTurn()
  await started.at(-1)!.terminate()
  await lost
  assert.deepEqual(await workers.compute.digest(large), sha256(bytesOf(large)))
  await workers.stop()
  await assert.rejects(workers.compute.digest(large), { code: 'helper_lost' })
})

test('a replica is frozen the same way inline and in the helper, and read where it lies', async () => {
  const workers = threadWorkers()
  for (const length of [1000, INLINE_PASS_BYTES / 4 + 1]) {
    const parameters = new Float32Array(new SharedArrayBuffer(4 * length))
    parameters.set(ramp(length))
    const replica = { parameters, target: null, version: 3, steps: 4, normalisers: [] }
    const { body, chunks, parameterDigest } = await workers.compute.freeze(replica)
    assert.deepEqual(decodeReplica(body, length), { ...replica, parameters: ramp(length) })
    assert.deepEqual(parameterDigest, sha256(bytesOf(ramp(length))))
    assert.deepEqual(chunks, await workers.compute.chunkDigests(body, chunkBytes(body.length)))
  }
  await workers.stop()
})

test('parameters that moments make long are decoded in the helper into memory that is seen here', async () => {
  const workers = threadWorkers()
  const count = 100_000
  const model = { run: 'any', slices: [count], moments: ['mean', 'square'] as const }
  const codec = codecNamed('f32', model)
  const payload = new Uint8Array(payloadBytes(codec, count))
  const values = ramp(count)
  codec.encode(values, payload.subarray(0, codec.bytesFor(count)))
  codec.moments!.encode({ steps: 3, values: ramp(2 * count) }, payload.subarray(codec.bytesFor(count)))
  assert.ok(values.byteLength < INLINE_PASS_BYTES && payload.length > INLINE_PASS_BYTES)
  const into = reuseFloats(count, payload.length)
  const input = { payload, digest: sha256(payload), codec: { name: 'f32', model, draw: 0 }, mine: null, into }
  const { norm, moments } = await workers.compute.pass(payloadPass, input, payload.length)
  assert.deepEqual(into, values)
  assert.ok(norm > 0)
  assert.deepEqual(moments, { steps: 3, values: ramp(2 * count) })
  await workers.stop()
})
