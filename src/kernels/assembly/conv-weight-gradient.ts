/**
 * The parameter gradients of a convolution. See conv.ts for the layout of images, places and W; D [images][places][filters] is the gradient at
 * its output. Straight on the images, as the convolution itself.
 */
import { BEFORE, high, low, madd, putSum, splat, zero } from './simd'
import { addRows } from './tile'

/**
 * Images whose part of dW is summed in registers before it is written. Two are 1 to 3 % faster than one, four or eight; of 64 the second-level cache
 * does not hold all for the next tile of dW, which costs 8 %.
 */
const GROUP: i32 = 2

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
  const panel = <usize>(kernel * segment) << 5
  let j = 0
  if (WIDE) {
    for (; j + 16 <= filters; j += 16) {
      const target = dw + <usize>(j >> 3) * panel
      tiles(true, x, xStride, d + (<usize>j << 2), dStride, target, panel, images, places, offsets, kernel, segment, imageRow, filters)
    }
  }
  for (; j < filters; j += 8) {
    const target = dw + <usize>(j >> 3) * panel
    tiles(false, x, xStride, d + (<usize>j << 2), dStride, target, panel, images, places, offsets, kernel, segment, imageRow, filters)
  }
}

/** One panel of dW, or two with `wide` (see tile.ts): four rows of it at a time, summed over all places of all images in registers. */
// @ts-ignore: decorator
@inline
function tiles(
  wide: bool,
  x: usize,
  xStride: usize,
  d: usize,
  dStride: usize,
  dw: usize,
  panel: usize,
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
  for (let row = 0; row < kernel; row++) {
    const target = dw - BEFORE + (<usize>(row * segment) << 5)
    for (let i = 0; i < segment; i += 4) {
      // A last tile that would run over moves back and recomputes up to three rows, which are then not added again. Rows one by one take
      // 1.1 times as long on MinAtar's images of 6 or 10 channels. The runs here are of four floats or more.
      const begin = min(i, segment - 4)
      let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
      let c02 = zero(), c03 = c02, c12 = c02, c13 = c02, c22 = c02, c23 = c02, c32 = c02, c33 = c02
      let xImage = x + <usize>row * imageRow + (<usize>begin << 2)
      let dImage = d - BEFORE
      let image = images
      do {
        let q = dImage
        let at = offsets
        do {
          const p = xImage + load<u32>(at)
          const d0 = low(q)
          const d1 = high(q)
          const d2 = wide ? low(q + 32) : d0
          const d3 = wide ? high(q + 32) : d1
          let v = v128.load32_splat(p)
          c00 = madd(v, d0, c00); c01 = madd(v, d1, c01)
          if (wide) { c02 = madd(v, d2, c02); c03 = madd(v, d3, c03) }
          v = v128.load32_splat(p, 4)
          c10 = madd(v, d0, c10); c11 = madd(v, d1, c11)
          if (wide) { c12 = madd(v, d2, c12); c13 = madd(v, d3, c13) }
          v = v128.load32_splat(p, 8)
          c20 = madd(v, d0, c20); c21 = madd(v, d1, c21)
          if (wide) { c22 = madd(v, d2, c22); c23 = madd(v, d3, c23) }
          v = v128.load32_splat(p, 12)
          c30 = madd(v, d0, c30); c31 = madd(v, d1, c31)
          if (wide) { c32 = madd(v, d2, c32); c33 = madd(v, d3, c33) }
          q += place
          at += 4
        } while (at < offsetsEnd)
        xImage += xStride
        dImage += dStride
      } while (--image)
      const rows = target + (<usize>begin << 5)
      addRows(rows, i - begin, c00, c01, c10, c11, c20, c21, c30, c31)
      if (wide) addRows(rows + panel, i - begin, c02, c03, c12, c13, c22, c23, c32, c33)
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
