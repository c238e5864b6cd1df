/**
 * Activations that are too long for the matrix product's epilogue, as passes over a chunk of rows that still sits in the cache, and slopes
 * (the chain rule through an activation) where no product precedes them. Rows have strides in bytes; `columns` is a multiple of 8.
 *
 * Eight floats a turn: four take 1.9 times as long, tanh and SiLU alike. With tanh in the epilogue forward passes of 16 to 320 rows of MLP 4-64-64 take
 * 0.97 to 0.94 of the time, but one row of 17-256-256 1.04 and MinAtar, which has no tanh, 1.03; in 128-bit builds nothing differs.
 */
import { BEFORE, high, low, madd, put, zero } from './simd'
import { one4, sigmoid4, tanh4 } from './maths'

export const LINEAR: i32 = 0
export const RELU: i32 = 1
export const TANH: i32 = 2
export const SILU: i32 = 3

/** y = activation(x) for tanh and SiLU; y may be x. */
export function activate(x: usize, y: usize, stride: usize, rows: i32, columns: i32, activation: i32): void {
  const width = <usize>columns << 2
  x -= BEFORE
  y -= BEFORE
  for (let i = 0; i < rows; i++, x += stride, y += stride) {
    if (activation == TANH) for (let c: usize = 0; c < width; c += 32) put(y + c, tanh4(low(x + c)), tanh4(high(x + c)))
    else for (let c: usize = 0; c < width; c += 32) put(y + c, silu4(low(x + c)), silu4(high(x + c)))
  }
}

// @ts-ignore: decorator
@inline
function silu4(x: v128): v128 {
  return f32x4.mul(x, sigmoid4(x))
}

/** d *= activation'(x); `saved` is the activation's output for ReLU and tanh, its input for SiLU. */
export function slope(d: usize, saved: usize, stride: usize, rows: i32, columns: i32, activation: i32): void {
  const width = <usize>columns << 2
  d -= BEFORE
  saved -= BEFORE
  for (let i = 0; i < rows; i++, d += stride, saved += stride) {
    for (let c: usize = 0; c < width; c += 32) {
      const p = d + c
      const q = saved + c
      if (activation == TANH) put(p, tanhSlope(low(p), low(q)), tanhSlope(high(p), high(q)))
      else if (activation == RELU) put(p, v128.and(low(p), f32x4.gt(low(q), zero())), v128.and(high(p), f32x4.gt(high(q), zero())))
      else put(p, siluSlope(low(p), low(q)), siluSlope(high(p), high(q)))
    }
  }
}

// @ts-ignore: decorator
@inline
function tanhSlope(d: v128, output: v128): v128 {
  return f32x4.mul(d, f32x4.sub(one4(), f32x4.mul(output, output)))
}

/** (x s)' = s (1 + x (1 - s)) with s = sigmoid(x) */
// @ts-ignore: decorator
@inline
function siluSlope(d: v128, x: v128): v128 {
  const one = one4()
  const s = sigmoid4(x)
  return f32x4.mul(d, f32x4.mul(s, madd(x, f32x4.sub(one, s), one)))
}
