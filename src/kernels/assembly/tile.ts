/**
 * The tile that matrix products and convolutions share: four rows of output by eight columns, or by sixteen in the wide build. Eight sums of four floats,
 * two vectors of W and one of the input fit V8's sixteen registers; six rows by eight columns, or two k per turn, spill and run at half the speed.
 * The wide build counts two 128-bit vectors as one register, so there the same holds of sixteen columns, which read each input once for both panels
 * (two k per turn cost it 1.4 to 1.7 times as long, too).
 *
 * A kernel writes the loop over k itself, because sums cannot be handed out of a function; with the flag `wide`, a constant at every call, the same
 * lines make both widths, and the compiler drops the second half where it is false. What comes after the sums is here.
 */
import { NONE, finish } from './epilogue'
import { high, low, put, putSum } from './simd'

/**
 * Eight columns of four rows: adds what is there (`add`) or the biases at the pair `bias` (not 0), applies the epilogue and stores at the pairs c0 to c3.
 * h0 to h3 are the layer's own outputs for epilogues that need them. Rows may repeat: all is read before anything is written, so that
 * a repeated one is not added twice.
 */
// @ts-ignore: decorator
@inline
export function storeTile(
  c0: usize, c1: usize, c2: usize, c3: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  add: i32, bias: usize, epilogue: i32, h0: usize, h1: usize, h2: usize, h3: usize,
): void {
  if (add) {
    c00 = f32x4.add(c00, low(c0)); c01 = f32x4.add(c01, high(c0))
    c10 = f32x4.add(c10, low(c1)); c11 = f32x4.add(c11, high(c1))
    c20 = f32x4.add(c20, low(c2)); c21 = f32x4.add(c21, high(c2))
    c30 = f32x4.add(c30, low(c3)); c31 = f32x4.add(c31, high(c3))
  } else if (bias) {
    const bias0 = low(bias)
    const bias1 = high(bias)
    c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1)
    c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1)
    c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1)
    c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1)
  }
  if (epilogue == NONE) {
    put(c0, c00, c01)
    put(c1, c10, c11)
    put(c2, c20, c21)
    put(c3, c30, c31)
  } else {
    finish(c0, c00, c01, epilogue, h0)
    finish(c1, c10, c11, epilogue, h1)
    finish(c2, c20, c21, epilogue, h2)
    finish(c3, c30, c31, epilogue, h3)
  }
}

/** Adds four rows of eight to the pairs from `target` on, without the first `skip`. */
// @ts-ignore: decorator
@inline
export function addRows(
  target: usize,
  skip: i32,
  c00: v128,
  c01: v128,
  c10: v128,
  c11: v128,
  c20: v128,
  c21: v128,
  c30: v128,
  c31: v128,
): void {
  if (skip < 1) putSum(target, c00, c01)
  if (skip < 2) putSum(target + 32, c10, c11)
  if (skip < 3) putSum(target + 64, c20, c21)
  putSum(target + 96, c30, c31)
}
