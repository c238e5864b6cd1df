import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../src/util/sha256.ts'
import type { FrameErrorCode } from '../../src/wire/frame.ts'
import { checkDigest, decodeFrame, decodeFrameHeader, encodedFrameBytes, encodeFrame, RUN_PREFIX_BYTES } from '../../src/wire/frame.ts'
import { MAX_NORMALISER_VALUES, MAX_NORMALISERS, MAX_PARAMETERS } from '../../src/wire/limits.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { accepts, refusal, survivesDamage } from '../support/refusal.ts'

const HEADER_BYTES = 136

const sent = {
  runPrefix: Uint8Array.from({ length: RUN_PREFIX_BYTES }, (_, i) => 16 * i),
  author: examplePeerId(3),
  incarnation: 1_700_000_000,
  sequence: 7,
  version: 2 ** 33,
  epoch: 9,
  codec: 'f32' as const,
  count: 3,
  payload: Uint8Array.from({ length: 12 }, (_, i) => i),
  normalisers: [
    { count: 1000, mean: Float64Array.of(0.5, -2), m2: Float64Array.of(0, 1e300) },
    { count: 0, mean: Float64Array.of(), m2: Float64Array.of() },
  ],
}

const bytes = encodeFrame(sent)

test('a frame of an author that is none is not made', () => {
  assert.throws(() => encodeFrame({ ...sent, author: 'nobody' }), {
    code: 'bad_author',
    message: 'A frame needs an Ed25519 author and a run id; nobody with this run is none.',
  })
})

test('a frame survives the round trip, with and without normalisers', () => {
  const frame = decodeFrame(bytes)
  assert.deepEqual(frame, { ...sent, payloadBytes: 12, digest: sha256(sent.payload) })
  checkDigest(frame)
  const { payload: _, normalisers: __, ...header } = frame
  assert.deepEqual(decodeFrameHeader(bytes.subarray(0, HEADER_BYTES)), header)
  const sizes = sent.normalisers.map(({ mean }) => mean.length)
  assert.equal(bytes.length, encodedFrameBytes(12, sizes))
  const plain = { ...sent, normalisers: [] }
  assert.deepEqual(decodeFrame(encodeFrame(plain)).normalisers, [])
  assert.equal(encodeFrame(plain).length, HEADER_BYTES + 12 + 1)
})

test('the payload is a view of the message', () => {
  assert.equal(decodeFrame(bytes).payload.buffer, bytes.buffer)
})

test('every lie has its code', () => {
  const changed = (offset: number, ...values: number[]) => {
    const copy = bytes.slice()
    copy.set(values, offset)
    return copy
  }
  const cases: [Uint8Array, FrameErrorCode][] = [
    [new Uint8Array(0), 'truncated'],
    [bytes.subarray(0, HEADER_BYTES - 1), 'truncated'],
    [bytes.subarray(0, HEADER_BYTES + 11), 'truncated'],
    [changed(0, 0x48), 'bad_magic'],
    [changed(4, 2), 'protocol_version'],
    [changed(6, 200), 'unknown_codec'],
    [changed(7, 1), 'bad_header'],
    [changed(8, 0, 0, 0, 0xff), 'too_large'],
    [changed(12, 0, 0, 0, 0xff), 'too_large'],
    [changed(12, 13), 'bad_normaliser'],
    [changed(33, 0x25), 'bad_author'],
    [changed(71, 1), 'bad_header'],
    [changed(79, 1), 'bad_header'],
    [Buffer.concat([bytes, Uint8Array.of(0)]), 'bad_length'],
    [changed(HEADER_BYTES + 12, MAX_NORMALISERS + 1), 'bad_normaliser'],
    [changed(HEADER_BYTES + 12 + 9, 255, 255, 255, 255), 'bad_normaliser'],
    [changed(HEADER_BYTES + 12 + 13 + 6, 0xf0, 0x7f), 'bad_normaliser'], // mean infinite
    [changed(HEADER_BYTES + 12 + 13 + 16 + 7, 0xc0), 'bad_normaliser'], // M2 negative
    [bytes.subarray(0, bytes.length - 1), 'bad_normaliser'],
  ]
  for (const [i, [forgery, code]] of cases.entries()) {
    const error = refusal(() => decodeFrame(forgery))
    assert.equal(error.code, code, `case ${i}`)
    assert.equal(error.fault, 'peer')
  }
  assert.equal(refusal(() => checkDigest(decodeFrame(changed(HEADER_BYTES, 1)))).code, 'bad_digest')
})

test('a header may claim the largest model, and nothing more', () => {
  const claim = (count: number) => {
    const header = bytes.slice(0, HEADER_BYTES)
    new DataView(header.buffer).setUint32(8, count, true)
    return () => decodeFrameHeader(header)
  }
  assert.equal(claim(MAX_PARAMETERS)().count, MAX_PARAMETERS)
  assert.equal(refusal(claim(MAX_PARAMETERS + 1)).code, 'too_large')
})

test('a normaliser may have as many values as the limit, and not one more', () => {
  const sized = (values: number) =>
    encodeFrame({ ...sent, normalisers: [{ count: 1, mean: new Float64Array(values), m2: new Float64Array(values) }] })
  assert.equal(decodeFrame(sized(MAX_NORMALISER_VALUES)).normalisers[0]!.mean.length, MAX_NORMALISER_VALUES)
  assert.equal(refusal(() => decodeFrame(sized(MAX_NORMALISER_VALUES + 1))).code, 'bad_normaliser')
})

test('what only we could get wrong is refused before it is sent', () => {
  assert.equal(refusal(() => encodeFrame({ ...sent, author: 'nobody' })).fault, 'local')
  assert.equal(refusal(() => encodeFrame({ ...sent, sequence: -1 })).fault, 'local')
})

test('any frame survives the round trip', () => {
  const counter = fc.maxSafeNat()
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
  const values = fc.array(fc.tuple(finite, finite.map(Math.abs)), { maxLength: 5 })
  const any = fc.record({
    incarnation: counter,
    sequence: counter,
    version: counter,
    epoch: counter,
    payload: fc
      .array(fc.uint8Array({ minLength: 2, maxLength: 2 }), { maxLength: 50 })
      .map((parts) => new Uint8Array(Buffer.concat(parts))),
    normalisers: fc.array(
      fc.record({ count: counter, values }).map(({ count, values }) => ({
        count,
        mean: Float64Array.from(values, ([mean]) => mean),
        m2: Float64Array.from(values, ([, m2]) => m2),
      })),
      { maxLength: MAX_NORMALISERS },
    ),
  })
  const property = fc.property(any, (fields) => {
    const frame = { ...sent, ...fields, codec: 'f16' as const, count: fields.payload.length / 2 }
    assert.deepEqual(decodeFrame(encodeFrame(frame)), { ...frame, payloadBytes: frame.payload.length, digest: sha256(frame.payload) })
  })
  fc.assert(property, { numRuns: 200, seed: 6 })
})

test('any damage gives a frame or a typed error, and every truncation is refused', () => {
  survivesDamage(bytes, decodeFrame)
  survivesDamage(bytes.subarray(0, HEADER_BYTES), decodeFrameHeader)
  for (let length = 0; length < bytes.length; length++) assert.ok(!accepts(decodeFrame, bytes.subarray(0, length)))
})
