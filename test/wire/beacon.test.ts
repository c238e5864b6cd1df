import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Beacon } from '../../src/wire/beacon.ts'
import { decodeBeacon, encodeBeacon } from '../../src/wire/beacon.ts'
import { MAX_ADDRESS_CHARACTERS, MAX_BEACON_ADDRESSES, MAX_BEACON_BYTES, SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { refusal, survivesDamage } from '../support/refusal.ts'

const suffix = `/p2p/${examplePeerId(1)}`

const beacon: Beacon = {
  incarnation: 1_700_000_000,
  sequence: 12,
  epoch: 34,
  version: 2 ** 40 + 5,
  steps: 987_654,
  returnMean: 475.25,
  digest: Uint8Array.from({ length: 32 }, (_, i) => i),
  // Halves, so that they survive exactly.
  sketch: Float32Array.from({ length: SKETCH_BUCKETS }, (_, i) => (i - 128) / 128),
  holding: true,
  leaving: false,
  observing: false,
  addresses: [`/ip4/192.168.1.10/tcp/4001${suffix}`, `/ip6/fe80::1/tcp/4001${suffix}`],
}

test('a beacon survives the round trip', () => {
  assert.deepEqual(decodeBeacon(encodeBeacon(beacon)), beacon)
  const other: Beacon = { ...beacon, returnMean: null, holding: false, leaving: true, observing: true, addresses: [] }
  assert.deepEqual(decodeBeacon(encodeBeacon(other)), other)
  assert.equal(encodeBeacon(other).length, 605)
})

test('any beacon survives the round trip, its sketch within the precision of halves', () => {
  const counter = fc.maxSafeNat()
  const any = fc.record({
    incarnation: counter,
    sequence: counter,
    epoch: counter,
    version: counter,
    steps: counter,
    returnMean: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    sketch: fc.float32Array({ minLength: SKETCH_BUCKETS, maxLength: SKETCH_BUCKETS, noNaN: true, noDefaultInfinity: true }),
    holding: fc.boolean(),
    leaving: fc.boolean(),
    observing: fc.boolean(),
    addresses: fc.array(fc.stringMatching(/^[!-~]{1,20}$/), { maxLength: MAX_BEACON_ADDRESSES }),
  })
  const property = fc.property(any, (sent) => {
    const bytes = encodeBeacon(sent)
    assert.ok(bytes.length <= MAX_BEACON_BYTES)
    const { sketch, ...received } = decodeBeacon(bytes)
    const { sketch: exact, ...rest } = sent
    assert.deepEqual(received, rest)
    const largest = exact.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
    sketch.forEach((value, i) => {
      assert.ok(Math.abs(value - exact[i]!) <= Math.abs(exact[i]!) * 2 ** -10 + largest * 2 ** -24 + 1e-44)
    })
  })
  fc.assert(property, { numRuns: 100, seed: 5 })
})

test('ten addresses fit; what does not fit is left out from the end', () => {
  const many = Array.from({ length: 40 }, (_, i) => `/ip4/192.168.100.${100 + i}/tcp/40001${suffix}`)
  const bytes = encodeBeacon({ ...beacon, addresses: many })
  assert.ok(bytes.length <= MAX_BEACON_BYTES)
  const { addresses } = decodeBeacon(bytes)
  assert.ok(addresses.length >= 10, String(addresses.length))
  assert.deepEqual(addresses, many.slice(0, addresses.length))
  const long = [`/dns/${'x'.repeat(MAX_ADDRESS_CHARACTERS)}`, 'with space', '/ip4/1.2.3.4/tcp/5']
  assert.deepEqual(decodeBeacon(encodeBeacon({ ...beacon, addresses: long })).addresses, ['/ip4/1.2.3.4/tcp/5'])
  const twins = ['/ip4/1.2.3.4/tcp/5', '/ip4/1.2.3.4/tcp/5']
  assert.deepEqual(decodeBeacon(encodeBeacon({ ...beacon, addresses: twins })).addresses, twins)
})

test('a replica that is not finite still has a beacon', () => {
  assert.ok(
    decodeBeacon(encodeBeacon({ ...beacon, sketch: new Float32Array(SKETCH_BUCKETS).fill(Number.NaN) })).sketch.every(
      (value) => value === 0,
    ),
  )
})

test('another major version, a long message and impossible values are refused', () => {
  const bytes = encodeBeacon(beacon)
  const changed = (offset: number, ...values: number[]) => {
    const copy = bytes.slice()
    copy.set(values, offset)
    return copy
  }
  const { code, message } = refusal(() => decodeBeacon(changed(4, 2)))
  assert.deepEqual([code, message], ['protocol_version', 'A beacon speaks protocol 2.0, we speak 1.0.'])
  const cases = [
    new Uint8Array(MAX_BEACON_BYTES + 1),
    changed(0, 0x48),
    changed(6, 16),
    changed(7, MAX_BEACON_ADDRESSES + 1),
    changed(14, 0x20), // incarnation 2^53
    changed(48, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f), // mean return infinite
    changed(88, 0, 0, 0xc0, 0x7f), // scale NaN
    changed(88, 0, 0, 0x80, 0xbf), // scale -1
    changed(92, 0x01, 0x3c), // sketch value over 1
    changed(92, 0x00, 0x7e), // sketch value NaN
    Buffer.concat([bytes, Uint8Array.of(0)]),
  ]
  for (const [i, forgery] of cases.entries()) assert.equal(refusal(() => decodeBeacon(forgery)).code, 'bad_beacon', `case ${i}`)
})

test('any damage gives a beacon or a typed error', () => {
  survivesDamage(encodeBeacon(beacon), decodeBeacon)
})
