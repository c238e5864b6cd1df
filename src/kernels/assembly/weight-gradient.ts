/**
 * The parameter gradients of a dense layer: dW = A^T D and db = column sums of D over `rows` samples, or added to what is there.
 * A [rows, depth] is the layer's input, D [rows, columns] the gradient at its output, both row-major with strides in bytes;
 * dW is packed like W (see gemm). `columns` is a multiple of 8.
 */
import { BEFORE, high, low, madd, put, putSum, splat, zero } from './simd'
import { addRows } from './tile'

export function weightGradient(
  a: usize,
  aStride: usize,
  d: usize,
  dStride: usize,
  dw: usize,
  panelRows: i32,
  rows: i32,
  depth: i32,
  columns: i32,
  accumulate: i32,
): void {
  const panel = <usize>panelRows << 5
  const dSpan = <usize>rows * dStride
  if (!accumulate) for (let j = 0; j < columns; j += 8) memory.fill(dw + <usize>(j >> 3) * panel, 0, <usize>depth << 5)
  const whole = depth & ~3
  let j = 0
  if (WIDE) for (; j + 16 <= columns; j += 16) tiles(true, a, aStride, d + (<usize>j << 2), dStride, dSpan, dw + <usize>(j >> 3) * panel, panel, whole)
  for (; j < columns; j += 8) tiles(false, a, aStride, d + (<usize>j << 2), dStride, dSpan, dw + <usize>(j >> 3) * panel, panel, whole)
  const aRest = a + (<usize>whole << 2)
  const dwRest = dw + (<usize>whole << 5)
  for (j = 0; j < columns; j += 8) single(aRest, aStride, d + (<usize>j << 2), dStride, dSpan, dwRest + <usize>(j >> 3) * panel, depth - whole)
}

/** One panel of dW, or two with `wide` (see tile.ts): four rows of it at a time, summed over all samples in registers. */
// @ts-ignore: decorator
@inline
function tiles(wide: bool, a: usize, aStride: usize, d: usize, dStride: usize, dSpan: usize, dw: usize, panel: usize, depth: i32): void {
  const dBegin = d - BEFORE
  const dEnd = dBegin + dSpan
  const target = dw - BEFORE
  for (let i = 0; i < depth; i += 4) {
    let p = a + (<usize>i << 2)
    let q = dBegin
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
    let c02 = zero(), c03 = c02, c12 = c02, c13 = c02, c22 = c02, c23 = c02, c32 = c02, c33 = c02
    do {
      const d0 = low(q)
      const d1 = high(q)
      const d2 = wide ? low(q + 32) : d0
      const d3 = wide ? high(q + 32) : d1
      let x = v128.load32_splat(p)
      c00 = madd(x, d0, c00); c01 = madd(x, d1, c01)
      if (wide) { c02 = madd(x, d2, c02); c03 = madd(x, d3, c03) }
      x = v128.load32_splat(p, 4)
      c10 = madd(x, d0, c10); c11 = madd(x, d1, c11)
      if (wide) { c12 = madd(x, d2, c12); c13 = madd(x, d3, c13) }
      x = v128.load32_splat(p, 8)
      c20 = madd(x, d0, c20); c21 = madd(x, d1, c21)
      if (wide) { c22 = madd(x, d2, c22); c23 = madd(x, d3, c23) }
      x = v128.load32_splat(p, 12)
      c30 = madd(x, d0, c30); c31 = madd(x, d1, c31)
      if (wide) { c32 = madd(x, d2, c32); c33 = madd(x, d3, c33) }
      p += aStride
      q += dStride
    } while (q < dEnd)
    const row = target + (<usize>i << 5)
    addRows(row, 0, c00, c01, c10, c11, c20, c21, c30, c31)
    if (wide) addRows(row + panel, 0, c02, c03, c12, c13, c22, c23, c32, c33)
  }
}

/**
 * The one to three rows of dW that fill no tile, one by one. This takes 0.96 to 1.04 of the time of a last tile moved back over rows that are done,
 * as conv-weight-gradient.ts has it (depths of 17, 27, 64 and 1024).
 */
function single(a: usize, aStride: usize, d: usize, dStride: usize, dSpan: usize, dw: usize, depth: i32): void {
  const dBegin = d - BEFORE
  const dEnd = dBegin + dSpan
  for (let i = 0; i < depth; i++) {
    let c0 = zero(), c1 = c0
    let p = a + (<usize>i << 2)
    let q = dBegin
    do {
      const x = splat(p)
      c0 = madd(x, low(q), c0)
      c1 = madd(x, high(q), c1)
      p += aStride
      q += dStride
    } while (q < dEnd)
    putSum(dw + (<usize>i << 5) - BEFORE, c0, c1)
  }
}

export function columnSums(d: usize, dStride: usize, sums: usize, rows: i32, columns: i32, accumulate: i32): void {
  for (let j = 0; j < columns; j += 8) {
    const column = <usize>j << 2
    let c0 = zero(), c1 = c0, c2 = c0, c3 = c0
    let q = d + column - BEFORE
    // Two rows at a time: 2 % of an MLP 4-64-64's backward pass of 320, nothing measurable of 17-256-256's; and the order of the sums.
    const end = q + <usize>(rows & ~1) * dStride
    if (q < end) do {
      c0 = f32x4.add(c0, low(q)); c1 = f32x4.add(c1, high(q))
      c2 = f32x4.add(c2, low(q + dStride)); c3 = f32x4.add(c3, high(q + dStride))
      q += dStride << 1
    } while (q < end)
    if (rows & 1) {
      c0 = f32x4.add(c0, low(q))
      c1 = f32x4.add(c1, high(q))
    }
    c0 = f32x4.add(c0, c2)
    c1 = f32x4.add(c1, c3)
    const target = sums + column - BEFORE
    if (accumulate) putSum(target, c0, c1)
    else put(target, c0, c1)
  }
}
