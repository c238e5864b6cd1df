import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'cborg'
import fc from 'fast-check'
import { MAX_MANIFEST_DEPTH, MAX_MANIFEST_TEXT } from '../../src/wire/limits.ts'
import type { Manifest } from '../../src/wire/manifest.ts'
import { decodeManifest, encodeManifest, runId } from '../../src/wire/manifest.ts'
import { EXAMPLE_MANIFEST } from '../support/manifest.ts'
import { accepts, refusal, survivesDamage } from '../support/refusal.ts'

const bytes = encodeManifest(EXAMPLE_MANIFEST)

/** The bytes of the example with some top-level fields replaced, unchecked. */
function forged(changes: Record<string, unknown>): Uint8Array {
  return encode({ ...EXAMPLE_MANIFEST, ...changes })
}

test('a manifest survives the round trip, and its encoding does not depend on the order of keys', () => {
  assert.deepEqual(decodeManifest(bytes), EXAMPLE_MANIFEST)
  const shuffled = Object.fromEntries(Object.entries(EXAMPLE_MANIFEST).reverse()) as unknown as Manifest
  assert.deepEqual(encodeManifest(shuffled), bytes)
  assert.match(runId(bytes), /^[0-9a-f]{64}$/)
  assert.notEqual(runId(bytes), runId(encodeManifest({ ...EXAMPLE_MANIFEST, seed: 8 })))
})

test('the run id of the example never changes: peers of older builds compute it too', () => {
  assert.equal(runId(bytes), 'c5377a60e2eb41e38739402a9f27bfb14e62f98db4b810a5f1fd4c33bcdcea0c')
})

test('what may be absent survives the round trip, and nothing stands for it', () => {
  const averaging = {
    ...EXAMPLE_MANIFEST.averaging,
    periodTarget: 0.15,
    rate: { rule: 'sqrt' as const, from: 4, cap: 2 },
    outer: { learningRate: 0.7, momentum: 0.5 },
  }
  assert.deepEqual(decodeManifest(encodeManifest({ ...EXAMPLE_MANIFEST, averaging })).averaging, averaging)
  assert.ok(!('outer' in decodeManifest(bytes).averaging))
  const experience = { share: 0.125 }
  assert.deepEqual(decodeManifest(encodeManifest({ ...EXAMPLE_MANIFEST, experience })).experience, experience)
  assert.ok(!('experience' in decodeManifest(bytes)))
  assert.equal(refusal(() => decodeManifest(forged({ experience: { share: 0 } }))).data.field, 'experience.share')
  const wrong = { ...averaging, outer: { learningRate: 0, momentum: 1 } }
  assert.equal(refusal(() => decodeManifest(forged({ averaging: wrong }))).code, 'bad_manifest')
  for (const rate of [
    { rule: 'sqrt', from: 0, cap: 2 },
    { rule: 'sqrt', from: 1, cap: 1e9 },
    { rule: 'cubic', from: 1, cap: 2 },
  ]) {
    assert.equal(refusal(() => decodeManifest(forged({ averaging: { ...averaging, rate } }))).code, 'bad_manifest')
  }
})

test('a field that is missing, unknown or of the wrong type is named', () => {
  const { seed: _, ...withoutSeed } = EXAMPLE_MANIFEST
  const cases: [Uint8Array, string][] = [
    [encode(withoutSeed), 'seed'],
    [forged({ colour: 'red' }), 'colour'],
    [forged({ seed: '7' }), 'seed'],
    [forged({ averaging: { ...EXAMPLE_MANIFEST.averaging, period: 0 } }), 'averaging.period'],
    [forged({ averaging: { ...EXAMPLE_MANIFEST.averaging, extra: 0 } }), 'averaging.extra'],
    [
      forged({ network: { ...EXAMPLE_MANIFEST.network, torso: [{ kind: 'dense', units: 1.5, activation: 'tanh' }] } }),
      'network.torso.0.units',
    ],
    [forged({ nonce: 'ab' }), 'nonce'],
    [forged({ name: 'bell\u0007' }), 'name'],
    [forged({ name: 'x'.repeat(MAX_MANIFEST_TEXT + 1) }), 'name'],
    [encode([1, 2]), ''],
  ]
  for (const [forgery, field] of cases) {
    const error = refusal(() => decodeManifest(forgery))
    assert.equal(error.code, 'bad_manifest')
    assert.equal(error.fault, 'peer')
    assert.equal(error.data.field, field)
    assert.ok(error.message.includes(field))
  }
  const { fault, message } = refusal(() => encodeManifest({ ...EXAMPLE_MANIFEST, seed: -1 }))
  assert.equal(fault, 'local')
  assert.match(message, /^The manifest's field seed cannot be used: .+; change that setting\.$/)
})

test('another major version is told as such, whatever else its manifest holds', () => {
  const error = refusal(() => decodeManifest(forged({ protocol: [2, 1], novelty: true })))
  assert.equal(error.code, 'protocol_version')
  assert.equal(error.message, 'This run speaks protocol 2.1 there, 1.0 here: install the version of Grapevine that the swarm runs.')
  assert.deepEqual(decodeManifest(forged({ protocol: [1, 9] })).protocol, [1, 9])
})

test('depth is refused at limit + 1 and accepted at the limit', () => {
  /** Options are at depth 3; `levels` more below them. */
  const nested = (levels: number) => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = [value]
    return forged({ environment: { id: 'x', version: '1', options: { value } } })
  }
  decodeManifest(nested(MAX_MANIFEST_DEPTH - 3))
  assert.match(refusal(() => decodeManifest(nested(MAX_MANIFEST_DEPTH - 2))).message, /deeper than 8/)
  assert.match(refusal(() => decodeManifest(new Uint8Array(60_000).fill(0x81))).message, /deeper than 8/)
})

test('other encodings of the same values are refused', () => {
  const start = bytes.indexOf(0x64) // the key "name" or "seed": keys of four letters come first
  assert.equal(start, 1)
  const longer = Uint8Array.of(bytes[0]!, 0x78, 0x04, ...bytes.subarray(2))
  assert.equal(refusal(() => decodeManifest(longer)).code, 'bad_manifest')
  const indefinite = Uint8Array.of(0xbf, ...bytes.subarray(1), 0xff)
  assert.equal(refusal(() => decodeManifest(indefinite)).code, 'bad_manifest')
  assert.equal(refusal(() => decodeManifest(Uint8Array.of(...bytes, 0))).code, 'bad_manifest')
  assert.equal(refusal(() => decodeManifest(Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 1))).code, 'bad_manifest')
  const tagged = Uint8Array.of(0xc1, ...bytes)
  assert.equal(refusal(() => decodeManifest(tagged)).code, 'bad_manifest')
})

test('reserved keys, infinite numbers and huge integers are refused', () => {
  const options = (value: unknown) => forged({ environment: { id: 'x', version: '1', options: { value } } })
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2n ** 60n, undefined, new Uint8Array(2)]) {
    assert.equal(refusal(() => decodeManifest(options(value))).code, 'bad_manifest')
  }
  const poisoned = JSON.parse('{"__proto__": {"polluted": 1}}') as Record<string, unknown>
  assert.equal(refusal(() => decodeManifest(forged({ environment: { id: 'x', version: '1', options: poisoned } }))).code, 'bad_manifest')
})

test('any bytes and any damage give a manifest or a typed error', () => {
  survivesDamage(bytes, decodeManifest)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => void accepts(decodeManifest, encode(value))),
    { numRuns: 500, seed: 2 },
  )
})
