/**
 * Messages of /grapevine/exchange/1: how two peers swap parameter frames and both apply half the difference, or neither does. One answer per
 * request of at most MAX_RESPONSE_BYTES; frames larger than one message are pulled in ranges of up to EXCHANGE_RANGE_BYTES by the side that
 * wants them.
 *
 * 1. `open` offers the initiator's frame, its first range with it; `accept` the responder's.   2. Each side pulls the rest (`range`).
 * 3. `commit` with the initiator's clip factor; `done` with the factor that counts, once the responder has applied its half.
 * `outcome` asks what became of an exchange whose `done` was lost, and ends it where nothing was committed; `settled` lets the responder forget
 * outcomes; `abort` ends an exchange that was not committed. `push` carries one message of push-sum: `done` says that it was taken.
 * `wait`: not yet, ask the same again. Every request may be answered by `error`.
 *
 * An exchange is named by its initiator's incarnation and a number that the initiator never uses twice in it; the connection says who the
 * initiator is. First byte: the kind; then fields, little-endian, in the order of the types below.
 */
import { GrapevineError } from '../util/errors.ts'
import { Reader, Writer } from './binary.ts'
import {
  EXCHANGE_RANGE_BYTES,
  MAX_EXCHANGE_RESPONSE_BYTES,
  MAX_FRAME_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_SETTLED,
  MAX_SETTLED_WITH_OPEN,
  RANGE_BYTES,
} from './limits.ts'

export interface ExchangeId {
  readonly incarnation: number
  readonly number: number
}

export type ExchangeRequest =
  | {
      readonly kind: 'open'
      readonly id: ExchangeId
      /** Chooses the coordinates that both frames carry, where not all travel. */
      readonly draw: number
      /** The partner rule brings the two together in the round `draw`: hold this until the responder has come to it. */
      readonly patient: boolean
      readonly frameBytes: number
      /** The frame's first range. */
      readonly head: Uint8Array
      /** Earlier exchanges whose outcome the responder need not keep. */
      readonly settled: readonly ExchangeId[]
    }
  | { readonly kind: 'range'; readonly id: ExchangeId; readonly offset: number; readonly length: number }
  | { readonly kind: 'commit'; readonly id: ExchangeId; readonly factor: number }
  | { readonly kind: 'outcome'; readonly id: ExchangeId }
  | { readonly kind: 'settled'; readonly settled: readonly ExchangeId[] }
  | { readonly kind: 'abort'; readonly id: ExchangeId }
  | {
      readonly kind: 'push'
      readonly id: ExchangeId
      readonly weight: number
      readonly frameBytes: number
      readonly head: Uint8Array
    }

/**
 * busy: in an exchange already; gone: not known here, and if the incarnation is the one that accepted it, never applied; forgotten: perhaps
 * applied, no longer known; refused: not for you, not valid or out of range; unknown_request: newer than the responder.
 */
export type ExchangeRefusal = 'busy' | 'gone' | 'forgotten' | 'refused' | 'unknown_request'

export type ExchangeResponse =
  | { readonly kind: 'accept'; readonly frameBytes: number; readonly head: Uint8Array }
  | { readonly kind: 'range'; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly factor: number }
  | { readonly kind: 'ok' }
  | { readonly kind: 'wait' }
  /** `incarnation` of the responder. */
  | { readonly kind: 'error'; readonly code: ExchangeRefusal; readonly incarnation: number }

const OPEN = 1
const RANGE = 2
const COMMIT = 3
const OUTCOME = 4
const SETTLED = 5
const ABORT = 6
const PUSH = 7
const WAIT = 254
const ERROR = 255

const REFUSALS: readonly ExchangeRefusal[] = ['busy', 'gone', 'forgotten', 'refused', 'unknown_request']

const ID_BYTES = 16

