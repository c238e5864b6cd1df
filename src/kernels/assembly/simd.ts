/**
 * The few vector operations of which the two builds differ, and what every kernel needs besides.
 * RELAXED (0 or 1) is set by scripts/build-kernels.ts. The deterministic build has only instructions whose result IEEE 754 and the WebAssembly
 * specification fix to the bit; the relaxed one lets the processor fuse multiply and add into one instruction, which doubles the peak.
 */

/** a * b + c: one rounding in the relaxed build where the processor can, two in the other. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** max(a, b) as `a < b ? b : a`: one instruction on x86, where f32x4.max needs seven to order NaN and -0. */
// @ts-ignore: decorator
@inline
export function max4(a: v128, b: v128): v128 {
  return f32x4.pmax(a, b)
}

// @ts-ignore: decorator
@inline
export function min4(a: v128, b: v128): v128 {
  return f32x4.pmin(a, b)
}

/** The float at address `p` in all four lanes. */
// @ts-ignore: decorator
@inline
export function splat(p: usize): v128 {
  return v128.load32_splat(p)
}

// @ts-ignore: decorator
@inline
export function zero(): v128 {
  return f32x4.splat(0)
}

/** Sum of the four lanes, pairwise. */
// @ts-ignore: decorator
@inline
export function sum4(v: v128): f32 {
  v = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  v = f32x4.add(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2))
  return f32x4.extract_lane(v, 0)
}

/** Sum of four float lanes in double precision. */
// @ts-ignore: decorator
@inline
export function sumWide(v: v128): f64 {
  const pair = f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1)))
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}
