/**
 * The parameter gradients of a dense layer: dW = A^T D and db = column sums of D over `rows` samples, or added to what is there.
 * A [rows, depth] is the layer's input, D [rows, columns] the gradient at its output, both row-major with strides in bytes;
 * dW is packed like W (see gemm). `columns` is a multiple of 8.
 */
import { madd, splat, zero } from './simd'

/** Stores a pair of vectors, or adds it. */
// @ts-ignore: decorator
@inline
export function put(target: usize, accumulate: i32, a: v128, b: v128): void {
  if (accumulate) {
    a = f32x4.add(a, v128.load(target))
    b = f32x4.add(b, v128.load(target, 16))
  }
  v128.store(target, a)
  v128.store(target, b, 16)
}

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
  const dSpan = <usize>rows * dStride
  for (let j = 0; j < columns; j += 8) {
    const dBegin = d + (<usize>j << 2)
    const dEnd = dBegin + dSpan
    const panel = dw + (<usize>((j >> 3) * panelRows) << 5)
    if (depth < 4) {
      for (let i = 0; i < depth; i++) {
        let c0 = zero(), c1 = c0
        for (let p = a + (<usize>i << 2), q = dBegin; q < dEnd; p += aStride, q += dStride) {
          const x = splat(p)
          c0 = madd(x, v128.load(q), c0)
          c1 = madd(x, v128.load(q, 16), c1)
        }
        put(panel + (<usize>i << 5), accumulate, c0, c1)
      }
      continue
    }
    for (let i = 0; i < depth; i += 4) {
      // A depth that is no multiple of four: the last tile moves back and recomputes up to three rows, which are then not stored again.
      const begin = min(i, depth - 4)
      const skip = i - begin
      let p = a + (<usize>begin << 2)
      let q = dBegin
      let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
      do {
        const d0 = v128.load(q)
        const d1 = v128.load(q, 16)
        let x = v128.load32_splat(p)
        c00 = madd(x, d0, c00); c01 = madd(x, d1, c01)
        x = v128.load32_splat(p, 4)
        c10 = madd(x, d0, c10); c11 = madd(x, d1, c11)
        x = v128.load32_splat(p, 8)
        c20 = madd(x, d0, c20); c21 = madd(x, d1, c21)
        x = v128.load32_splat(p, 12)
        c30 = madd(x, d0, c30); c31 = madd(x, d1, c31)
        p += aStride
        q += dStride
      } while (q < dEnd)
      const target = panel + (<usize>begin << 5)
      if (skip < 1) put(target, accumulate, c00, c01)
      if (skip < 2) put(target + 32, accumulate, c10, c11)
      if (skip < 3) put(target + 64, accumulate, c20, c21)
      put(target + 96, accumulate, c30, c31)
    }
  }
}

export function columnSums(d: usize, dStride: usize, sums: usize, rows: i32, columns: i32, accumulate: i32): void {
  for (let j = 0; j < columns; j += 8) {
    const column = <usize>j << 2
    let c0 = zero(), c1 = c0, c2 = c0, c3 = c0
    let q = d + column
    // Two rows at a time: four sums in flight.
    for (const end = q + <usize>(rows & ~1) * dStride; q < end; q += dStride << 1) {
      c0 = f32x4.add(c0, v128.load(q)); c1 = f32x4.add(c1, v128.load(q, 16))
      c2 = f32x4.add(c2, v128.load(q + dStride)); c3 = f32x4.add(c3, v128.load(q + dStride, 16))
    }
    if (rows & 1) {
      c0 = f32x4.add(c0, v128.load(q))
      c1 = f32x4.add(c1, v128.load(q, 16))
    }
    put(sums + column, accumulate, f32x4.add(c0, c2), f32x4.add(c1, c3))
  }
}