export function encodeExchangeRequest(request: ExchangeRequest): Uint8Array {
  switch (request.kind) {
    case 'open': {
      const writer = started(OPEN, 2 * ID_BYTES + 2 + ID_BYTES * request.settled.length + request.head.length)
      writeId(writer, request.id)
      writer.u53(request.draw)
      writer.u53(request.frameBytes)
      writer.u8(request.patient ? 1 : 0)
      writer.u8(request.settled.length)
      for (const id of request.settled) writeId(writer, id)
      writer.set(request.head)
      return writer.bytes
    }
    case 'range': {
      const writer = started(RANGE, ID_BYTES + 12)
      writeId(writer, request.id)
      writer.u53(request.offset)
      writer.u32(request.length)
      return writer.bytes
    }
    case 'commit': {
      const writer = started(COMMIT, ID_BYTES + 8)
      writeId(writer, request.id)
      writer.f64(request.factor)
      return writer.bytes
    }
    case 'settled': {
      const writer = started(SETTLED, 4 + ID_BYTES * request.settled.length)
      writer.u32(request.settled.length)
      for (const id of request.settled) writeId(writer, id)
      return writer.bytes
    }
    case 'push': {
      const writer = started(PUSH, ID_BYTES + 16 + request.head.length)
      writeId(writer, request.id)
      writer.f64(request.weight)
      writer.u53(request.frameBytes)
      writer.set(request.head)
      return writer.bytes
    }
    case 'outcome':
    case 'abort': {
      const writer = started(request.kind === 'outcome' ? OUTCOME : ABORT, ID_BYTES)
      writeId(writer, request.id)
      return writer.bytes
    }
  }
}

