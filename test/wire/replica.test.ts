import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parameterDigest } from '../../src/util/sha256.ts'
import { decodeReplica, encodeReplica } from '../../src/wire/replica.ts'
import { accepts, refusal, survivesDamage } from '../support/refusal.ts'

const replica = { parameters: Float32Array.of(1, -0, 3e38), target: Float32Array.of(4, 5, 6), version: 2 ** 40, steps: 12, normalisers: [] }
const normalised = { ...replica, normalisers: [{ count: 3, mean: Float64Array.of(1), m2: Float64Array.of(2) }] }

test('a replica survives the round trip, bit for bit', () => {
  assert.deepEqual(decodeReplica(encodeReplica(normalised), 3), normalised)
  const bare = { ...replica, target: null }
  const back = decodeReplica(encodeReplica(bare), 3)
  assert.deepEqual(back, bare)
  assert.deepEqual(parameterDigest(back.parameters), parameterDigest(replica.parameters))
  assert.equal(encodeReplica(bare).length, 32 + 12 + 1)
})

test('another size of model is refused before anything is allocated', () => {
  const bytes = encodeReplica(replica)
  for (const count of [0, 2, 4, 2 ** 26]) assert.match(refusal(() => decodeReplica(bytes, count)).message, /3 parameters where/)
  const claim = bytes.slice(0, 32)
  new DataView(claim.buffer).setUint32(8, 2 ** 26, true)
  assert.equal(refusal(() => decodeReplica(claim, 2 ** 26)).code, 'bad_replica')
})

test('parameters that are not finite are refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(
      refusal(() => decodeReplica(encodeReplica({ ...replica, parameters: Float32Array.of(1, value, 2) }), 3)).code,
      'bad_replica',
    )
    assert.equal(refusal(() => decodeReplica(encodeReplica({ ...replica, target: Float32Array.of(1, value, 2) }), 3)).code, 'bad_replica')
  }
})

test('any replica survives the round trip, and any damage gives one or a typed error', () => {
  const vector = fc.float32Array({ minLength: 4, maxLength: 4, noNaN: true, noDefaultInfinity: true })
  const any = fc.record({
    parameters: vector,
    target: fc.option(vector),
    version: fc.maxSafeNat(),
    steps: fc.maxSafeNat(),
    normalisers: fc.constant([]),
  })
  fc.assert(
    fc.property(any, (sent) => assert.deepEqual(decodeReplica(encodeReplica(sent), 4), { ...sent })),
    { numRuns: 200, seed: 8 },
  )
  const bytes = encodeReplica(normalised)
  const decode = (input: Uint8Array) => decodeReplica(input, 3)
  survivesDamage(bytes, decode)
  for (let length = 0; length < bytes.length; length++) assert.ok(!accepts(decode, bytes.subarray(0, length)))
})
