/** Gradients of a convolution; see conv.ts for the layout of images, places and W. D [images][places][filters] is the gradient at its output. */
import { BEFORE, high, low, madd, putSum, splat, zero } from './simd'
import { addRows } from './weight-gradient'

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
  if (!accumulate) {
    memory.fill(dw, 0, <usize>(kernel * segment * filters) << 2)
    memory.fill(db, 0, <usize>filters << 2)
  }
  for (let begin = 0; begin < images; begin += GROUP) {
    const group = min(GROUP, images - begin)
    const xGroup = x + <usize>begin * xStride
    const dGroup = d + <usize>begin * dStride
    if (segment < 4) shallowGroup(xGroup, xStride, dGroup, dStride, dw, group, places, offsets, kernel, segment, imageRow, filters)
    else addGroup(xGroup, xStride, dGroup, dStride, dw, group, places, offsets, kernel, segment, imageRow, filters)
    addBiases(dGroup, dStride, db, group, places, filters)
  }
}

function addGroup(
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
): void {
  const place = <usize>filters << 2
  const panel = <usize>(kernel * segment) << 5
  const offsetsEnd = offsets + (<usize>places << 2)
  let j = 0
  if (WIDE) {
    for (; j + 16 <= filters; j += 16) {
      for (let row = 0; row < kernel; row++) {
        const target = dw - BEFORE + (<usize>((j >> 3) * kernel * segment + row * segment) << 5)
        for (let i = 0; i < segment; i += 4) {
          const begin = min(i, segment - 4)
          let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
          let c02 = zero(), c03 = c00, c12 = c00, c13 = c00, c22 = c00, c23 = c00, c32 = c00, c33 = c00
          const corner = <usize>row * imageRow + (<usize>begin << 2)
          let xImage = x + corner
          let dImage = d - BEFORE + (<usize>j << 2)
          let image = images
          do {
            let q = dImage
            let at = offsets
            do {
              const p = xImage + load<u32>(at)
              const d0 = low(q)
              const d1 = high(q)
              const d2 = low(q + 32)
              const d3 = high(q + 32)
              let v = v128.load32_splat(p)
              c00 = madd(v, d0, c00); c01 = madd(v, d1, c01); c02 = madd(v, d2, c02); c03 = madd(v, d3, c03)
              v = v128.load32_splat(p, 4)
              c10 = madd(v, d0, c10); c11 = madd(v, d1, c11); c12 = madd(v, d2, c12); c13 = madd(v, d3, c13)
              v = v128.load32_splat(p, 8)
              c20 = madd(v, d0, c20); c21 = madd(v, d1, c21); c22 = madd(v, d2, c22); c23 = madd(v, d3, c23)
              v = v128.load32_splat(p, 12)
              c30 = madd(v, d0, c30); c31 = madd(v, d1, c31); c32 = madd(v, d2, c32); c33 = madd(v, d3, c33)
              q += place
              at += 4
            } while (at < offsetsEnd)
            xImage += xStride
            dImage += dStride
          } while (--image)
          addRows(target + (<usize>begin << 5), i - begin, c00, c01, c10, c11, c20, c21, c30, c31)
          addRows(target + panel + (<usize>begin << 5), i - begin, c02, c03, c12, c13, c22, c23, c32, c33)
        }
      }
    }
  }
  for (; j < filters; j += 8) {
    for (let row = 0; row < kernel; row++) {
      const target = dw - BEFORE + (<usize>((j >> 3) * kernel * segment + row * segment) << 5)
      for (let i = 0; i < segment; i += 4) {
        // As in weightGradient: a last tile that would run over moves back. The runs here are of four floats or more.
        const begin = min(i, segment - 4)
        let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        const corner = <usize>row * imageRow + (<usize>begin << 2)
        let xImage = x + corner
        let dImage = d - BEFORE + (<usize>j << 2)
        let image = images
        do {
          let q = dImage
          let at = offsets
          do {
            const p = xImage + load<u32>(at)
            const d0 = low(q)
            const d1 = high(q)
            let v = v128.load32_splat(p)
            c00 = madd(v, d0, c00); c01 = madd(v, d1, c01)
            v = v128.load32_splat(p, 4)
            c10 = madd(v, d0, c10); c11 = madd(v, d1, c11)
            v = v128.load32_splat(p, 8)
            c20 = madd(v, d0, c20); c21 = madd(v, d1, c21)
            v = v128.load32_splat(p, 12)
            c30 = madd(v, d0, c30); c31 = madd(v, d1, c31)
            q += place
            at += 4
          } while (at < offsetsEnd)
          xImage += xStride
          dImage += dStride
        } while (--image)
        addRows(target + (<usize>begin << 5), i - begin, c00, c01, c10, c11, c20, c21, c30, c31)
      }
    }
  }
}

