/**
 * The parameter gradients of a dense layer: dW = A^T D and db = column sums of D over `rows` samples, or added to what is there.
 * A [rows, depth] is the layer's input, D [rows, columns] the gradient at its output, both row-major with strides in bytes;
 * dW is packed like W (see gemm). `columns` is a multiple of 8.
 */
import { BEFORE, high, low, madd, put, putSum, splat, zero } from './simd'

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
  if (depth < 4) {
    if (!accumulate) for (let j = 0; j < columns; j += 8) memory.fill(dw + <usize>(j >> 3) * panel, 0, <usize>depth << 5)
    for (let j = 0; j < columns; j += 8) shallow(a, aStride, d + (<usize>j << 2), dStride, dSpan, dw + <usize>(j >> 3) * panel, depth)
    return
  }
  let j = 0
  if (WIDE) for (; j + 16 <= columns; j += 16) tiles(true, a, aStride, d + (<usize>j << 2), dStride, dSpan, dw + <usize>(j >> 3) * panel, panel, depth, accumulate)
  for (; j < columns; j += 8) tiles(false, a, aStride, d + (<usize>j << 2), dStride, dSpan, dw + <usize>(j >> 3) * panel, panel, depth, accumulate)
}

/** One panel of dW, or two with `wide` (see tile.ts): four rows of it at a time, summed over all samples in registers. */
// @ts-ignore: decorator
@inline
function tiles(wide: bool, a: usize, aStride: usize, d: usize, dStride: usize, dSpan: usize, dw: usize, panel: usize, depth: i32, add: i32): void {
  const dBegin = d - BEFORE
  const dEnd = dBegin + dSpan
  const target = dw - BEFORE
  for (let i = 0; i < depth; i += 4) {
    // A depth that is no multiple of four: the last tile moves back and recomputes up to three rows, which are then not added again.
    const begin = min(i, depth - 4)
    let p = a + (<usize>begin << 2)
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
    const row = target + (<usize>begin << 5)
    if (add) {
      addRows(row, i - begin, c00, c01, c10, c11, c20, c21, c30, c31)
      if (wide) addRows(row + panel, i - begin, c02, c03, c12, c13, c22, c23, c32, c33)
    } else {
      // Stored rather than added to zeros: dW is neither cleared before nor read. Rows computed twice are the same twice.
      putRows(row, c00, c01, c10, c11, c20, c21, c30, c31)
      if (wide) putRows(row + panel, c02, c03, c12, c13, c22, c23, c32, c33)
    }
  }
}

/** Stores four rows of eight at the pairs from `target` on. */
// @ts-ignore: decorator
@inline
function putRows(target: usize, c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128): void {
  put(target, c00, c01)
  put(target + 32, c10, c11)
  put(target + 64, c20, c21)
  put(target + 96, c30, c31)
}

/** Adds four rows of eight to the pairs from `target` on, without the first `skip`. */
// @ts-ignore: decorator
@inline
export function addRows(
  target: usize,
  skip: i32,
  c00: v128,
  c01: v128,
  c10: v128,
  c11: v128,
  c20: v128,
  c21: v128,
  c30: v128,
  c31: v128,
): void {
  if (skip < 1) putSum(target, c00, c01)
  if (skip < 2) putSum(target + 32, c10, c11)
  if (skip < 3) putSum(target + 64, c20, c21)
  putSum(target + 96, c30, c31)
}

/** Inputs of one to three floats: row by row of W. */
function shallow(a: usize, aStride: usize, d: usize, dStride: usize, dSpan: usize, dw: usize, depth: i32): void {
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
    // Two rows at a time: four sums in flight.
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
