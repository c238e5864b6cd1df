/**
 * The categorical head: log-softmax of rows of `classes` logits, what a loss needs of it, and the way back.
 * Four rows at a time, one to a lane: rows are short and many, and so no lane is wasted and nothing is summed across lanes. Measured on 320 rows of
 * 2 to 18 classes: one row after another takes 3 times as long; the lanes along each row 3 (2 classes) to 1.3 times (18), and their gradient 1.5 to 0.8.
 * An action that is no class counts as the last one, so that nothing outside the arrays is touched.
 */
import { exp4, log4 } from './maths'
import { madd, max4, splat, zero } from './simd'

/** Logits this far below the largest have probability 0; exp4 would give e^-87, and times minus infinity that is no number. */
const FAR: f32 = -87

/** Four floats from four addresses. */
// @ts-ignore: decorator
@inline
function gather(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  return v128.load32_lane(p3, v128.load32_lane(p2, v128.load32_lane(p1, v128.load32_zero(p0), 1), 2), 3)
}

// @ts-ignore: decorator
@inline
function scatter(v: v128, p0: usize, p1: usize, p2: usize, p3: usize): void {
  v128.store32_lane(p0, v, 0)
  v128.store32_lane(p1, v, 1)
  v128.store32_lane(p2, v, 2)
  v128.store32_lane(p3, v, 3)
}

/**
 * For `rows` rows: log-softmax of `logits` [rows, classes] into `logPolicy`, that of the actions taken (32-bit integers) into `logProbs`, and the
 * entropies in nats.
 */
export function categorical(logits: usize, classes: i32, actions: usize, logPolicy: usize, logProbs: usize, entropies: usize, rows: i32): void {
  const width = <usize>classes << 2
  const last = rows - 1
  const far = f32x4.splat(FAR)
  for (let i = 0; i < rows; i += 4) {
    // Rows behind the last are the last again: computed and written twice.
    const r0 = <usize>i * width, r1 = <usize>min(i + 1, last) * width, r2 = <usize>min(i + 2, last) * width, r3 = <usize>min(i + 3, last) * width
    let most = gather(logits + r0, logits + r1, logits + r2, logits + r3)
    for (let j: usize = 4; j < width; j += 4) most = max4(most, gather(logits + r0 + j, logits + r1 + j, logits + r2 + j, logits + r3 + j))
    let sum = zero()
    let weighted = zero()
    for (let j: usize = 0; j < width; j += 4) {
      const above = f32x4.sub(gather(logits + r0 + j, logits + r1 + j, logits + r2 + j, logits + r3 + j), most)
      // Not "above > far": a NaN must stay.
      const near = v128.not(f32x4.lt(above, far))
      const weight = v128.and(exp4(above), near)
      sum = f32x4.add(sum, weight)
      weighted = f32x4.add(weighted, v128.and(f32x4.mul(weight, above), near))
    }
    const logSum = log4(sum)
    for (let j: usize = 0; j < width; j += 4) {
      const above = f32x4.sub(gather(logits + r0 + j, logits + r1 + j, logits + r2 + j, logits + r3 + j), most)
      scatter(f32x4.sub(above, logSum), logPolicy + r0 + j, logPolicy + r1 + j, logPolicy + r2 + j, logPolicy + r3 + j)
    }
    const entropy = f32x4.sub(logSum, f32x4.div(weighted, sum))
    for (let lane = i; lane < min(i + 4, rows); lane++) {
      const at = <usize>lane << 2
      store<f32>(logProbs + at, load<f32>(logPolicy + <usize>lane * width + (<usize>min<u32>(load<u32>(actions + at), classes - 1) << 2)))
    }
    const e = entropies + (<usize>i << 2)
    const e1 = <usize>min(i + 1, last) << 2, e2 = <usize>min(i + 2, last) << 2, e3 = <usize>min(i + 3, last) << 2
    scatter(entropy, e, entropies + e1, entropies + e2, entropies + e3)
  }
}

/**
 * dL/d(logits) from dL/d(log-probability of the action taken) [rows] and the float at `dEntropy`, dL/d(entropy) of every row:
 * d(log p_a)/dz_j = [j = a] - p_j; dH/dz_j = -p_j (log p_j + H).
 */
export function categoricalGradient(
  logPolicy: usize,
  classes: i32,
  actions: usize,
  entropies: usize,
  dLogProbs: usize,
  dEntropy: usize,
  dLogits: usize,
  rows: i32,
): void {
  const width = <usize>classes << 2
  const last = rows - 1
  const rate = splat(dEntropy)
  const far = f32x4.splat(FAR)
  for (let i = 0; i < rows; i += 4) {
    const i1 = <usize>min(i + 1, last), i2 = <usize>min(i + 2, last), i3 = <usize>min(i + 3, last)
    const r0 = <usize>i * width, r1 = i1 * width, r2 = i2 * width, r3 = i3 * width
    const at = <usize>i << 2
    const entropy = gather(entropies + at, entropies + (i1 << 2), entropies + (i2 << 2), entropies + (i3 << 2))
    const taken = gather(dLogProbs + at, dLogProbs + (i1 << 2), dLogProbs + (i2 << 2), dLogProbs + (i3 << 2))
    for (let j: usize = 0; j < width; j += 4) {
      const logP = gather(logPolicy + r0 + j, logPolicy + r1 + j, logPolicy + r2 + j, logPolicy + r3 + j)
      const near = v128.not(f32x4.lt(logP, far))
      const pull = madd(rate, f32x4.add(logP, entropy), taken)
      const d = v128.and(f32x4.neg(f32x4.mul(exp4(logP), pull)), near)
      scatter(d, dLogits + r0 + j, dLogits + r1 + j, dLogits + r2 + j, dLogits + r3 + j)
    }
    for (let lane = i; lane < min(i + 4, rows); lane++) {
      const action = min<u32>(load<u32>(actions + (<usize>lane << 2)), classes - 1)
      const target = dLogits + <usize>lane * width + (<usize>action << 2)
      store<f32>(target, load<f32>(target) + load<f32>(dLogProbs + (<usize>lane << 2)))
    }
  }
}
