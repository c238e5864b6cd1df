import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecNamed } from '../../src/average/codecs.ts'
import { arrayMaths } from '../../src/kernels/arrays.ts'
import { readCodecName } from '../../src/wire/codec-names.ts'
import { quantised } from '../contract/codec.ts'
import { refusal } from '../support/refusal.ts'

test('every value of a single one keeps the bound of its own magnitude', () => {
  for (const name of ['f32', 'f16', 'int8']) {
    const codec = codecNamed(name)
    const property = fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const [decoded] = quantised(codec, Float32Array.of(value))
      assert.ok(Math.abs(decoded! - value) <= codec.errorBound(Math.abs(value)), `${name}: ${value} became ${decoded}`)
    })
    fc.assert(property, { numRuns: 1000, seed: 5 })
  }
})

test('int8 by hand: a scale per slice, rounded up to 17 bits, and nearest whole numbers', () => {
  const codec = codecNamed('int8', { run: '', slices: [3, 2] })
  const bytes = new Uint8Array(codec.bytesFor(5))
  codec.encode(Float32Array.of(127, -63.5, 0.4, 0, 0), bytes)
  // Scales 1 and 0; -63.5 lies between two whole numbers and goes to the even one.
  assert.deepEqual([...bytes], [0, 0, 128, 63, 0, 0, 0, 0, 127, 192, 0, 0, 0])
  const third = codecNamed('int8')
  const payload = new Uint8Array(5)
  third.encode(Float32Array.of(1), payload)
  const scale = new DataView(payload.buffer).getFloat32(0, true)
  assert.ok(scale >= 1 / 127 && scale <= (1 / 127) * (1 + 2 ** -15))
  assert.equal(new Uint32Array(Float32Array.of(scale).buffer)[0]! & 127, 0)
})

test('int8 of the extremes of float32 stays finite and of the smallest becomes zero', () => {
  const codec = codecNamed('int8')
  const largest = 3.4028234663852886e38
  const decoded = quantised(codec, Float32Array.of(largest, -largest, 1))
  assert.ok(decoded.every(Number.isFinite))
  assert.ok(Math.abs(decoded[0]! / largest - 1) < 1e-4)
  assert.deepEqual([...quantised(codec, Float32Array.of(1e-45, -1e-40))], [0, 0])
})

test('payloads are what the kernels make of the same values', () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) => Math.fround(Math.sin(i) * 10 ** ((i % 9) - 6)))
  const halves = new Uint16Array(values.length)
  arrayMaths().encodeF16(values, halves)
  const f16 = new Uint8Array(2 * values.length)
  codecNamed('f16').encode(values, f16)
  assert.deepEqual(f16, new Uint8Array(halves.buffer))
  const back = new Float32Array(values.length)
  arrayMaths().decodeF16(halves, back)
  assert.deepEqual(quantised(codecNamed('f16'), values), back)
  const int8 = new Uint8Array(4 + values.length)
  codecNamed('int8').encode(values, int8)
  const scale = new DataView(int8.buffer).getFloat32(0, true)
  const bytes = new Int8Array(values.length)
  arrayMaths().encodeInt8(values, 1 / scale, bytes)
  assert.deepEqual(new Int8Array(int8.buffer, 4), bytes)
})

test('a subset differs from draw to draw and from run to run, and has one of each block', () => {
  const of = (run: string, draw: number) => [...codecNamed('subset:0.1', { run, slices: [1000] }).coordinates(1000, draw)!]
  assert.deepEqual(of('a', 4), of('a', 4))
  assert.notDeepEqual(of('a', 4), of('a', 5))
  assert.notDeepEqual(of('a', 4), of('b', 4))
  of('a', 7).forEach((index, block) => {
    assert.equal(Math.floor(index / 10), block)
  })
  // Within a pass of ten draws each of the thousand travels exactly once; the next pass begins elsewhere.
  const pass = Array.from({ length: 10 }, (_, i) => of('a', 20 + i)).flat()
  assert.equal(new Set(pass).size, 1000)
  assert.notDeepEqual(of('a', 20), of('a', 30))
})

test('fragments follow each other and have one length', () => {
  const codec = codecNamed('fragment:3', { run: '', slices: [8] })
  assert.deepEqual(
    [0, 1, 2, 3].map((draw) => [...codec.coordinates(8, draw)!]),
    [
      [0, 1, 2],
      [3, 4, 5],
      [5, 6, 7],
      [0, 1, 2],
    ],
  )
})

test('names have one form, and what is no codec is named with the choices', () => {
  assert.equal(readCodecName('subset:0.10')?.name, 'subset:0.1')
  assert.equal(readCodecName('subset:.5:f32')?.name, 'subset:0.5')
  assert.equal(readCodecName('fragment:8:int8')?.name, 'fragment:8:int8')
  const wrong = [
    '',
    'toString',
    'subset',
    'subset:',
    'subset:0',
    'subset:1',
    'subset:0.0009',
    'subset:1.5',
    'subset:0.1:',
    'subset:0.1:f64',
  ]
  for (const name of [...wrong, 'fragment:1', 'fragment:2.5', 'fragment:5000', 'int8:f32', 'subset:0.1:int8:f16', 'subset:..']) {
    const error = refusal(() => codecNamed(name))
    assert.equal(error.code, 'unknown_codec')
    assert.match(error.message, /f32, f16, int8, subset:FRACTION/)
  }
})
