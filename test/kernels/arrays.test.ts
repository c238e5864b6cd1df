/** The kernels' array maths against plain TypeScript: the same bits (dot: to rounding), for lengths around every block and tail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arrayMaths } from '../../src/kernels/arrays.ts'
import { plain } from '../../src/kernels/plain.ts'
import { seededRandom } from '../../src/util/random.ts'

const kernels = arrayMaths()
const LENGTHS = [0, 1, 255, 256, 257, 263, 2047, 2048, 2049, 5001]
const SPECIAL = [0, -0, 1e-8, -6e-8, 5.96e-8, 6.1e-5, 6.0976e-5, 65_504, 65_519, 65_520, -1e30, 1e-45, Number.NaN, Infinity, -Infinity]

function values(length: number, seed: number, scale = 1): Float32Array {
  const random = seededRandom('arrays', seed)
  return Float32Array.from({ length }, () => scale * (2 * random.uniform() - 1))
}

test('the kernels run here', () => assert.notEqual(kernels, plain))

for (const length of LENGTHS) {
  test(`${length} elements: the same as plain`, () => {
    const x = values(length, 1)
    for (const [name, run] of Object.entries({
      axpy: (maths: typeof plain) => {
        const y = values(length, 2)
        maths.axpy(y, -0.3, x)
        return y
      },
      int8: (maths: typeof plain) => {
        const q = new Int8Array(length)
        const back = new Float32Array(length)
        maths.encodeInt8(x, 130, q)
        maths.decodeInt8(q, 1 / 130, back)
        return [q, back]
      },
      f16: (maths: typeof plain) => {
        const h = new Uint16Array(length)
        const back = new Float32Array(length)
        maths.encodeF16(values(length, 3, 7e4), h)
        maths.decodeF16(h, back)
        return [h, back]
      },
      difference: (maths: typeof plain) => {
        const y = values(length, 2)
        return [maths.difference(y, x, 0.3), y]
      },
      scale: (maths: typeof plain) => {
        const y = values(length, 2)
        maths.scale(y, -0.3)
        return y
      },
      sumOfSquares: (maths: typeof plain) => maths.sumOfSquares(x),
      largest: (maths: typeof plain) => maths.largest(x),
      allFinite: (maths: typeof plain) => maths.allFinite(x),
    })) {
      assert.deepEqual(run(kernels), run(plain), name)
    }
    const y = values(length, 4)
    const magnitudes = x.reduce((sum, value, i) => sum + Math.abs(value * y[i]!), 0)
    assert.ok(Math.abs(kernels.dot(x, y) - plain.dot(x, y)) <= 1e-6 * magnitudes)
    assert.ok(Math.abs(kernels.dot(x, x) - plain.dot(x, x)) <= 1e-6 * plain.dot(x, x))
  })
}

for (const bad of [Number.NaN, Infinity, -Infinity]) {
  test(`finds ${bad} anywhere`, () => {
    for (const length of [300, 2051, 4100]) {
      for (const place of [0, 5, length - 1, length - 2, Math.min(2048, length - 1)]) {
        const x = values(length, 5)
        x[place] = bad
        assert.equal(kernels.allFinite(x), false, `${place} of ${length}`)
        assert.equal(plain.allFinite(x), false)
      }
    }
  })
}

test('the largest magnitude wherever it is, and NaN does not count', () => {
  for (const place of [0, 3, 2047, 2048, 2999]) {
    const x = values(3000, 6)
    x[place] = -5
    x[(place + 1) % 3000] = Number.NaN
    assert.equal(kernels.largest(x), 5)
    assert.equal(plain.largest(x), 5)
  }
})

test('squares are summed in double precision, and a difference is weighted after its norm is taken', () => {
  for (const length of [2, 4_100]) {
    for (const maths of [kernels, plain]) {
      const x = new Float32Array(length).fill(3)
      x[length - 1] = 1e30
      const squares = 9 * (length - 1) + Math.fround(1e30) ** 2
      assert.equal(maths.sumOfSquares(x), squares)
      x[length - 1] = 5
      assert.equal(maths.difference(x, new Float32Array(length).fill(1), 0.5), 4 * (length - 1) + 16)
      assert.deepEqual(x, Float32Array.of(...new Array(length - 1).fill(1), 2))
      maths.scale(x, 3)
      assert.deepEqual(x, Float32Array.of(...new Array(length - 1).fill(3), 6))
    }
  }
})

test('int8 rounds ties to even, clamps, and makes NaN 0', () => {
  for (const [maths, length] of [[plain, 12] as const, [kernels, 300] as const]) {
    const x = new Float32Array(length)
    x.set([0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127.5, -200, 1e30, Number.NaN, Infinity, -Infinity])
    const q = new Int8Array(length)
    maths.encodeInt8(x, 1, q)
    assert.deepEqual([...q.subarray(0, 12)], [0, 2, 2, 0, -2, 126, 127, -127, 127, 0, 127, -127])
  }
})

test('half precision: known bits, every half comes back', () => {
  const known: readonly (readonly [number, number])[] = [
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [1e6, 0x7bff],
    [Infinity, 0x7c00],
    [2 ** -24, 1],
    [2 ** -14, 0x400],
    [1 / 3, 0x3555],
    [-0, 0x8000],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
  ]
  for (const maths of [plain, kernels]) {
    const x = new Float32Array(300)
    x.set(known.map(([value]) => value))
    const h = new Uint16Array(300)
    maths.encodeF16(x, h)
    assert.deepEqual(
      [...h.subarray(0, known.length)],
      known.map(([, bits]) => bits),
    )

    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i)
    const floats = new Float32Array(65_536)
    const back = new Uint16Array(65_536)
    maths.decodeF16(all, floats)
    maths.encodeF16(floats, back)
    for (let i = 0; i < 65_536; i++) {
      const nan = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0
      assert.equal(back[i]! & (nan ? 0x7fff : 0xffff), nan ? 0x7e00 : i)
    }
  }
})

test('half precision of any float: the same bits as plain', () => {
  const float = fc.oneof(
    fc.float({ noNaN: false }),
    fc.constantFrom(...SPECIAL),
    fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4) }),
  )
  fc.assert(
    fc.property(fc.array(float, { minLength: 256, maxLength: 300 }), (numbers) => {
      const x = Float32Array.from(numbers)
      const expected = new Uint16Array(x.length)
      const found = new Uint16Array(x.length)
      plain.encodeF16(x, expected)
      kernels.encodeF16(x, found)
      const withoutNanSign = (h: Uint16Array) => h.map((bits) => ((bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits))
      assert.deepEqual(withoutNanSign(found), withoutNanSign(expected))
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('refuses arrays of different lengths', () => {
  for (const maths of [plain, kernels]) {
    for (const length of [3, 400]) {
      const x = new Float32Array(length)
      const longer = new Float32Array(length + 1)
      assert.throws(() => maths.axpy(x, 1, longer), { code: 'shape' })
      assert.throws(() => maths.dot(x, longer), {
        code: 'shape',
        message: `Arrays of ${length} and ${length + 1} elements were given where equal lengths are needed.`,
      })
      assert.throws(() => maths.encodeInt8(x, 1, new Int8Array(length + 1)), { code: 'shape' })
      assert.throws(() => maths.decodeInt8(new Int8Array(length), 1, longer), { code: 'shape' })
      assert.throws(() => maths.encodeF16(x, new Uint16Array(length + 1)), { code: 'shape' })
      assert.throws(() => maths.decodeF16(new Uint16Array(length), longer), { code: 'shape' })
    }
  }
})
