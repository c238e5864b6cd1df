/**
 * Messages of /grapevine/state/1: how a joiner gets the manifest and one donor's frozen snapshot. One answer per request, each at most
 * MAX_RESPONSE_BYTES; the joiner pulls bodies in ranges.
 *
 * 1. `manifest` until the ranges make up `totalBytes`.   2. `snapshot`: the donor freezes a copy and offers it, digests first.
 * 3. `range` until the body is complete, each chunk checked against its digest as soon as it is.   4. `done`: the donor may let go.
 * Every request may be answered by `error`. A body is named by the digest of its length and its chunk digests, so that an offer that
 * contradicts itself is refused and ranges may come from whoever holds the same body.
 *
 * First byte: the kind; then fields, little-endian, in the order of the types below.
 */
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { SHA256_BYTES, sha256 } from '../util/sha256.ts'
import { Reader, Writer } from './binary.ts'
import { MAX_CHUNKS, MAX_MANIFEST_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, RANGE_BYTES } from './limits.ts'

export type StateRequest =
  | { readonly kind: 'manifest'; readonly offset: number; readonly length: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'range'; readonly body: Uint8Array; readonly offset: number; readonly length: number }
  | { readonly kind: 'done'; readonly body: Uint8Array }

/** busy: ask again later; gone: that body is no longer held; refused: not for you, or out of range; unknown_request: newer than the donor. */
export type StateRefusal = 'busy' | 'gone' | 'refused' | 'unknown_request'

export interface Offer {
  /** `bodyDigest` of what follows. */
  readonly body: Uint8Array
  readonly bodyBytes: number
  /** Each of `chunkBytes(bodyBytes)` bytes but the last. */
  readonly chunks: readonly Uint8Array[]
  /** SHA-256 of the parameters in the body. */
  readonly parameterDigest: Uint8Array
  readonly version: number
  readonly steps: number
  readonly epoch: number
  readonly sequence: number
}

export type StateResponse =
  | { readonly kind: 'manifest'; readonly totalBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: 'offer'; readonly offer: Offer }
  | { readonly kind: 'range'; readonly bytes: Uint8Array }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly code: StateRefusal }

const MANIFEST = 1
const SNAPSHOT = 2
const RANGE = 3
const DONE = 4
const ERROR = 255

const REFUSALS: readonly StateRefusal[] = ['busy', 'gone', 'refused', 'unknown_request']

/** Bytes of one chunk of a body: whole ranges, as many as keep the number of chunks within MAX_CHUNKS. */
export function chunkBytes(bodyBytes: number): number {
  return RANGE_BYTES * Math.max(1, Math.ceil(bodyBytes / (RANGE_BYTES * MAX_CHUNKS)))
}

/** The name of a body: SHA-256 over its length (8 bytes) and the digests of its chunks. */
export function bodyDigest(bodyBytes: number, chunks: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer(8 + chunks.length * SHA256_BYTES)
  writer.u53(bodyBytes)
  for (const chunk of chunks) writer.set(chunk)
  return sha256(writer.bytes)
}

export function encodeStateRequest(request: StateRequest): Uint8Array {
  const writer = new Writer({ manifest: 9, snapshot: 1, range: 13 + SHA256_BYTES, done: 1 + SHA256_BYTES }[request.kind])
  if (request.kind === 'manifest') {
    writer.u8(MANIFEST)
    writer.u32(request.offset)
    writer.u32(request.length)
  } else if (request.kind === 'snapshot') {
    writer.u8(SNAPSHOT)
  } else if (request.kind === 'range') {
    writer.u8(RANGE)
    writer.set(request.body)
    writer.u53(request.offset)
    writer.u32(request.length)
  } else {
    writer.u8(DONE)
    writer.set(request.body)
  }
  return writer.bytes
}

