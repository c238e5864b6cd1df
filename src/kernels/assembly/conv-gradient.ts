/** Gradients of a convolution; see conv.ts for the layout of images, places and W. D [images][places][filters] is the gradient at its output. */
import { madd, splat, zero } from './simd'
import { put } from './weight-gradient'

/** Images whose part of dW is summed in registers before it is written: few enough that they stay in the cache for all tiles of dW. */
const GROUP: i32 = 8

/** dW (and db) over all images and places, or added to what is there. */
export function convWeightGradient(
  x: usize,
  xStride: usize,
  d: usize,
  dStride: usize,
  dw: usize,
  db: usize,
  images: i32,
  places: i32,
  offsets: usize,
  kernel: i32,
  segment: i32,
  imageRow: usize,
  filters: i32,
  accumulate: i32,
): void {
  for (let begin = 0; begin < images; begin += GROUP) {
    const group = min(GROUP, images - begin)
    const first = <usize>begin
    const add = accumulate | i32(begin > 0)
    groupGradient(x + first * xStride, xStride, d + first * dStride, dStride, dw, group, places, offsets, kernel, segment, imageRow, filters, add)
    biasGradient(d + first * dStride, dStride, db, group, places, filters, add)
  }
}

function groupGradient(
  x: usize,
  xStride: usize,
  d: usize,
  dStride: usize,
  dw: usize,
  images: i32,
  places: i32,
  offsets: usize,
  kernel: i32,
  segment: i32,
  imageRow: usize,
  filters: i32,
  accumulate: i32,
): void {
  const place = <usize>filters << 2
  const offsetsEnd = offsets + (<usize>places << 2)
  for (let j = 0; j < filters; j += 8) {
    for (let row = 0; row < kernel; row++) {
      const target = dw + (<usize>((j >> 3) * kernel * segment + row * segment) << 5)
      for (let i = 0; i < segment; i += 4) {
        // As in weightGradient: a last tile that would run over moves back. Segments below four read past their run, and that is not stored.
        const begin = max(0, min(i, segment - 4))
        const skip = i - begin
        let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        const corner = <usize>row * imageRow + (<usize>begin << 2)
        for (let image = 0; image < images; image++) {
          const xImage = x + <usize>image * xStride + corner
          let q = d + <usize>image * dStride + (<usize>j << 2)
          for (let at = offsets; at < offsetsEnd; at += 4) {
            const p = xImage + load<u32>(at)
            const d0 = v128.load(q)
            const d1 = v128.load(q, 16)
            let v = v128.load32_splat(p)
            c00 = madd(v, d0, c00); c01 = madd(v, d1, c01)
            v = v128.load32_splat(p, 4)
            c10 = madd(v, d0, c10); c11 = madd(v, d1, c11)
            v = v128.load32_splat(p, 8)
            c20 = madd(v, d0, c20); c21 = madd(v, d1, c21)
            v = v128.load32_splat(p, 12)
            c30 = madd(v, d0, c30); c31 = madd(v, d1, c31)
            q += place
          }
        }
        const tile = target + (<usize>begin << 5)
        const count = segment - begin
        if (skip < 1) put(tile, accumulate, c00, c01)
        if (skip < 2 && count > 1) put(tile + 32, accumulate, c10, c11)
        if (skip < 3 && count > 2) put(tile + 64, accumulate, c20, c21)
        if (count > 3) put(tile + 96, accumulate, c30, c31)
      }
    }
  }
}

function biasGradient(d: usize, dStride: usize, db: usize, images: i32, places: i32, filters: i32, accumulate: i32): void {
  const place = <usize>filters << 2
  for (let j = 0; j < filters; j += 8) {
    const column = <usize>j << 2
    let c0 = zero(), c1 = c0
    for (let image = 0; image < images; image++) {
      let q = d + <usize>image * dStride + column
      for (const end = q + <usize>places * place; q < end; q += place) {
        c0 = f32x4.add(c0, v128.load(q))
        c1 = f32x4.add(c1, v128.load(q, 16))
      }
    }
    put(db + column, accumulate, c0, c1)
  }
}

/**
 * The gradient at the input: each place's D W^T, added where the place lies. `dx` images must hold zeros (or what is to be added to).
 * W^T is packed like a dense layer's with rows = filters; its eight-column panels never straddle two runs because channels are a multiple of 8.
 */
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
  const place = <usize>filters << 2
  const panel = <usize>filters << 5
  const lastPlace = <usize>(places - 1) * place
  const whole = places & ~3
  for (let image = 0; image < images; image++, d += dStride, dx += dxStride) {
    let w = wt
    for (let row = 0; row < kernel; row++) {
      for (let column = 0; column < segment; column += 8, w += panel) {
        const target = dx + <usize>row * imageRow + (<usize>column << 2)
        const wEnd = w + panel
        for (let i = 0; i < places; i += 4) {
          const at = offsets + (<usize>i << 2)
          const d0 = <usize>i * place
          let a0 = d + d0
          let a1 = d + min(d0 + place, lastPlace)
          let a2 = d + min(d0 + place * 2, lastPlace)
          let a3 = d + min(d0 + place * 3, lastPlace)
          let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
          let p = w
          do {
            const w0 = v128.load(p)
            const w1 = v128.load(p, 16)
            let v = splat(a0)
            c00 = madd(v, w0, c00); c01 = madd(v, w1, c01)
            v = splat(a1)
            c10 = madd(v, w0, c10); c11 = madd(v, w1, c11)
            v = splat(a2)
            c20 = madd(v, w0, c20); c21 = madd(v, w1, c21)
            v = splat(a3)
            c30 = madd(v, w0, c30); c31 = madd(v, w1, c31)
            p += 32
            a0 += 4
            a1 += 4
            a2 += 4
            a3 += 4
          } while (p < wEnd)
          // Neighbouring places overlap in the image, so they add one after the other; repeated last places must not add again.
          put(target + load<u32>(at), 1, c00, c01)
          const left = i < whole ? 4 : places - i
          if (left > 1) put(target + load<u32>(at, 4), 1, c10, c11)
          if (left > 2) put(target + load<u32>(at, 8), 1, c20, c21)
          if (left > 3) put(target + load<u32>(at, 12), 1, c30, c31)
        }
      }
    }
  }
}
