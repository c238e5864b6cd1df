import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { broadcastDelta } from '../../src/average/broadcast.ts'
import { codecNamed, codecNames } from '../../src/average/codecs.ts'
import { refusal } from '../support/refusal.ts'

function quantised(name: string, values: Float32Array): Float32Array {
  const codec = codecNamed(name)
  const bytes = new Uint8Array(codec.bytesFor(values.length))
  codec.encode(values, bytes)
  const decoded = new Float32Array(values.length)
  codec.decode(bytes, decoded)
  return decoded
}

const vectors = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true })

test('every codec keeps its error bound and is a projection', () => {
  for (const name of codecNames()) {
    const { errorBound } = codecNamed(name)
    const property = fc.property(vectors, (values) => {
      const decoded = quantised(name, values)
      for (let i = 0; i < values.length; i++) {
        assert.ok(Math.abs(decoded[i]! - values[i]!) <= errorBound(Math.abs(values[i]!)), `${name}: ${values[i]} became ${decoded[i]}`)
      }
      assert.deepEqual(quantised(name, decoded), decoded)
    })
    fc.assert(property, { numRuns: 500, seed: 3 })
  }
})

test('byte counts are exact and lengths are checked', () => {
  assert.equal(codecNamed('f32').bytesFor(10), 40)
  assert.equal(codecNamed('f16').bytesFor(10), 20)
  for (const name of codecNames()) {
    const codec = codecNamed(name)
    const values = new Float32Array(10)
    assert.throws(() => codec.encode(values, new Uint8Array(codec.bytesFor(10) - 1)), { code: 'shape' })
    assert.throws(() => codec.decode(new Uint8Array(codec.bytesFor(10) + 1), values), { code: 'shape' })
  }
})

test('values that are not finite stay so', () => {
  for (const name of codecNames()) {
    const decoded = quantised(name, Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))
    assert.deepEqual([...decoded], [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  }
})

test('quantised snapshots leave the mean of two peers where it is', () => {
  for (const name of codecNames()) {
    const property = fc.property(
      fc.array(fc.tuple(fc.double({ min: -4, max: 4, noNaN: true }), fc.double({ min: -4, max: 4, noNaN: true })), { minLength: 1 }),
      (pairs) => {
        const a = quantised(
          name,
          Float32Array.from(pairs, ([x]) => x),
        )
        const b = quantised(
          name,
          Float32Array.from(pairs, ([, y]) => y),
        )
        const toA = new Float32Array(pairs.length)
        const toB = new Float32Array(pairs.length)
        broadcastDelta([b], a, toA)
        broadcastDelta([a], b, toB)
        toA.forEach((value, i) => {
          assert.equal(value + toB[i]!, 0)
        })
      },
    )
    fc.assert(property, { numRuns: 200, seed: 4 })
  }
})

test('an unknown codec is named with the choices', () => {
  const error = refusal(() => codecNamed('toString'))
  assert.equal(error.code, 'unknown_codec')
  assert.match(error.message, /toString.*f32, f16/)
})
