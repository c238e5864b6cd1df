import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { GrapevineError } from '../../src/util/errors.ts'
import {
  decodeExchangeRequest,
  decodeExchangeResponse,
  type ExchangeRequest,
  type ExchangeResponse,
  encodeExchangeRequest,
  encodeExchangeResponse,
} from '../../src/wire/exchange.ts'
import {
  EXCHANGE_RANGE_BYTES,
  MAX_EXCHANGE_RESPONSE_BYTES,
  MAX_FRAME_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_SETTLED,
  MAX_SETTLED_WITH_OPEN,
  RANGE_BYTES,
} from '../../src/wire/limits.ts'

const u53 = fc.maxSafeNat()
const id = fc.record({ incarnation: u53, number: u53 }, { noNullPrototype: true })
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })
const factor = fc.double({ min: 0, max: 1, noNaN: true })
const weight = fc.double({ min: 1e-9, max: 1e9, noNaN: true })
/** A small frame travels whole, a large one brings its first range. */
const framed = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((head) => ({ frameBytes: head.length, head })),
  fc.integer({ min: RANGE_BYTES, max: MAX_FRAME_BYTES }).map((frameBytes) => ({ frameBytes, head: new Uint8Array(RANGE_BYTES).fill(7) })),
)
const requests: fc.Arbitrary<ExchangeRequest> = fc.oneof(
  fc
    .tuple(framed, id, u53, fc.boolean(), fc.array(id, { maxLength: MAX_SETTLED_WITH_OPEN }))
    .map(([frame, name, draw, patient, settled]) => ({ kind: 'open' as const, id: name, draw, patient, ...frame, settled })),
  plain({ kind: fc.constant('range' as const), id, offset: u53, length: fc.integer({ min: 1, max: EXCHANGE_RANGE_BYTES }) }),
  plain({ kind: fc.constant('commit' as const), id, factor }),
  plain({ kind: fc.constantFrom('outcome' as const, 'abort' as const), id }),
  plain({ kind: fc.constant('settled' as const), settled: fc.array(id, { maxLength: MAX_SETTLED }) }),
  fc.tuple(framed, id, weight).map(([frame, name, w]) => ({ kind: 'push' as const, id: name, weight: w, ...frame })),
)
const responses: fc.Arbitrary<ExchangeResponse> = fc.oneof(
  framed.map((frame) => ({ kind: 'accept' as const, ...frame })),
  plain({ kind: fc.constant('range' as const), bytes: fc.uint8Array({ maxLength: 500 }) }),
  plain({ kind: fc.constant('done' as const), factor }),
  plain({ kind: fc.constantFrom('ok' as const, 'wait' as const) }),
  plain({
    kind: fc.constant('error' as const),
    code: fc.constantFrom('busy' as const, 'gone' as const, 'forgotten' as const, 'refused' as const, 'unknown_request' as const),
    incarnation: u53,
  }),
)

describe('messages of an exchange', () => {
  test('what was written is read again, within the limit of a message', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const bytes = encodeExchangeRequest(request)
        assert.ok(bytes.length <= MAX_RESPONSE_BYTES)
        assert.deepEqual(decodeExchangeRequest(bytes), request)
      }),
    )
    fc.assert(
      fc.property(responses, (response) => {
        const bytes = encodeExchangeResponse(response)
        assert.ok(bytes.length <= MAX_RESPONSE_BYTES)
        assert.deepEqual(decodeExchangeResponse(bytes), response)
      }),
    )
  })

  test('a commit byte by byte', () => {
    const bytes = encodeExchangeRequest({ kind: 'commit', id: { incarnation: 258, number: 3 }, factor: 0.5 })
    assert.deepEqual([...bytes], [3, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f])
  })

  test('every shorter message, and every longer one, is refused', () => {
    fc.assert(
      fc.property(requests, fc.nat(), (request, cut) => {
        const bytes = encodeExchangeRequest(request)
        assert.throws(() => decodeExchangeRequest(bytes.subarray(0, cut % bytes.length)), { code: 'bad_message' })
        if (bytes.length < MAX_RESPONSE_BYTES)
          assert.throws(() => decodeExchangeRequest(Buffer.concat([bytes, Uint8Array.of(0)])), { code: 'bad_message' })
      }),
    )
  })

  test('any bytes are a message or a typed error, and nothing is allocated for what they claim', () => {
    for (const decode of [decodeExchangeRequest, decodeExchangeResponse]) {
      fc.assert(
        fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 100 }), (kind, rest) => {
          try {
            decode(Uint8Array.of(kind % 9, ...rest))
            decode(Uint8Array.of(kind, ...rest))
          } catch (error) {
            assert.ok(error instanceof GrapevineError && ['bad_message', 'unknown_request'].includes(error.code), String(error))
          }
        }),
      )
    }
  })

  test('lies about lengths', () => {
    const open = encodeExchangeRequest({
      kind: 'open',
      id: { incarnation: 1, number: 1 },
      draw: 0,
      patient: false,
      frameBytes: 10,
      head: new Uint8Array(10),
      settled: [],
    })
    const lying = (at: number, value: number) => {
      const bytes = open.slice()
      bytes[at] = value
      return () => decodeExchangeRequest(bytes)
    }
    // The frame's length, its highest byte, patience, and the number of exchanges settled.
    for (const lie of [lying(25, 11), lying(25, 9), lying(31, 1), lying(33, 2), lying(34, 1), lying(34, 255)])
      assert.throws(lie, { code: 'bad_message' })
    assert.throws(() => decodeExchangeRequest(new Uint8Array(MAX_RESPONSE_BYTES + 1)), { code: 'bad_message' })
    assert.throws(() => decodeExchangeResponse(new Uint8Array(MAX_EXCHANGE_RESPONSE_BYTES + 1).fill(2)), { code: 'bad_message' })
    assert.throws(() => decodeExchangeRequest(Uint8Array.of(99)), { code: 'unknown_request' })
  })

  test('factors and weights that are none', () => {
    const commit = (value: number) => encodeExchangeRequest({ kind: 'commit', id: { incarnation: 1, number: 1 }, factor: value })
    for (const value of [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => decodeExchangeRequest(commit(value)), { code: 'bad_message' })
      assert.throws(() => decodeExchangeResponse(encodeExchangeResponse({ kind: 'done', factor: value })), { code: 'bad_message' })
    }
    const push = (value: number) =>
      encodeExchangeRequest({
        kind: 'push',
        id: { incarnation: 1, number: 1 },
        weight: value,
        frameBytes: 0,
        head: new Uint8Array(0),
      })
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => decodeExchangeRequest(push(value)), { code: 'bad_message' })
    }
  })
})
