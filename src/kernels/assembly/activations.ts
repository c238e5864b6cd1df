/**
 * Activations that are too long for the matrix product's epilogue, as passes over a chunk of rows that still sits in the cache, and slopes
 * (the chain rule through an activation) where no product precedes them. Rows have strides in bytes; `columns` is a multiple of 8.
 */
import { madd, max4, zero } from './simd'
import { sigmoid4, tanh4 } from './maths'

export const LINEAR: i32 = 0
export const RELU: i32 = 1
export const TANH: i32 = 2
export const SILU: i32 = 3

/** y = activation(x) for tanh and SiLU; y may be x. */
export function activate(x: usize, y: usize, stride: usize, rows: i32, columns: i32, activation: i32): void {
  const width = <usize>columns << 2
  for (let i = 0; i < rows; i++, x += stride, y += stride) {
    if (activation == TANH) {
      for (let c: usize = 0; c < width; c += 32) {
        v128.store(y + c, tanh4(v128.load(x + c)))
        v128.store(y + c, tanh4(v128.load(x + c, 16)), 16)
      }
    } else if (activation == SILU) {
      for (let c: usize = 0; c < width; c += 16) {
        const v = v128.load(x + c)
        v128.store(y + c, f32x4.mul(v, sigmoid4(v)))
      }
    } else {
      for (let c: usize = 0; c < width; c += 16) v128.store(y + c, max4(v128.load(x + c), zero()))
    }
  }
}

/** d *= activation'(x); `saved` is the activation's output for ReLU and tanh, its input for SiLU. */
export function slope(d: usize, saved: usize, stride: usize, rows: i32, columns: i32, activation: i32): void {
  const width = <usize>columns << 2
  const one = f32x4.splat(1)
  for (let i = 0; i < rows; i++, d += stride, saved += stride) {
    for (let c: usize = 0; c < width; c += 16) {
      const v = v128.load(saved + c)
      const g = v128.load(d + c)
      if (activation == TANH) v128.store(d + c, f32x4.mul(g, f32x4.sub(one, f32x4.mul(v, v))))
      else if (activation == RELU) v128.store(d + c, v128.and(g, f32x4.gt(v, zero())))
      else {
        // (x s)' = s (1 + x (1 - s)) with s = sigmoid(x)
        const s = sigmoid4(v)
        v128.store(d + c, f32x4.mul(g, f32x4.mul(s, madd(v, f32x4.sub(one, s), one))))
      }
    }
  }
}