/** Runs of one to three floats (a small kernel on one channel): row by row of W. */
function shallowGroup(
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
): void {
  const place = <usize>filters << 2
  const offsetsEnd = offsets + (<usize>places << 2)
  for (let j = 0; j < filters; j += 8) {
    for (let row = 0; row < kernel; row++) {
      for (let i = 0; i < segment; i++) {
        let c0 = zero(), c1 = c0
        for (let image = 0; image < images; image++) {
          const xImage = x + <usize>image * xStride + <usize>row * imageRow + (<usize>i << 2)
          let q = d - BEFORE + <usize>image * dStride + (<usize>j << 2)
          for (let at = offsets; at < offsetsEnd; at += 4, q += place) {
            const v = splat(xImage + load<u32>(at))
            c0 = madd(v, low(q), c0)
            c1 = madd(v, high(q), c1)
          }
        }
        putSum(dw - BEFORE + (<usize>((j >> 3) * kernel * segment + row * segment + i) << 5), c0, c1)
      }
    }
  }
}

function addBiases(d: usize, dStride: usize, db: usize, images: i32, places: i32, filters: i32): void {
  const place = <usize>filters << 2
  for (let j = 0; j < filters; j += 8) {
    const column = (<usize>j << 2) - BEFORE
    let c0 = zero(), c1 = c0
    for (let image = 0; image < images; image++) {
      let q = d + <usize>image * dStride + column
      for (const end = q + <usize>places * place; q < end; q += place) {
        c0 = f32x4.add(c0, low(q))
        c1 = f32x4.add(c1, high(q))
      }
    }
    putSum(db + column, c0, c1)
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
  for (let image = 0; image < images; image++, d += dStride, dx += dxStride) {
    let w = wt - BEFORE
    for (let row = 0; row < kernel; row++) {
      let column = 0
      // Both panels must be channels of one place in the image: else sums would meet in another order than in the other builds.
      if (WIDE && (segment / kernel) % 16 == 0) {
        for (; column + 16 <= segment; column += 16, w += panel << 1) {
          const target = dx - BEFORE + <usize>row * imageRow + (<usize>column << 2)
          const wEnd = w + panel
          for (let i = 0; i < places; i += 4) {
            const at = offsets + (<usize>i << 2)
            const d0 = <usize>i * place
            let a0 = d + d0
            let a1 = d + min(d0 + place, lastPlace)
            let a2 = d + min(d0 + place * 2, lastPlace)
            let a3 = d + min(d0 + place * 3, lastPlace)
            let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
            let c02 = zero(), c03 = c00, c12 = c00, c13 = c00, c22 = c00, c23 = c00, c32 = c00, c33 = c00
            let p = w
            let q = w + panel
            do {
              const w0 = low(p)
              const w1 = high(p)
              const w2 = low(q)
              const w3 = high(q)
              let v = splat(a0)
              c00 = madd(v, w0, c00); c01 = madd(v, w1, c01); c02 = madd(v, w2, c02); c03 = madd(v, w3, c03)
              v = splat(a1)
              c10 = madd(v, w0, c10); c11 = madd(v, w1, c11); c12 = madd(v, w2, c12); c13 = madd(v, w3, c13)
              v = splat(a2)
              c20 = madd(v, w0, c20); c21 = madd(v, w1, c21); c22 = madd(v, w2, c22); c23 = madd(v, w3, c23)
              v = splat(a3)
              c30 = madd(v, w0, c30); c31 = madd(v, w1, c31); c32 = madd(v, w2, c32); c33 = madd(v, w3, c33)
              p += 32
              q += 32
              a0 += 4
              a1 += 4
              a2 += 4
              a3 += 4
            } while (p < wEnd)
            const left = places - i
            const t0 = target + load<u32>(at)
            putSum(t0, c00, c01); putSum(t0 + 32, c02, c03)
            if (left > 1) {
              const t1 = target + load<u32>(at, 4)
              putSum(t1, c10, c11); putSum(t1 + 32, c12, c13)
            }
            if (left > 2) {
              const t2 = target + load<u32>(at, 8)
              putSum(t2, c20, c21); putSum(t2 + 32, c22, c23)
            }
            if (left > 3) {
              const t3 = target + load<u32>(at, 12)
              putSum(t3, c30, c31); putSum(t3 + 32, c32, c33)
            }
          }
        }
      }
      for (; column < segment; column += 8, w += panel) {
        const target = dx - BEFORE + <usize>row * imageRow + (<usize>column << 2)
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
            const w0 = low(p)
            const w1 = high(p)
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
          const left = places - i
          putSum(target + load<u32>(at), c00, c01)
          if (left > 1) putSum(target + load<u32>(at, 4), c10, c11)
          if (left > 2) putSum(target + load<u32>(at, 8), c20, c21)
          if (left > 3) putSum(target + load<u32>(at, 12), c30, c31)
        }
      }
    }
  }
}
