import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecNamed } from '../../src/average/codecs.ts'
import { type GateContext, judgeFrame } from '../../src/peer/gate.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { examplePeerId } from '../support/peer-ids.ts'

const PEER_A = examplePeerId(1)
const PEER_B = examplePeerId(2)

const codec = codecNamed('f32')
const runPrefix = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
const context: GateContext = {
  runPrefix,
  codec,
  parameterCount: 4,
  normaliserSizes: [],
  last: { incarnation: 10, sequence: 5 },
  ownNorm: 2,
}

interface Choices {
  readonly values?: readonly number[]
  readonly author?: string
  readonly runPrefix?: Uint8Array
  readonly incarnation?: number
  readonly sequence?: number
  readonly codec?: 'f32' | 'f16'
  readonly count?: number
}

function frame(choices: Choices = {}): Uint8Array {
  const values = Float32Array.from(choices.values ?? [1, -1, 1, -1])
  const used = codecNamed(choices.codec ?? 'f32')
  const payload = new Uint8Array(used.bytesFor(values.length))
  used.encode(values, payload)
  return encodeFrame({
    runPrefix: choices.runPrefix ?? runPrefix,
    author: choices.author ?? PEER_A,
    incarnation: choices.incarnation ?? 10,
    sequence: choices.sequence ?? 6,
    version: 100,
    epoch: 3,
    codec: used.id,
    count: choices.count ?? values.length,
    payload,
    normalisers: [],
  })
}

function verdict(bytes: Uint8Array, author = PEER_A, changes: Partial<GateContext> = {}): string {
  const result = judgeFrame(author, bytes, { ...context, ...changes })
  return result.ok ? 'ok' : `${result.code}${result.hostile ? '' : ' (honest)'}`
}

describe('the acceptance gate', () => {
  test('a sound frame passes with its parameters', () => {
    const result = judgeFrame(PEER_A, frame({ values: [0.5, -0, 1e-40, 3] }), context)
    assert.ok(result.ok)
    assert.deepEqual([...result.parameters], [0.5, -0, Math.fround(1e-40), 3])
    assert.equal(result.frame.version, 100)
  })

  test('the author must be the authenticated sender', () => {
    assert.equal(verdict(frame({ author: PEER_B })), 'wrong_author')
    assert.equal(verdict(frame(), PEER_B), 'wrong_author')
  })

  test('run, codec, element count and byte length must be those of the manifest', () => {
    assert.equal(verdict(frame({ runPrefix: new Uint8Array(16) })), 'manifest_mismatch')
    assert.equal(verdict(frame({ codec: 'f16' })), 'manifest_mismatch')
    assert.equal(verdict(frame({ values: [1, 2, 3] })), 'manifest_mismatch')
    assert.equal(verdict(frame({ values: [1, 2, 3, 4, 5] })), 'manifest_mismatch')
    assert.equal(verdict(frame({ values: [1, 2, 3], count: 4 })), 'wrong_length')
    assert.equal(verdict(frame().subarray(0, -1)), 'bad_normaliser')
    assert.equal(verdict(frame().subarray(0, -2)), 'truncated')
    assert.equal(verdict(Buffer.concat([frame(), new Uint8Array(1)])), 'bad_length')
  })

  test('moments that travel must be of the exact length, finite, and their squares not negative', () => {
    const travelling = codecNamed('f32', { run: '', slices: [4], moments: ['mean', 'square'] })
    const sent = (values: readonly number[], steps = 7) => {
      const parameters = Float32Array.of(1, -1, 1, -1)
      const payload = new Uint8Array(16 + 8 + 4 * values.length)
      codec.encode(parameters, payload.subarray(0, 16))
      new DataView(payload.buffer).setFloat64(16, steps, true)
      codec.encode(Float32Array.from(values), payload.subarray(24))
      const header = { runPrefix, author: PEER_A, incarnation: 10, sequence: 6, version: 100, epoch: 3, normalisers: [] }
      return encodeFrame({ ...header, codec: 'f32', count: 4, payload })
    }
    const sound = [-1, 2, -3, 4, 0, 5, 6, 7]
    const result = judgeFrame(PEER_A, sent(sound), { ...context, codec: travelling })
    assert.ok(result.ok)
    assert.deepEqual(result.moments, { steps: 7, values: Float32Array.from(sound) })
    assert.deepEqual([...result.parameters], [1, -1, 1, -1])
    const verdictOf = (bytes: Uint8Array) => verdict(bytes, PEER_A, { codec: travelling })
    for (const values of [[], sound.slice(0, 4), sound.slice(0, 7), [...sound, 8]]) assert.equal(verdictOf(sent(values)), 'wrong_length')
    assert.equal(verdictOf(frame()), 'wrong_length')
    assert.equal(verdict(sent(sound)), 'wrong_length')
    assert.equal(verdictOf(sent([...sound.slice(0, 7), -1e-45])), 'bad_moments')
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(verdictOf(sent([bad, ...sound.slice(1)])), 'bad_moments')
      assert.equal(verdictOf(sent([...sound.slice(0, 7), bad])), 'bad_moments')
      assert.equal(verdictOf(sent(sound, bad)), 'bad_moments')
    }
    for (const steps of [-1, 0.5, 2 ** 53]) assert.equal(verdictOf(sent(sound, steps)), 'bad_moments')
  })

  test('any changed payload byte is a broken digest', () => {
    const bytes = frame()
    const payloadStart = bytes.length - 16 - 1
    for (let i = 0; i < 16; i++) {
      const broken = bytes.slice()
      broken[payloadStart + i]! ^= 1
      assert.equal(verdict(broken), 'bad_digest')
    }
  })

  test('NaN and infinities are refused wherever they stand; zeros and denormals are not', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const at of [0, 3]) {
        const values = [1, 1, 1, 1]
        values[at] = bad
        assert.equal(verdict(frame({ values })), 'not_finite')
      }
    }
    assert.equal(verdict(frame({ values: [0, -0, 1e-45, -1e-45] })), 'ok')
  })

  test('only newer snapshots of an author pass; an old one is no offence', () => {
    assert.equal(verdict(frame({ sequence: 5 })), 'stale_version (honest)')
    assert.equal(verdict(frame({ incarnation: 9, sequence: 99 })), 'late (honest)')
    assert.equal(verdict(frame({ sequence: 4 })), 'late (honest)')
    assert.equal(verdict(frame({ incarnation: 11, sequence: 1 })), 'ok')
    assert.equal(verdict(frame({ incarnation: 1, sequence: 1 }), PEER_A, { last: null }), 'ok')
  })

  test('a norm over a thousand times our own is refused, also where float32 would overflow', () => {
    assert.equal(verdict(frame({ values: [2000, 0, 0, 0] })), 'ok')
    assert.equal(verdict(frame({ values: [2001, 0, 0, 0] })), 'too_far')
    assert.equal(verdict(frame({ values: [3e38, 3e38, 3e38, 3e38] })), 'too_far')
  })
})