/** Throws `unknown_request` for a kind of a later version, else `bad_message` (fault peer). Lengths are in [1, RANGE_BYTES]. */
export function decodeStateRequest(bytes: Uint8Array): StateRequest {
  if (bytes.length > MAX_REQUEST_BYTES) throw badMessage(`a request of ${bytes.length} bytes is over the limit of ${MAX_REQUEST_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const kind = reader.u8()
  const request = readRequest(kind, reader)
  if (request === null) {
    throw new GrapevineError('unknown_request', 'peer', `A peer asked for something this version does not know (kind ${kind}).`)
  }
  if ('length' in request && (request.length < 1 || request.length > RANGE_BYTES)) {
    throw badMessage(`a range of ${request.length} bytes is not between 1 and ${RANGE_BYTES}`)
  }
  reader.end()
  return request
}

function readRequest(kind: number, reader: Reader): StateRequest | null {
  if (kind === MANIFEST) return { kind: 'manifest', offset: reader.u32(), length: reader.u32() }
  if (kind === SNAPSHOT) return { kind: 'snapshot' }
  if (kind === RANGE) return { kind: 'range', body: reader.bytes(SHA256_BYTES).slice(), offset: reader.u53(), length: reader.u32() }
  if (kind === DONE) return { kind: 'done', body: reader.bytes(SHA256_BYTES).slice() }
  return null
}

export function encodeStateResponse(response: StateResponse): Uint8Array {
  const writer = new Writer(responseBytes(response))
  if (response.kind === 'manifest') {
    writer.u8(MANIFEST)
    writer.u32(response.totalBytes)
    writer.set(response.bytes)
  } else if (response.kind === 'offer') {
    writer.u8(SNAPSHOT)
    writeOffer(writer, response.offer)
  } else if (response.kind === 'range') {
    writer.u8(RANGE)
    writer.set(response.bytes)
  } else if (response.kind === 'done') {
    writer.u8(DONE)
  } else {
    writer.u8(ERROR)
    writer.u8(REFUSALS.indexOf(response.code))
  }
  return writer.bytes
}

function responseBytes(response: StateResponse): number {
  if (response.kind === 'manifest') return 5 + response.bytes.length
  if (response.kind === 'offer') return 1 + OFFER_BYTES + response.offer.chunks.length * SHA256_BYTES
  if (response.kind === 'range') return 1 + response.bytes.length
  return response.kind === 'done' ? 1 : 2
}

/** Throws `bad_message` (fault peer), also for an offer whose digests are not those of its body. */
export function decodeStateResponse(bytes: Uint8Array): StateResponse {
  if (bytes.length > MAX_RESPONSE_BYTES) throw badMessage(`an answer of ${bytes.length} bytes is over the limit of ${MAX_RESPONSE_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const kind = reader.u8()
  const response = readResponse(kind, reader)
  if (response === null) throw badMessage(`an answer of kind ${kind} is not known here`)
  reader.end()
  return response
}

function readResponse(kind: number, reader: Reader): StateResponse | null {
  if (kind === MANIFEST) {
    const totalBytes = reader.u32()
    if (totalBytes > MAX_MANIFEST_BYTES) throw badMessage(`a manifest of ${totalBytes} bytes is over the limit of ${MAX_MANIFEST_BYTES}`)
    return { kind: 'manifest', totalBytes, bytes: reader.bytes(reader.remaining).slice() }
  }
  if (kind === SNAPSHOT) return { kind: 'offer', offer: readOffer(reader) }
  if (kind === RANGE) return { kind: 'range', bytes: reader.bytes(reader.remaining).slice() }
  if (kind === DONE) return { kind: 'done' }
  if (kind !== ERROR) return null
  const code = REFUSALS[reader.u8()]
  // A code of a later version: whatever it means, the answer is no.
  return { kind: 'error', code: code ?? 'refused' }
}

const OFFER_BYTES = 6 * 8 + 2 * SHA256_BYTES - 4

function writeOffer(writer: Writer, offer: Offer): void {
  writer.set(offer.body)
  writer.u53(offer.bodyBytes)
  writer.set(offer.parameterDigest)
  for (const value of [offer.version, offer.steps, offer.epoch, offer.sequence]) writer.u53(value)
  writer.u32(offer.chunks.length)
  for (const chunk of offer.chunks) writer.set(chunk)
}

function readOffer(reader: Reader): Offer {
  const body = reader.bytes(SHA256_BYTES).slice()
  const bodyBytes = reader.u53()
  const parameterDigest = reader.bytes(SHA256_BYTES).slice()
  const version = reader.u53()
  const steps = reader.u53()
  const epoch = reader.u53()
  const sequence = reader.u53()
  const length = reader.u32()
  if (length > MAX_CHUNKS || length !== Math.ceil(bodyBytes / chunkBytes(bodyBytes))) {
    throw badMessage(`an offer has ${length} chunks for a body of ${bodyBytes} bytes`)
  }
  if (length * SHA256_BYTES > reader.remaining) throw badMessage('an offer ends within its chunk digests')
  const chunks = Array.from({ length }, () => reader.bytes(SHA256_BYTES).slice())
  if (!equalBytes(bodyDigest(bodyBytes, chunks), body)) throw badMessage('the digests of an offer contradict each other')
  return { body, bodyBytes, chunks, parameterDigest, version, steps, epoch, sequence }
}

function badMessage(problem: string): GrapevineError {
  return new GrapevineError('bad_message', 'peer', `A message about the run's state was refused: ${problem}.`)
}
