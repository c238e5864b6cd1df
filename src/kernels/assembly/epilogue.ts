/** What happens to a tile of a matrix product before it is stored, while it still sits in registers: saves a pass over the output. */
import { max4, zero } from './simd'

export const NONE: i32 = 0
/** max(c, 0) */
export const RELU: i32 = 1
/** c (1 - h^2), the chain rule through h = tanh(x) */
export const TANH_SLOPE: i32 = 2
/** c where h > 0, else 0, the chain rule through h = relu(x) */
export const RELU_SLOPE: i32 = 3

/** `h` is the address in the auxiliary matrix (the layer's own output) that belongs to the four values `c`. */
// @ts-ignore: decorator
@inline
export function finish(c: v128, epilogue: i32, h: usize): v128 {
  if (epilogue == NONE) return c
  if (epilogue == RELU) return max4(c, zero())
  const output = v128.load(h)
  if (epilogue == TANH_SLOPE) return f32x4.mul(c, f32x4.sub(f32x4.splat(1), f32x4.mul(output, output)))
  return v128.and(c, f32x4.gt(output, zero()))
}
