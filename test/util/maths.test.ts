import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cos, cosSmall, exp, log, pow, sin, sinSmall } from '../../src/util/maths.ts'

/** Largest difference between `ours` and `theirs` over a dense grid, in units of max(1e-16 absolute, 1 ulp of the value). */
function worst(ours: (x: number) => number, theirs: (x: number) => number, low: number, high: number, count = 100_000): number {
  let most = 0
  for (let i = 0; i <= count; i++) {
    const x = low + ((high - low) * i) / count
    const expected = theirs(x)
    const unit = Math.max(1e-16, Math.abs(expected) * 2.220446049250313e-16)
    most = Math.max(most, Math.abs(ours(x) - expected) / unit)
  }
  return most
}

test('sin and cos agree with the platform to about one ulp', () => {
  for (const [low, high] of [
    [-0.8, 0.8],
    [-30.1, 30.3],
    [-1_048_575.3, 1_048_575.7],
  ] as const) {
    assert.ok(worst(sin, Math.sin, low, high) <= 1.2)
    assert.ok(worst(cos, Math.cos, low, high) <= 1.2)
  }
  assert.ok(worst(sinSmall, Math.sin, -Math.PI / 4, Math.PI / 4) <= 1.01)
  assert.ok(worst(cosSmall, Math.cos, -Math.PI / 4, Math.PI / 4) <= 1.01)
})

test('sin and cos of huge arguments stay within the stated error', () => {
  for (const x of [2e6, -3.3e7, 1e9, 7.7e11]) {
    assert.ok(Math.abs(sin(x) - Math.sin(x)) <= Math.abs(x) * 4e-17 + 2e-16)
    assert.ok(Math.abs(cos(x) - Math.cos(x)) <= Math.abs(x) * 4e-17 + 2e-16)
  }
})

test('exp and log agree with the platform to about one ulp', () => {
  assert.ok(worst(exp, Math.exp, -1, 1) <= 1.01)
  for (let x = -744.9; x < 709.7; x += 0.013) assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) <= 3e-16 || exp(x) - Math.exp(x) < 1e-320)
  assert.ok(worst(log, Math.log, 0.001, 3) <= 1.01)
  for (let e = -323; e < 308; e += 0.37) assert.ok(Math.abs(log(10 ** e) / Math.log(10 ** e) - 1) <= 3e-16)
})

test('pow agrees with the platform to two ulp', () => {
  for (const y of [0.1, 0.4, 0.6, 1.5, -2.5, 8, 37.1, 200, -200]) {
    for (let x = 0.003; x < 30; x += 0.011) {
      const expected = x ** y
      if (expected === 0 || expected === Number.POSITIVE_INFINITY) assert.equal(pow(x, y), expected)
      else assert.ok(Math.abs(pow(x, y) / expected - 1) <= 5e-16, `${x} ** ${y}`)
    }
  }
  assert.equal(pow(2, 10), 1024)
  assert.equal(pow(10, 3), 1000)
})

test('special values are those of Math', () => {
  const values = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1e308, -1e308, 5e-324, 1e-310, Infinity, -Infinity, NaN]
  for (const x of values) {
    assert.ok(Object.is(exp(x), Math.exp(x)) || Math.abs(exp(x) / Math.exp(x) - 1) < 3e-16)
    const logarithm = log(x)
    assert.ok(Object.is(logarithm, Math.log(x)) || Math.abs(logarithm / Math.log(x) - 1) < 3e-16)
    if (Math.abs(x) < 10) {
      assert.ok(Object.is(sin(x), Math.sin(x)))
      assert.ok(Object.is(cos(x), Math.cos(x)))
    }
    for (const y of values) {
      const ours = pow(x, y)
      const theirs = x ** y
      assert.ok(Object.is(ours, theirs) || Math.abs(ours / theirs - 1) < 1e-15, `${x} ** ${y}: ${ours}, not ${theirs}`)
    }
  }
  for (const f of [sin, cos]) for (const x of [Infinity, -Infinity, NaN]) assert.ok(Number.isNaN(f(x)))
})

test('the bits are pinned', () => {
  // Literals from this very code: they must come out the same on every machine and engine.
  const sum = [sin(12345.678), cos(-98.7), exp(3.21), log(7.7), pow(0.4, 5.5)].map((value) =>
    Buffer.from(Float64Array.of(value).buffer).toString('hex'),
  )
  assert.deepEqual(sum, ['a5740989d587e6bf', '6e2ac350ad76d0bf', '465edf3172c73840', '620fe3526b540040', '96cf5f87f0867a3f'])
})
