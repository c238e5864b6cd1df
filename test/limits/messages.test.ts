/** The limits of the design on sizes: what is exactly as large is taken, what is one more is refused. Each test begins with the limit's name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'cborg'
import { codecNamed } from '../../src/average/codecs.ts'
import { layout } from '../../src/learn/layout.ts'
import { AUTO_GOSSIP_FRAME_BYTES, MAX_GOSSIP_FRAME_BYTES } from '../../src/peer/limits.ts'
import { resolveAveraging } from '../../src/peer/strategies.ts'
import { MAX_GOSSIP_MESSAGE_BYTES } from '../../src/swarm/limits.ts'
import { type Beacon, decodeBeacon, encodeBeacon } from '../../src/wire/beacon.ts'
import { encodedFrameBytes } from '../../src/wire/frame.ts'
import {
  MAX_BEACON_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_PARAMETERS,
  MAX_RESPONSE_BYTES,
  RANGE_BYTES,
  SKETCH_BUCKETS,
} from '../../src/wire/limits.ts'
import { decodeManifest, encodeManifest } from '../../src/wire/manifest.ts'
import { decodeStateRequest, decodeStateResponse, encodeStateRequest, encodeStateResponse } from '../../src/wire/state.ts'
import { EXAMPLE_MANIFEST } from '../support/manifest.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { refusal } from '../support/refusal.ts'

test('beacon: one of 1,024 bytes is read, one of 1,025 is refused', () => {
  assert.equal(MAX_BEACON_BYTES, 1_024)
  const beacon: Beacon = {
    ...{ incarnation: 1, sequence: 1, epoch: 1, version: 1, steps: 1, returnMean: null },
    ...{ digest: new Uint8Array(32), sketch: new Float32Array(SKETCH_BUCKETS), holding: false, leaving: false, observing: false },
    addresses: [],
  }
  const named = (characters: number) =>
    encodeBeacon({ ...beacon, addresses: ['a', 'b', 'c'].map((name) => `/dns/${name.repeat(name === 'c' ? characters : 125)}`) })
  const room = 100 + MAX_BEACON_BYTES - named(100).length
  const largest = named(room)
  assert.equal(largest.length, MAX_BEACON_BYTES)
  assert.equal(decodeBeacon(largest).addresses.length, 3)
  // Who writes one leaves an address out; who lies about it is refused.
  assert.ok(named(room + 1).length < MAX_BEACON_BYTES)
  assert.match(refusal(() => decodeBeacon(Buffer.concat([largest, Uint8Array.of(0)]))).message, /over the limit of 1024/)
})

test('manifest: one of 64 KiB is read, one byte more is refused, written or read', () => {
  assert.equal(MAX_MANIFEST_BYTES, 65_536)
  const padded = (length: number) => ({
    ...EXAMPLE_MANIFEST,
    environment: { id: 'x', version: '1', options: { padding: 'p'.repeat(length) } },
  })
  const room = MAX_MANIFEST_BYTES - (encode(padded(60_000)).length - 60_000)
  const largest = encodeManifest(padded(room))
  assert.equal(largest.length, MAX_MANIFEST_BYTES)
  decodeManifest(largest)
  assert.equal(refusal(() => encodeManifest(padded(room + 1))).code, 'bad_manifest')
  assert.equal(refusal(() => decodeManifest(encode(padded(room + 1)))).code, 'bad_manifest')
  // Nor does a joiner take in more of one.
  const part = (totalBytes: number) => encodeStateResponse({ kind: 'manifest', totalBytes, bytes: new Uint8Array(8) })
  assert.equal(decodeStateResponse(part(MAX_MANIFEST_BYTES)).kind, 'manifest')
  assert.equal(refusal(() => decodeStateResponse(part(MAX_MANIFEST_BYTES + 1))).code, 'bad_message')
})

test('parameters inline in gossip: auto sends 64 KiB so and one parameter more in pairs; 1 MiB at most go so at all', () => {
  assert.deepEqual([AUTO_GOSSIP_FRAME_BYTES, MAX_GOSSIP_FRAME_BYTES, MAX_GOSSIP_MESSAGE_BYTES], [65_536, 1_048_576, 1_048_576])
  const most = (bytes: number) => Math.floor((bytes - encodedFrameBytes(codecNamed('f32').bytesFor(0))) / 4)
  const resolved = (strategy: string, parameterCount: number) =>
    resolveAveraging(
      { strategy, partner: null, server: null, codec: 'f32', robust: 'clip' },
      { parameterCount, slices: [parameterCount], moments: [] },
      examplePeerId(1),
    ).strategy
  assert.equal(resolved('auto', most(AUTO_GOSSIP_FRAME_BYTES)), 'broadcast')
  assert.equal(resolved('auto', most(AUTO_GOSSIP_FRAME_BYTES) + 1), 'pairwise')
  assert.equal(resolved('broadcast', most(MAX_GOSSIP_FRAME_BYTES)), 'broadcast')
  assert.throws(() => resolved('broadcast', most(MAX_GOSSIP_FRAME_BYTES) + 1), { code: 'usage', message: /at most 1048576 bytes/ })
})

test('range of a body: 64,512 bytes are asked for at most, and an answer is read up to 65,000', () => {
  assert.equal(MAX_RESPONSE_BYTES, 65_000)
  const asked = (length: number) => encodeStateRequest({ kind: 'range', body: new Uint8Array(32), offset: 0, length })
  assert.equal(decodeStateRequest(asked(RANGE_BYTES)).kind, 'range')
  assert.equal(refusal(() => decodeStateRequest(asked(RANGE_BYTES + 1))).code, 'bad_message')
  const answered = (bytes: number) => encodeStateResponse({ kind: 'range', bytes: new Uint8Array(bytes) })
  const header = answered(0).length
  assert.ok(answered(RANGE_BYTES).length <= MAX_RESPONSE_BYTES)
  assert.equal(decodeStateResponse(answered(MAX_RESPONSE_BYTES - header)).kind, 'range')
  assert.equal(refusal(() => decodeStateResponse(answered(MAX_RESPONSE_BYTES - header + 1))).code, 'bad_message')
})

test('model: 256 MiB of parameters can be laid out, one parameter more cannot', () => {
  assert.equal(4 * MAX_PARAMETERS, 256 * 1_048_576)
  const own = (count: number) => ({ id: 'net', digest: 'ab'.repeat(32), weights: [{ name: 'logits/kernel', shape: [count] }] })
  const { network } = EXAMPLE_MANIFEST
  const heads = network.heads.map((head) => ({ ...head, layers: [] }))
  const laidOut = (count: number) => layout({ ...network, torso: [], heads, vectors: [], own: own(count) }).parameterCount
  assert.equal(laidOut(MAX_PARAMETERS), MAX_PARAMETERS)
  assert.throws(() => laidOut(MAX_PARAMETERS + 1), /passes 256 MiB of parameters/)
})
