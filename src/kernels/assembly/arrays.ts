/**
 * Whole arrays of `count` floats (any number of them): what averaging and the engine do besides networks.
 * On 2,048 floats one at a time takes 3 (allFinite), 4 (largest, axpy) and 10 times as long (dot).
 */
import { high, low, madd, put, splat, sumWide, zero, BEFORE } from './simd'

/** y += a x, `a` in memory at `k`. */
export function axpy(y: usize, x: usize, count: i32, k: usize): void {
  const end = y + (<usize>count << 2)
  const whole = y + (<usize>(count & ~7) << 2)
  y -= BEFORE
  x -= BEFORE
  for (; y < whole - BEFORE; y += 32, x += 32) put(y, madd(low(x), splat(k), low(y)), madd(high(x), splat(k), high(y)))
  y += BEFORE
  x += BEFORE
  for (; y < end; y += 4, x += 4) store<f32>(y, f32x4.extract_lane(madd(splat(x), splat(k), splat(y)), 0))
}

/** Floats that are summed in single precision before the sum moves to double: keeps the error of a sum below 1e-6 whatever the length. */
const BLOCK: usize = 1024 * 4

/** sum of x_i y_i; with x = y the square of the norm. */
export function dot(x: usize, y: usize, count: i32): f64 {
  let total: f64 = 0
  const whole = x + (<usize>(count & ~3) << 2)
  const end = x + (<usize>count << 2)
  while (x < whole) {
    const stop = min(x + BLOCK, whole)
    let a = zero(), b = a, c = a, d = a
    // Four sums in flight hide the latency of the multiply-add: two take 1.1 to 1.6 times as long, one 1.6 to 3 times, depending on the build.
    for (; x + 64 <= stop; x += 64, y += 64) {
      a = madd(v128.load(x), v128.load(y), a)
      b = madd(v128.load(x, 16), v128.load(y, 16), b)
      c = madd(v128.load(x, 32), v128.load(y, 32), c)
      d = madd(v128.load(x, 48), v128.load(y, 48), d)
    }
    for (; x < stop; x += 16, y += 16) a = madd(v128.load(x), v128.load(y), a)
    total += sumWide(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)))
  }
  for (; x < end; x += 4, y += 4) total += <f64>load<f32>(x) * <f64>load<f32>(y)
  return total
}

/** x = weight (x - y), each operation rounded; the sum of squares of x - y in double precision, in the order of `squares`. */
export function difference(x: usize, y: usize, count: i32, weight: f32): f64 {
  const rate = f32x4.splat(weight)
  const end = x + (<usize>count << 2)
  const whole = x + (<usize>(count & ~7) << 2)
  let a = f64x2.splat(0), b = a, c = a, d = a
  for (; x < whole; x += 32, y += 32) {
    const first = f32x4.sub(v128.load(x), v128.load(y))
    const second = f32x4.sub(v128.load(x, 16), v128.load(y, 16))
    a = addSquares(a, f64x2.promote_low_f32x4(first))
    b = addSquares(b, f64x2.promote_low_f32x4(upper(first)))
    c = addSquares(c, f64x2.promote_low_f32x4(second))
    d = addSquares(d, f64x2.promote_low_f32x4(upper(second)))
    v128.store(x, f32x4.mul(first, rate))
    v128.store(x, f32x4.mul(second, rate), 16)
  }
  let total = sum8(a, b, c, d)
  for (; x < end; x += 4, y += 4) {
    const left: f32 = load<f32>(x) - load<f32>(y)
    total += <f64>left * <f64>left
    store<f32>(x, left * weight)
  }
  return total
}

/** Sum of squares in double precision: eight sums by position, added pairwise, then what is left over one by one. */
export function squares(x: usize, count: i32): f64 {
  const end = x + (<usize>count << 2)
  const whole = x + (<usize>(count & ~7) << 2)
  let a = f64x2.splat(0), b = a, c = a, d = a
  for (; x < whole; x += 32) {
    a = addSquares(a, f64x2.promote_low_f32x4(v128.load(x)))
    b = addSquares(b, f64x2.promote_low_f32x4(upper(v128.load(x))))
    c = addSquares(c, f64x2.promote_low_f32x4(v128.load(x, 16)))
    d = addSquares(d, f64x2.promote_low_f32x4(upper(v128.load(x, 16))))
  }
  let total = sum8(a, b, c, d)
  for (; x < end; x += 4) total += <f64>load<f32>(x) * <f64>load<f32>(x)
  return total
}

// @ts-ignore: decorator
@inline
function upper(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 2, 3, 0, 1)
}

// @ts-ignore: decorator
@inline
function addSquares(sum: v128, v: v128): v128 {
  return f64x2.add(sum, f64x2.mul(v, v))
}

// @ts-ignore: decorator
@inline
function sum8(a: v128, b: v128, c: v128, d: v128): f64 {
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d))
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/** x *= weight */
export function scale(x: usize, count: i32, weight: f32): void {
  const rate = f32x4.splat(weight)
  const whole = x + (<usize>(count & ~3) << 2)
  const end = x + (<usize>count << 2)
  for (; x < whole; x += 16) v128.store(x, f32x4.mul(v128.load(x), rate))
  for (; x < end; x += 4) store<f32>(x, load<f32>(x) * weight)
}

/** 1 when no element is infinite or NaN. */
export function allFinite(x: usize, count: i32): i32 {
  const infinity = i32x4.splat(0x7f800000)
  const whole = x + (<usize>(count & ~3) << 2)
  const end = x + (<usize>count << 2)
  // All bits of the exponent set: infinite or NaN.
  let found = zero()
  for (; x < whole; x += 16) found = v128.or(found, i32x4.eq(v128.and(v128.load(x), infinity), infinity))
  if (v128.any_true(found)) return 0
  for (; x < end; x += 4) if ((load<i32>(x) & 0x7f800000) == 0x7f800000) return 0
  return 1
}

/** Largest magnitude; NaN elements do not count. */
export function largest(x: usize, count: i32): f32 {
  const whole = x + (<usize>(count & ~3) << 2)
  const end = x + (<usize>count << 2)
  let most = zero()
  for (; x < whole; x += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(x)))
  let result: f32 = 0
  for (; x < end; x += 4) {
    const value = abs<f32>(load<f32>(x))
    if (value > result) result = value
  }
  result = max<f32>(result, f32x4.extract_lane(most, 0))
  result = max<f32>(result, f32x4.extract_lane(most, 1))
  result = max<f32>(result, f32x4.extract_lane(most, 2))
  return max<f32>(result, f32x4.extract_lane(most, 3))
}
