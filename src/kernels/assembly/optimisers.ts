/**
 * One optimiser step over whole arenas of `count` floats (a multiple of 4). `scale` is the clipping factor, applied to the gradient on the fly:
 * clipping costs no pass of its own.
 */
import { madd, sumWide, zero } from './simd'

/** Floats that are summed in single precision before the sum moves to double: keeps the error of a norm below 1e-6 whatever the length. */
const BLOCK: usize = 1024 * 4

/** Sum of squares. */
export function squares(x: usize, count: i32): f64 {
  let total: f64 = 0
  const end = x + (<usize>count << 2)
  while (x < end) {
    const stop = min(x + BLOCK, end)
    let a = zero(), b = a, c = a, d = a
    // Four sums in flight hide the latency of the multiply-add.
    for (; x + 64 <= stop; x += 64) {
      let v = v128.load(x)
      a = madd(v, v, a)
      v = v128.load(x, 16)
      b = madd(v, v, b)
      v = v128.load(x, 32)
      c = madd(v, v, c)
      v = v128.load(x, 48)
      d = madd(v, v, d)
    }
    for (; x < stop; x += 16) {
      const v = v128.load(x)
      a = madd(v, v, a)
    }
    total += sumWide(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)))
  }
  return total
}

/** v = momentum v + g; p -= rate v */
export function sgd(p: usize, g: usize, v: usize, count: i32, scale: f32, rate: f32, momentum: f32): void {
  const scales = f32x4.splat(scale)
  const momenta = f32x4.splat(momentum)
  const step = f32x4.splat(-rate)
  for (const end = p + (<usize>count << 2); p < end; p += 16, g += 16, v += 16) {
    const velocity = madd(v128.load(v), momenta, f32x4.mul(v128.load(g), scales))
    v128.store(v, velocity)
    v128.store(p, madd(velocity, step, v128.load(p)))
  }
}

/** s = decay s + (1 - decay) g^2; p -= rate g / (sqrt(s) + epsilon), or / sqrt(s + epsilon) with `inside`. [Tieleman and Hinton 2012] */
export function rmsprop(p: usize, g: usize, s: usize, count: i32, scale: f32, rate: f32, decay: f32, rest: f32, epsilon: f32, inside: i32): void {
  const scales = f32x4.splat(scale)
  const decays = f32x4.splat(decay)
  const rests = f32x4.splat(rest)
  const step = f32x4.splat(-rate)
  const within = f32x4.splat(inside ? epsilon : 0)
  const beside = f32x4.splat(inside ? 0 : epsilon)
  for (const end = p + (<usize>count << 2); p < end; p += 16, g += 16, s += 16) {
    const gradient = f32x4.mul(v128.load(g), scales)
    const square = madd(f32x4.mul(gradient, gradient), rests, f32x4.mul(v128.load(s), decays))
    v128.store(s, square)
    const divisor = f32x4.add(f32x4.sqrt(f32x4.add(square, within)), beside)
    v128.store(p, f32x4.add(v128.load(p), f32x4.div(f32x4.mul(gradient, step), divisor)))
  }
}

/**
 * m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p = keep p - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
 * with correction = 1 - beta^t. `keep` is 1, or 1 - rate weightDecay for AdamW. [Kingma and Ba 2015; Loshchilov and Hutter 2019]
 * `step` = rate / correction1 and `unbias` = 1 / sqrt(correction2) are given by the caller; rest = 1 - beta.
 */
export function adam(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  count: i32,
  scale: f32,
  step: f32,
  unbias: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  epsilon: f32,
  keep: f32,
): void {
  const scales = f32x4.splat(scale)
  const betas1 = f32x4.splat(beta1)
  const rests1 = f32x4.splat(rest1)
  const betas2 = f32x4.splat(beta2)
  const rests2 = f32x4.splat(rest2)
  const steps = f32x4.splat(-step)
  const unbiases = f32x4.splat(unbias)
  const epsilons = f32x4.splat(epsilon)
  const keeps = f32x4.splat(keep)
  for (const end = p + (<usize>count << 2); p < end; p += 16, g += 16, m += 16, v += 16) {
    const gradient = f32x4.mul(v128.load(g), scales)
    const first = madd(gradient, rests1, f32x4.mul(v128.load(m), betas1))
    const second = madd(f32x4.mul(gradient, gradient), rests2, f32x4.mul(v128.load(v), betas2))
    v128.store(m, first)
    v128.store(v, second)
    const move = f32x4.div(f32x4.mul(first, steps), madd(f32x4.sqrt(second), unbiases, epsilons))
    v128.store(p, madd(v128.load(p), keeps, move))
  }
}