/** Throws `unknown_request` for a kind of a later version, else `bad_message` (fault peer). A head is all of a frame of at most RANGE_BYTES, else its first RANGE_BYTES. */
export function decodeExchangeRequest(bytes: Uint8Array): ExchangeRequest {
  if (bytes.length > MAX_RESPONSE_BYTES) throw badMessage(`a request of ${bytes.length} bytes is over the limit of ${MAX_RESPONSE_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const kind = reader.u8()
  const request = readRequest(kind, reader)
  if (request === null) {
    throw new GrapevineError('unknown_request', 'peer', `A peer asked for something this version does not know (kind ${kind}).`)
  }
  reader.end()
  return request
}

function readRequest(kind: number, reader: Reader): ExchangeRequest | null {
  switch (kind) {
    case OPEN: {
      const id = readId(reader)
      const draw = reader.u53()
      const frameBytes = reader.u53()
      const patience = reader.u8()
      if (patience > 1) throw badMessage(`it is patient to a degree of ${patience}`)
      const settled = readIds(reader, reader.u8(), MAX_SETTLED_WITH_OPEN)
      return { kind: 'open', id, draw, patient: patience === 1, frameBytes, head: readHead(reader, frameBytes), settled }
    }
    case RANGE: {
      const id = readId(reader)
      const offset = reader.u53()
      const length = reader.u32()
      if (length < 1 || length > EXCHANGE_RANGE_BYTES)
        throw badMessage(`a range of ${length} bytes is not between 1 and ${EXCHANGE_RANGE_BYTES}`)
      return { kind: 'range', id, offset, length }
    }
    case COMMIT:
      return { kind: 'commit', id: readId(reader), factor: readFactor(reader) }
    case OUTCOME:
      return { kind: 'outcome', id: readId(reader) }
    case SETTLED:
      return { kind: 'settled', settled: readIds(reader, reader.u32(), MAX_SETTLED) }
    case ABORT:
      return { kind: 'abort', id: readId(reader) }
    case PUSH: {
      const id = readId(reader)
      const weight = reader.f64()
      if (!(weight > 0 && Number.isFinite(weight))) throw badMessage('a weight is not a positive number')
      const frameBytes = reader.u53()
      return { kind: 'push', id, weight, frameBytes, head: readHead(reader, frameBytes) }
    }
    default:
      return null
  }
}

export function encodeExchangeResponse(response: ExchangeResponse): Uint8Array {
  switch (response.kind) {
    case 'accept': {
      const writer = started(OPEN, 8 + response.head.length)
      writer.u53(response.frameBytes)
      writer.set(response.head)
      return writer.bytes
    }
    case 'range': {
      const writer = started(RANGE, response.bytes.length)
      writer.set(response.bytes)
      return writer.bytes
    }
    case 'done': {
      const writer = started(COMMIT, 8)
      writer.f64(response.factor)
      return writer.bytes
    }
    case 'ok':
      return started(SETTLED, 0).bytes
    case 'wait':
      return started(WAIT, 0).bytes
    case 'error': {
      const writer = started(ERROR, 9)
      writer.u8(REFUSALS.indexOf(response.code))
      writer.u53(response.incarnation)
      return writer.bytes
    }
  }
}

/** The same as parts, of which the bytes of a range are one, uncopied. */
export function exchangeResponseParts(response: ExchangeResponse): readonly Uint8Array[] {
  return response.kind === 'range' ? [Uint8Array.of(RANGE), response.bytes] : [encodeExchangeResponse(response)]
}

/** Bytes of an answer before the bytes of a range. */
export const RANGE_HEAD_BYTES = 1

/** Throws `bad_message` (fault peer). Bytes in it are views. */
export function decodeExchangeResponse(bytes: Uint8Array): ExchangeResponse {
  if (bytes.length > MAX_EXCHANGE_RESPONSE_BYTES)
    throw badMessage(`an answer of ${bytes.length} bytes is over the limit of ${MAX_EXCHANGE_RESPONSE_BYTES}`)
  const reader = new Reader(bytes, badMessage)
  const response = readResponse(reader.u8(), reader)
  reader.end()
  return response
}

function readResponse(kind: number, reader: Reader): ExchangeResponse {
  switch (kind) {
    case OPEN: {
      const frameBytes = reader.u53()
      return { kind: 'accept', frameBytes, head: readHead(reader, frameBytes) }
    }
    case RANGE:
      return { kind: 'range', bytes: reader.bytes(reader.remaining) }
    case COMMIT:
      return { kind: 'done', factor: readFactor(reader) }
    case SETTLED:
      return { kind: 'ok' }
    case WAIT:
      return { kind: 'wait' }
    case ERROR: {
      // A code of a later version: whatever it means, the answer is no.
      const code = REFUSALS[reader.u8()] ?? 'refused'
      return { kind: 'error', code, incarnation: reader.u53() }
    }
    default:
      throw badMessage(`an answer of kind ${kind} is not known here`)
  }
}

function started(kind: number, bytes: number): Writer {
  const writer = new Writer(1 + bytes)
  writer.u8(kind)
  return writer
}

function writeId(writer: Writer, id: ExchangeId): void {
  writer.u53(id.incarnation)
  writer.u53(id.number)
}

function readId(reader: Reader): ExchangeId {
  return { incarnation: reader.u53(), number: reader.u53() }
}

function readIds(reader: Reader, length: number, most: number): readonly ExchangeId[] {
  if (length > most || length * ID_BYTES > reader.remaining) throw badMessage(`it names ${length} exchanges`)
  return Array.from({ length }, () => readId(reader))
}

function readFactor(reader: Reader): number {
  const factor = reader.f64()
  if (!(factor >= 0 && factor <= 1)) throw badMessage('a factor is not between 0 and 1')
  return factor
}

/** What remains: a view. */
function readHead(reader: Reader, frameBytes: number): Uint8Array {
  if (frameBytes > MAX_FRAME_BYTES) throw badMessage(`a frame of ${frameBytes} bytes is over the limit of ${MAX_FRAME_BYTES}`)
  const expected = Math.min(frameBytes, RANGE_BYTES)
  if (reader.remaining !== expected) throw badMessage(`it brings ${reader.remaining} bytes of a frame where ${expected} belong`)
  return reader.bytes(expected)
}

function badMessage(problem: string): GrapevineError {
  return new GrapevineError('bad_message', 'peer', `A message about an exchange was refused: ${problem}.`)
}
