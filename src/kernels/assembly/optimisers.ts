/**
 * One optimiser step over whole arenas of `count` floats (a multiple of 8). `scale` is the clipping factor, applied to the gradient on the fly:
 * clipping costs no pass of its own. That pass would not be measurable beside an update (0.95 to 1.04 times as long, without order).
 */
import { BEFORE, high, low, madd, put, splat } from './simd'

// Coefficients are read from memory at `k`, in the order in which each comment names them, rather than passed: see simd.ts.

/**
 * A moment, or 0 where its magnitude does not pass `least`: a unit that is never active has gradients of 0, its moments decay to denormal numbers and stay
 * there, and x86 takes some 150 cycles for each of those (Adam on two layers of 256 that learn CartPole: 67 microseconds instead of 24).
 */
// @ts-ignore: decorator
@inline
function settled(moment: v128, least: v128): v128 {
  return v128.and(moment, f32x4.gt(f32x4.abs(moment), least))
}

/** v = momentum v + g; p -= rate v. Coefficients: scale, momentum, -rate, least. */
export function sgd(p: usize, g: usize, v: usize, count: i32, k: usize): void {
  p -= BEFORE
  g -= BEFORE
  v -= BEFORE
  for (const end = p + (<usize>count << 2); p < end; p += 32, g += 32, v += 32) {
    const v0 = settled(madd(low(v), splat(k + 4), f32x4.mul(low(g), splat(k))), splat(k + 12))
    const v1 = settled(madd(high(v), splat(k + 4), f32x4.mul(high(g), splat(k))), splat(k + 12))
    put(v, v0, v1)
    put(p, madd(v0, splat(k + 8), low(p)), madd(v1, splat(k + 8), high(p)))
  }
}

/**
 * s = decay s + (1 - decay) g^2; p -= rate g / (sqrt(s + inside) + beside). [Tieleman and Hinton 2012]
 * Coefficients: scale, decay, 1 - decay, -rate, inside, beside, least; epsilon is one of inside and beside and the other 0.
 */
export function rmsprop(p: usize, g: usize, s: usize, count: i32, k: usize): void {
  p -= BEFORE
  g -= BEFORE
  s -= BEFORE
  for (const end = p + (<usize>count << 2); p < end; p += 32, g += 32, s += 32) {
    const g0 = f32x4.mul(low(g), splat(k))
    const g1 = f32x4.mul(high(g), splat(k))
    const s0 = settled(madd(f32x4.mul(g0, g0), splat(k + 8), f32x4.mul(low(s), splat(k + 4))), splat(k + 24))
    const s1 = settled(madd(f32x4.mul(g1, g1), splat(k + 8), f32x4.mul(high(s), splat(k + 4))), splat(k + 24))
    put(s, s0, s1)
    const d0 = f32x4.add(f32x4.sqrt(f32x4.add(s0, splat(k + 16))), splat(k + 20))
    const d1 = f32x4.add(f32x4.sqrt(f32x4.add(s1, splat(k + 16))), splat(k + 20))
    put(p, f32x4.add(low(p), f32x4.div(f32x4.mul(g0, splat(k + 12)), d0)), f32x4.add(high(p), f32x4.div(f32x4.mul(g1, splat(k + 12)), d1)))
  }
}

/**
 * m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p = keep p - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
 * with correction = 1 - beta^t. `keep` is 1, or 1 - rate weightDecay for AdamW. [Kingma and Ba 2015; Loshchilov and Hutter 2019]
 * Coefficients: scale, beta1, 1 - beta1, beta2, 1 - beta2, -rate / correction1, 1 / sqrt(correction2), epsilon, keep, least.
 */
export function adam(p: usize, g: usize, m: usize, v: usize, count: i32, k: usize): void {
  p -= BEFORE
  g -= BEFORE
  m -= BEFORE
  v -= BEFORE
  for (const end = p + (<usize>count << 2); p < end; p += 32, g += 32, m += 32, v += 32) {
    const g0 = f32x4.mul(low(g), splat(k))
    const g1 = f32x4.mul(high(g), splat(k))
    const m0 = settled(madd(g0, splat(k + 8), f32x4.mul(low(m), splat(k + 4))), splat(k + 36))
    const m1 = settled(madd(g1, splat(k + 8), f32x4.mul(high(m), splat(k + 4))), splat(k + 36))
    const v0 = settled(madd(f32x4.mul(g0, g0), splat(k + 16), f32x4.mul(low(v), splat(k + 12))), splat(k + 36))
    const v1 = settled(madd(f32x4.mul(g1, g1), splat(k + 16), f32x4.mul(high(v), splat(k + 12))), splat(k + 36))
    put(m, m0, m1)
    put(v, v0, v1)
    const d0 = madd(f32x4.sqrt(v0), splat(k + 24), splat(k + 28))
    const d1 = madd(f32x4.sqrt(v1), splat(k + 24), splat(k + 28))
    const move0 = f32x4.div(f32x4.mul(m0, splat(k + 20)), d0)
    const move1 = f32x4.div(f32x4.mul(m1, splat(k + 20)), d1)
    put(p, madd(low(p), splat(k + 32), move0), madd(high(p), splat(k + 32), move1))
  }
}
