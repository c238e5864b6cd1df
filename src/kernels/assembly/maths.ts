/**
 * exp, log and tanh of four lanes at once, from + - * / and integer arithmetic alone, so that the deterministic build gives the same bits
 * everywhere. Errors, measured over the whole range against double precision (test/kernels/maths.test.ts): exp 2e-7 relative,
 * log 2e-7 relative (absolute near 1), tanh 3e-7 absolute.
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
 * 2^n goes straight into the exponent bits. The rounding trick takes the place of nearest and a saturating conversion, which cost 8 instructions.
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
