import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_HALF, readFloats, readHalves, writeFloats, writeHalves } from '../../src/wire/floats.ts'

function halfOf(value: number): number {
  const bytes = new Uint8Array(2)
  writeHalves(Float32Array.of(value), bytes)
  return bytes[0]! | (bytes[1]! << 8)
}

/** What the bits of a half mean. [IEEE 754-2019, 3.4] */
function meaning(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const mantissa = half & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25)
}

const ALL = Uint8Array.from({ length: 131_072 }, (_, i) => (i % 2 === 0 ? (i / 2) & 255 : (i - 1) / 2 / 256))

test('every half is read as what its bits mean, and written back', () => {
  const values = new Float32Array(65_536)
  readHalves(ALL, values)
  for (let half = 0; half < 65_536; half++) assert.ok(Object.is(values[half], meaning(half)), `${half}: ${values[half]}`)
  const back = new Uint8Array(131_072)
  writeHalves(values, back)
  const isNaNHalf = (half: number) => (half & 0x7fff) > 0x7c00
  for (let half = 0; half < 65_536; half++) {
    const written = back[2 * half]! | (back[2 * half + 1]! << 8)
    if (isNaNHalf(half)) assert.ok(isNaNHalf(written))
    else assert.equal(written, half)
  }
})

test('between two halves the nearer is written, and the even one of a tie', () => {
  const up = new Float32Array(1)
  const bits = new Uint32Array(up.buffer)
  for (let half = 0; half < 0x7bff; half++) {
    const middle = (meaning(half) + meaning(half + 1)) / 2
    up[0] = middle
    bits[0]! += 1
    assert.equal(halfOf(middle), half % 2 === 0 ? half : half + 1)
    assert.equal(halfOf(up[0]!), half + 1)
    bits[0]! -= 2
    assert.equal(halfOf(up[0]!), half)
  }
})

test('finite values beyond the range become the largest half', () => {
  for (const value of [MAX_HALF, 65_519, 65_520, 1e30, 3.4e38]) {
    assert.equal(meaning(halfOf(value)), MAX_HALF)
    assert.equal(meaning(halfOf(-value)), -MAX_HALF)
  }
  assert.equal(halfOf(1e-40), 0)
  assert.equal(halfOf(-1e-40), 0x8000)
})

test('floats travel little-endian, at any offset', () => {
  const bytes = new Uint8Array(9).subarray(1)
  writeFloats(Float32Array.of(1, -2), bytes)
  assert.deepEqual([...bytes], [0, 0, 128, 63, 0, 0, 0, 192])
  const values = new Float32Array(2)
  readFloats(bytes, values)
  assert.deepEqual([...values], [1, -2])
})
