/**
 * exp, log and tanh of four lanes at once, from + - * / and integer arithmetic alone, so that the deterministic build gives the same bits
 * everywhere. Errors, measured over the whole range against double precision (test/kernels/maths.test.ts): exp 2e-7 relative,
 * log 2e-7 relative (absolute near 1), tanh 3e-7 absolute.
 */
import { madd, max4, min4 } from './simd'

/** Adding 1.5 * 2^23 rounds a float below 2^22 to a whole number, which then stands in the low bits of the sum. */
const ROUND: f32 = 12582912

/**
 * e^x for x clamped to [-87, 88]. x = n ln 2 + r with |r| <= ln 2 / 2; e^r is a polynomial of degree 6 [Cephes expf, S. Moshier];
 * 2^n goes straight into the exponent bits. The rounding trick takes the place of nearest and a saturating conversion, which cost 8 instructions.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = max4(min4(x, f32x4.splat(88)), f32x4.splat(-87))
  const shifted = madd(x, f32x4.splat(1.44269504088896341), f32x4.splat(ROUND))
  const n = f32x4.sub(shifted, f32x4.splat(ROUND))
  // ln 2 in two parts, so that n times the first is exact.
  let r = madd(n, f32x4.splat(-0.693359375), x)
  r = madd(n, f32x4.splat(2.12194440e-4), r)
  let p = madd(r, f32x4.splat(1.9875691500e-4), f32x4.splat(1.3981999507e-3))
  p = madd(r, p, f32x4.splat(8.3334519073e-3))
  p = madd(r, p, f32x4.splat(4.1665795894e-2))
  p = madd(r, p, f32x4.splat(1.6666665459e-1))
  p = madd(r, p, f32x4.splat(5.0000001201e-1))
  p = f32x4.add(madd(f32x4.mul(r, r), p, r), f32x4.splat(1))
  // shifted's bits are those of ROUND plus n; shifting by 23 drops everything above n.
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000)))
}

/** tanh x: a rational function of degree 13 over 6 [Eigen], beyond 7.9 it is 1 to the last bit. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  x = max4(min4(x, f32x4.splat(7.90531110763549805)), f32x4.splat(-7.90531110763549805))
  const z = f32x4.mul(x, x)
  let p = madd(z, f32x4.splat(-2.76076847742355e-16), f32x4.splat(2.00018790482477e-13))
  let q = madd(z, f32x4.splat(1.19825839466702e-6), f32x4.splat(1.18534705686654e-4))
  p = madd(z, p, f32x4.splat(-8.60467152213735e-11))
  q = madd(z, q, f32x4.splat(2.26843463243900e-3))
  p = madd(z, p, f32x4.splat(5.12229709037114e-8))
  q = madd(z, q, f32x4.splat(4.89352518554385e-3))
  p = madd(z, p, f32x4.splat(1.48572235717979e-5))
  p = madd(z, p, f32x4.splat(6.37261928875436e-4))
  p = madd(z, p, f32x4.splat(4.89352455891786e-3))
  return f32x4.div(f32x4.mul(x, p), q)
}

/** 1 / (1 + e^-x) */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}
