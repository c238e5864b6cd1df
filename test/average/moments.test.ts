import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecNamed, payloadBytes } from '../../src/average/codecs.ts'
import { averagedMoments } from '../../src/average/moments.ts'

const model = { run: 'run', slices: [4, 4], moments: ['mean', 'square'] as const }
const values = Float32Array.of(-1, 2, -3, 4, -5, 6, -7, 8, 1e-30, 2, 3, 4, 5, 6, 7, 8)

test('moments travel in float32, whatever the codec of the parameters, and of the same coordinates', () => {
  for (const [name, parameters, each] of [
    ['f32', 32, 32],
    ['f16', 16, 32],
    ['int8', 16, 32],
    ['subset:0.25:int8', 10, 8],
    ['fragment:2:f16', 8, 16],
  ] as const) {
    const codec = codecNamed(name, model)
    const moments = codec.moments!
    assert.equal(codec.bytesFor(8), parameters)
    assert.equal(moments.bytesFor(8), 8 + 2 * each)
    assert.equal(payloadBytes(codec, 8), parameters + 8 + 2 * each)
    const bytes = new Uint8Array(moments.bytesFor(8))
    moments.encode({ steps: 3, values }, bytes, 5)
    const chosen = codec.coordinates(8, 5)?.slice() ?? Uint32Array.from(values.subarray(0, 8).keys())
    const travelled = values.map((value, i) => (chosen.includes(i % 8) ? value : 0))
    assert.deepEqual(moments.decode(bytes, 8, 5), { steps: 3, values: travelled }, name)
    assert.throws(() => moments.decode(bytes.subarray(1), 8, 5), { code: 'shape' })
    assert.throws(() => moments.encode({ steps: 3, values }, bytes.subarray(1), 5), { code: 'shape' })
  }
  assert.equal(codecNamed('f32', { run: 'run', slices: [8] }).moments, null)
  assert.equal(payloadBytes(codecNamed('f32'), 8), 32)
})

test('differences are weighted as the parameters are, where they travelled, and none counts for more than its reach', () => {
  const one = { run: 'run', slices: [2], moments: ['square'] as const }
  const own = Float32Array.of(3, 4)
  const others = [
    { steps: 1, values: Float32Array.of(5, 4), draw: 0, weight: 0.25 },
    { steps: 1, values: Float32Array.of(3, 0), draw: 1, weight: 0.5 },
  ]
  assert.deepEqual(averagedMoments(codecNamed('f32', one).moments!, own, others, 10), Float32Array.of(0.5, -2))
  // The first half of the model travels in even rounds, the second in odd ones.
  assert.deepEqual(averagedMoments(codecNamed('fragment:2', one).moments!, own, others, 10), Float32Array.of(0.5, -2))
  const apart = [{ steps: 1, values: Float32Array.of(3, 1004), draw: 0, weight: 0.5 }]
  // The own norm is 5: of a difference of 1,000 count 50.
  assert.deepEqual(averagedMoments(codecNamed('f32', one).moments!, own, apart, 10), Float32Array.of(0, 25))
  assert.deepEqual(averagedMoments(codecNamed('f32', one).moments!, own, apart, Number.POSITIVE_INFINITY), Float32Array.of(0, 500))
  const nothing = new Float32Array(2)
  assert.deepEqual(averagedMoments(codecNamed('f32', one).moments!, nothing, apart, 10), nothing)
})
