/**
 * exp, log and tanh of four lanes at once, from + - * / and integer arithmetic alone, so that all but the relaxed build give the same bits everywhere.
 * Errors, held by tests: below 6e-7 relative for tanh and for x / (1 + e^-x), 1e-6 for a categorical head. NaN stays NaN.
 */
import { madd, max4, min4, zero } from './simd'

/**
 * 88 and -87; 1 / ln 2; 1.5 * 2^23, which added to a float below 2^22 rounds it to a whole number that then stands in the low bits of the sum;
 * -ln 2 in two parts, so that n times the first is exact; the polynomial from the highest power down; 1.
 */
const EXP = memory.data<f32>([
  88, -87, 1.44269504088896341, 12582912, -0.693359375, 2.12194440e-4, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
  1.6666665459e-1, 5.0000001201e-1, 1,
])

/**
 * e^x for x clamped to [-87, 88]. x = n ln 2 + r with |r| <= ln 2 / 2; e^r is a polynomial of degree 6 [Cephes expf, S. Moshier];
 * 2^n goes straight into the exponent bits. The rounding trick takes the place of nearest and a saturating conversion, which cost 8 instructions:
 * with those a pass of SiLU takes 1.5 times as long, an update of 320 rows of MLP 4-64-64 with SiLU 1.17.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = max4(min4(x, v128.load32_splat(EXP)), v128.load32_splat(EXP, 4))
  const round = v128.load32_splat(EXP, 12)
  const shifted = madd(x, v128.load32_splat(EXP, 8), round)
  const n = f32x4.sub(shifted, round)
  let r = madd(n, v128.load32_splat(EXP, 16), x)
  r = madd(n, v128.load32_splat(EXP, 20), r)
  let p = madd(r, v128.load32_splat(EXP, 24), v128.load32_splat(EXP, 28))
  p = madd(r, p, v128.load32_splat(EXP, 32))
  p = madd(r, p, v128.load32_splat(EXP, 36))
  p = madd(r, p, v128.load32_splat(EXP, 40))
  p = madd(r, p, v128.load32_splat(EXP, 44))
  const one = one4()
  p = f32x4.add(madd(f32x4.mul(r, r), p, r), one)
  // The bits of `shifted` are those of 1.5 * 2^23 plus n; shifting by 23 drops everything above n, and adding the bits of 1 makes 2^n.
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), one))
}

/**
 * ln x for x in [2^-126, infinity). x = 2^n m with sqrt(1/2) <= m < sqrt(2); ln m is a polynomial of degree 9 in m - 1 [Cephes logf, S. Moshier].
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // The exponent of x / sqrt(1/2), taken from the bits: subtracting those of sqrt(1/2) makes it 0 for the wanted range of m.
  const n = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23)
  const m = f32x4.sub(i32x4.sub(x, i32x4.shl(n, 23)), f32x4.splat(1))
  const e = f32x4.convert_i32x4_s(n)
  const z = f32x4.mul(m, m)
  let p = madd(m, f32x4.splat(7.0376836292e-2), f32x4.splat(-1.1514610310e-1))
  p = madd(m, p, f32x4.splat(1.1676998740e-1))
  p = madd(m, p, f32x4.splat(-1.2420140846e-1))
  p = madd(m, p, f32x4.splat(1.4249322787e-1))
  p = madd(m, p, f32x4.splat(-1.6668057665e-1))
  p = madd(m, p, f32x4.splat(2.0000714765e-1))
  p = madd(m, p, f32x4.splat(-2.4999993993e-1))
  p = madd(m, p, f32x4.splat(3.3333331174e-1))
  // ln 2 in two parts, as in exp4.
  let y = madd(e, f32x4.splat(-2.12194440e-4), f32x4.mul(f32x4.mul(m, z), p))
  y = madd(z, f32x4.splat(-0.5), y)
  return madd(e, f32x4.splat(0.693359375), f32x4.add(m, y))
}

/** 7.9 and -7.9, then P and Q from the highest power down. */
const TANH = memory.data<f32>([
  7.9, -7.9, 1.1531847121659666e-5, 2.960474230349064e-3, 0.129344180226326, 0.9999998807907104, 2.4925503794293036e-7, 2.4001215933822095e-4,
  2.385408617556095e-2, 0.46267643570899963, 1,
])

/**
 * tanh x = x P(x^2) / Q(x^2), P of degree 3 and Q of degree 4, the least largest relative error on [-7.9, 7.9] (by weighted least squares,
 * reweighted until the error levels); beyond, tanh is 1 to 3e-7. Two multiply-adds less than the usual degrees 6 and 3 at the same error.
 * Constants are loaded, so that the wide build takes eight floats at a time.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  x = max4(min4(x, v128.load32_splat(TANH)), v128.load32_splat(TANH, 4))
  const z = f32x4.mul(x, x)
  let p = madd(z, v128.load32_splat(TANH, 8), v128.load32_splat(TANH, 12))
  let q = madd(z, v128.load32_splat(TANH, 24), v128.load32_splat(TANH, 28))
  p = madd(z, p, v128.load32_splat(TANH, 16))
  q = madd(z, q, v128.load32_splat(TANH, 32))
  p = madd(z, p, v128.load32_splat(TANH, 20))
  q = madd(z, q, v128.load32_splat(TANH, 36))
  q = madd(z, q, v128.load32_splat(TANH, 40))
  return f32x4.div(f32x4.mul(x, p), q)
}

/** 1 / (1 + e^-x) */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = one4()
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.sub(zero(), x))))
}

/** 1 in all lanes, from memory (see simd.ts). */
// @ts-ignore: decorator
@inline
export function one4(): v128 {
  return v128.load32_splat(EXP, 48)
}
