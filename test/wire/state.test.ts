import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../src/util/sha256.ts'
import {
  MAX_CHUNKS,
  MAX_MANIFEST_BYTES,
  MAX_PARAMETERS,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  RANGE_BYTES,
} from '../../src/wire/limits.ts'
import type { Offer, StateRequest, StateResponse } from '../../src/wire/state.ts'
import {
  bodyDigest,
  chunkBytes,
  decodeStateRequest,
  decodeStateResponse,
  encodeStateRequest,
  encodeStateResponse,
} from '../../src/wire/state.ts'
import { accepts, refusal, survivesDamage } from '../support/refusal.ts'

function offerOf(bodyBytes: number): Offer {
  const chunks = Array.from({ length: Math.ceil(bodyBytes / chunkBytes(bodyBytes)) }, (_, i) => sha256(Uint8Array.of(i, i >>> 8)))
  return {
    body: bodyDigest(bodyBytes, chunks),
    bodyBytes,
    chunks,
    parameterDigest: sha256(Uint8Array.of(1)),
    version: 5,
    steps: 2 ** 34,
    epoch: 6,
    sequence: 7,
  }
}

const body = sha256(Uint8Array.of(9))

const requests: StateRequest[] = [
  { kind: 'manifest', offset: 64_512, length: 1024 },
  { kind: 'snapshot' },
  { kind: 'range', body, offset: 2 ** 32 + 1, length: RANGE_BYTES },
  { kind: 'done', body },
]

const responses: StateResponse[] = [
  { kind: 'manifest', totalBytes: MAX_MANIFEST_BYTES, bytes: Uint8Array.of(1, 2, 3) },
  { kind: 'offer', offer: offerOf(200_000) },
  { kind: 'range', bytes: new Uint8Array(RANGE_BYTES).fill(7) },
  { kind: 'done' },
  { kind: 'error', code: 'busy' },
  { kind: 'error', code: 'gone' },
  { kind: 'error', code: 'refused' },
  { kind: 'error', code: 'unknown_request' },
]

test('requests and answers survive the round trip within their limits', () => {
  for (const request of requests) {
    const bytes = encodeStateRequest(request)
    assert.ok(bytes.length <= MAX_REQUEST_BYTES)
    assert.deepEqual(decodeStateRequest(bytes), request)
  }
  for (const response of responses) {
    const bytes = encodeStateResponse(response)
    assert.ok(bytes.length <= MAX_RESPONSE_BYTES)
    assert.deepEqual(decodeStateResponse(bytes), response)
  }
})

test('chunks are whole ranges and never more than the limit, up to the largest body', () => {
  assert.equal(chunkBytes(1), RANGE_BYTES)
  assert.equal(chunkBytes(RANGE_BYTES * MAX_CHUNKS), RANGE_BYTES)
  assert.equal(chunkBytes(RANGE_BYTES * MAX_CHUNKS + 1), 2 * RANGE_BYTES)
  const largest = 8 * MAX_PARAMETERS + 1_000_000
  const offer = offerOf(largest)
  assert.ok(offer.chunks.length <= MAX_CHUNKS)
  const bytes = encodeStateResponse({ kind: 'offer', offer })
  assert.ok(bytes.length <= MAX_RESPONSE_BYTES)
  assert.deepEqual(decodeStateResponse(bytes), { kind: 'offer', offer })
})

test('an offer that contradicts itself is refused', () => {
  const good = offerOf(200_000)
  const bad: Offer[] = [
    { ...good, chunks: good.chunks.slice(1) },
    { ...good, chunks: [...good.chunks.slice(1), good.chunks[0]!] },
    { ...good, bodyBytes: good.bodyBytes + 1 },
    { ...good, bodyBytes: Number.MAX_SAFE_INTEGER },
    { ...good, body: sha256(Uint8Array.of(3)) },
  ]
  for (const offer of bad)
    assert.equal(refusal(() => decodeStateResponse(encodeStateResponse({ kind: 'offer', offer }))).code, 'bad_message')
})

test('ranges are between one byte and the limit', () => {
  for (const length of [0, RANGE_BYTES + 1]) {
    assert.equal(refusal(() => decodeStateRequest(encodeStateRequest({ kind: 'range', body, offset: 0, length }))).code, 'bad_message')
    assert.equal(refusal(() => decodeStateRequest(encodeStateRequest({ kind: 'manifest', offset: 0, length }))).code, 'bad_message')
  }
})

test('what a later version says gets an answer', () => {
  assert.equal(refusal(() => decodeStateRequest(Uint8Array.of(77, 1, 2))).code, 'unknown_request')
  assert.deepEqual(decodeStateResponse(Uint8Array.of(255, 200)), { kind: 'error', code: 'refused' })
  assert.equal(refusal(() => decodeStateResponse(Uint8Array.of(77))).code, 'bad_message')
})

test('messages over their limits and manifests over theirs are refused', () => {
  assert.equal(refusal(() => decodeStateRequest(new Uint8Array(MAX_REQUEST_BYTES + 1).fill(2))).code, 'bad_message')
  assert.equal(refusal(() => decodeStateResponse(new Uint8Array(MAX_RESPONSE_BYTES + 1).fill(3))).code, 'bad_message')
  const manifest = encodeStateResponse({ kind: 'manifest', totalBytes: MAX_MANIFEST_BYTES + 1, bytes: new Uint8Array(1) })
  assert.equal(refusal(() => decodeStateResponse(manifest)).code, 'bad_message')
})

test('any damage gives a message or a typed error', () => {
  for (const request of requests) survivesDamage(encodeStateRequest(request), decodeStateRequest)
  const small = responses.filter((response) => response.kind !== 'range')
  for (const response of small) survivesDamage(encodeStateResponse(response), decodeStateResponse)
  const kinds = fc.property(fc.constantFrom(0, 1, 2, 3, 4, 5, 255), fc.uint8Array({ maxLength: 200 }), (kind, rest) => {
    accepts(decodeStateRequest, Uint8Array.of(kind, ...rest))
    accepts(decodeStateResponse, Uint8Array.of(kind, ...rest))
  })
  fc.assert(kinds, { numRuns: 2000, seed: 7 })
})
