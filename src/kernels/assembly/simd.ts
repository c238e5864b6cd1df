/**
 * The few vector operations of which the builds differ, and what every kernel needs besides. scripts/build-kernels.ts makes three builds:
 *
 * - relaxed (RELAXED = 1): the processor may fuse multiply and add into one instruction, with one rounding instead of two;
 * - deterministic: only instructions whose result IEEE 754 and the WebAssembly specification fix to the bit;
 * - wide (WIDE = 1): the same arithmetic in the same order as the deterministic build, to the bit, but with tiles of twice the width for machines
 *   where V8's vectoriser turns two neighbouring 128-bit operations into one of 256 bits (see compile.ts one folder up). Without it V8 runs
 *   out of registers on such tiles. The fused multiply-add is not among what that pass of Node 22 knows: with it these tiles take three times as long.
 *
 * Eight floats are loaded and stored as a pair of neighbouring vectors. The vectoriser sees two addresses as neighbours only when both
 * carry a constant offset other than 0; so pairs are addressed by a pointer BEFORE bytes ahead of them. It also does not know constants
 * and scalars spread over a vector, only loads that spread one; so constants of such loops lie in memory. And it follows a sum through a loop only
 * when the value leaves from the end of the body: such loops are do-while. V8 unrolls an inner loop by how deep it is nested (50 nodes a level), so tiles
 * are inlined into the loops over blocks and panels: as functions of their own they run at two thirds of the speed.
 *
 * What the wide build takes without these, over updates of MLP 4-64-64 (320 rows), 17-256-256 (256) and MinAtar (320): pointers without BEFORE 2.3,
 * 3.5 and 3.9 times as long, while loops 2.1, 2.5 and 2.5; constants spread from scalars 2.5 times as long for a pass of tanh, 1.16, 1.07 and 1.0.
 *
 * "Times as long" in this folder sets a build beside one that has the one thing written plainly: medians of 50 or more blocks in turn, processor time,
 * AMD EPYC, Node 22.23, other work on the machine; the wide build, for whole arrays and the categorical head the deterministic one. Two copies of
 * one build came out up to 2 % apart, and in whole updates of 32 or 80 rows, much of which is no kernel, up to 8 %.
 */

/** How far ahead of its data the pointer to a pair stands. */
export const BEFORE: usize = 16

/** First half of the eight floats at p + BEFORE. */
// @ts-ignore: decorator
@inline
export function low(p: usize): v128 {
  return v128.load(p, 16)
}

/** Second half of the eight floats at p + BEFORE. */
// @ts-ignore: decorator
@inline
export function high(p: usize): v128 {
  return v128.load(p, 32)
}

/** Eight floats to p + BEFORE. */
// @ts-ignore: decorator
@inline
export function put(p: usize, a: v128, b: v128): void {
  v128.store(p, a, 16)
  v128.store(p, b, 32)
}

/** Adds eight floats to those at p + BEFORE. */
// @ts-ignore: decorator
@inline
export function putSum(p: usize, a: v128, b: v128): void {
  put(p, f32x4.add(a, low(p)), f32x4.add(b, high(p)))
}

/** a * b + c: one rounding in the relaxed build where the processor can, two in the others. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/**
 * max(a, b) as `a < b ? b : a`: one instruction on x86, where f32x4.max needs seven to order NaN and -0. With those a pass of tanh takes 1.5 times as
 * long, inference of 16 rows by MLP 4-64-64 with ReLU 1.05, a MinAtar update the same.
 */
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
