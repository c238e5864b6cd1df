/**
 * The gradient at a convolution's input: each place's D W^T, added where the place lies. See conv.ts for the layout of images, places and W.
 * `dx` images must hold zeros (or what is to be added to). W^T is packed like a dense layer's with rows = filters; its eight-column panels never
 * straddle two runs because channels are a multiple of 8.
 *
 * Four places at a time: one after another takes 1.5 times as long, 1.07 to 1.09 for an update of 320 rows of MinAtar with a second convolution or of
 * 32 of Nature. D W^T by gemm into a buffer, added from there, takes 1.2 times as long on MinAtar's 8 by 8 and 0.93 on Nature's images.
 */
import { BEFORE, high, low, madd, putSum, splat, zero } from './simd'

export function convInputGradient(
  d: usize,
  dStride: usize,
  wt: usize,
  dx: usize,
  dxStride: usize,
  images: i32,
  places: i32,
  offsets: usize,
  kernel: i32,
  segment: i32,
  imageRow: usize,
  filters: i32,
): void {
  const panel = <usize>filters << 5
  for (let image = 0; image < images; image++, d += dStride, dx += dxStride) {
    let w = wt
    for (let row = 0; row < kernel; row++) {
      const target = dx + <usize>row * imageRow
      let column = 0
      // Both panels must be channels of one place in the image: else sums would meet in another order than in the other builds.
      if (WIDE && (segment / kernel) % 16 == 0) {
        for (; column + 16 <= segment; column += 16, w += panel << 1) tiles(true, d, w, panel, target + (<usize>column << 2), places, offsets, filters)
      }
      for (; column < segment; column += 8, w += panel) tiles(false, d, w, panel, target + (<usize>column << 2), places, offsets, filters)
    }
  }
}

/** One panel of one image, or two with `wide` (see tile.ts): four places at a time. */
// @ts-ignore: decorator
@inline
function tiles(wide: bool, d: usize, w: usize, panel: usize, target: usize, places: i32, offsets: usize, filters: i32): void {
  w -= BEFORE
  target -= BEFORE
  const place = <usize>filters << 2
  const last = d + <usize>(places - 1) * place
  const wEnd = w + panel
  for (let i = 0; i < places; i += 4) {
    const at = offsets + (<usize>i << 2)
    let a0 = d + <usize>i * place
    let a1 = min(a0 + place, last), a2 = min(a1 + place, last), a3 = min(a2 + place, last)
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
    let c02 = zero(), c03 = c02, c12 = c02, c13 = c02, c22 = c02, c23 = c02, c32 = c02, c33 = c02
    let p = w
    let q = w + panel
    do {
      const w0 = low(p)
      const w1 = high(p)
      const w2 = wide ? low(q) : w0
      const w3 = wide ? high(q) : w1
      let v = splat(a0)
      c00 = madd(v, w0, c00); c01 = madd(v, w1, c01)
      if (wide) { c02 = madd(v, w2, c02); c03 = madd(v, w3, c03) }
      v = splat(a1)
      c10 = madd(v, w0, c10); c11 = madd(v, w1, c11)
      if (wide) { c12 = madd(v, w2, c12); c13 = madd(v, w3, c13) }
      v = splat(a2)
      c20 = madd(v, w0, c20); c21 = madd(v, w1, c21)
      if (wide) { c22 = madd(v, w2, c22); c23 = madd(v, w3, c23) }
      v = splat(a3)
      c30 = madd(v, w0, c30); c31 = madd(v, w1, c31)
      if (wide) { c32 = madd(v, w2, c32); c33 = madd(v, w3, c33) }
      p += 32
      if (wide) q += 32
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
    } while (p < wEnd)
    // Neighbouring places overlap in the image, so they add one after the other; repeated last places must not add again.
    const left = places - i
    addPlace(wide, target + load<u32>(at), c00, c01, c02, c03)
    if (left > 1) addPlace(wide, target + load<u32>(at, 4), c10, c11, c12, c13)
    if (left > 2) addPlace(wide, target + load<u32>(at, 8), c20, c21, c22, c23)
    if (left > 3) addPlace(wide, target + load<u32>(at, 12), c30, c31, c32, c33)
  }
}

// @ts-ignore: decorator
@inline
function addPlace(wide: bool, target: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  putSum(target, c0, c1)
  if (wide) putSum(target + 32, c2, c3)
}
