/**
 * C[rows, columns] = epilogue(A[rows, depth] W + bias), or C += A W.
 *
 * A and C are row-major with a stride in bytes. W is packed in panels of eight columns, [columns / 8][panelRows][8] with panelRows >= depth:
 * the inner loop then reads W as one forward stream, and a panel's address needs no multiplication.
 * `columns` is a multiple of 8; padded columns of W and bias are zero and give zero.
 */
import { NONE } from './epilogue'
import { gemv } from './gemv'
import { BEFORE, high, low, madd, splat, zero } from './simd'
import { storeTile } from './tile'

/**
 * Rows of W that are taken at a time, 128 KiB of a panel: a quarter of a second-level cache. Blocks that fit the first-level cache (256 rows) do not pay:
 * sums that leave the registers in between cost 1 to 6 %, a fifth for a single row. The loop over blocks earns its keep by its nesting: without
 * that level V8 unrolls the innermost loop less (see simd.ts), and the wide build takes 1.14 times as long; one level more changes nothing.
 */
const BLOCK: i32 = 4096

export function gemm(
  a: usize,
  aStride: usize,
  w: usize,
  panelRows: i32,
  bias: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  accumulate: i32,
  epilogue: i32,
  aux: usize,
): void {
  const panel = <usize>panelRows << 5
  // A single row left over (batch 1, 5, 9, ...) would waste three quarters of a tile: inference of one row would take 2.0 to 2.4 times as long.
  const tiled = (rows & 3) == 1 ? rows - 1 : rows
  const below = <usize>tiled
  for (let k = 0; k < depth; k += BLOCK) {
    const length = min(BLOCK, depth - k)
    const add = k > 0 || accumulate
    const last = k + length == depth ? epilogue : NONE
    const aBlock = a + (<usize>k << 2)
    const wBlock = w + (<usize>k << 5)
    if (tiled < rows) {
      const cRow = c + below * cStride
      gemv(aBlock + below * aStride, wBlock, panel, add ? cRow : bias, cRow, length, columns, last, aux + below * cStride)
    }
    if (tiled == 0) continue
    let j = 0
    if (WIDE) {
      for (; j + 16 <= columns; j += 16) {
        const column = <usize>j << 2
        tiles(true, aBlock, aStride, wBlock + <usize>(j >> 3) * panel, panel, bias ? bias + column : 0, add, c + column, cStride, tiled, length, last, aux + column)
      }
    }
    for (; j < columns; j += 8) {
      const column = <usize>j << 2
      tiles(false, aBlock, aStride, wBlock + <usize>(j >> 3) * panel, panel, bias ? bias + column : 0, add, c + column, cStride, tiled, length, last, aux + column)
    }
  }
}

/** One panel of C, or two with `wide` (see tile.ts). */
// @ts-ignore: decorator
@inline
function tiles(
  wide: bool,
  a: usize,
  aStride: usize,
  w: usize,
  panel: usize,
  bias: usize,
  add: i32,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  epilogue: i32,
  aux: usize,
): void {
  w -= BEFORE
  c -= BEFORE
  aux -= BEFORE
  const biasPair = bias ? bias - BEFORE : 0
  const wEnd = w + (<usize>depth << 5)
  for (let i = 0; i < rows; i += 4) {
    // In a last tile of two or three rows the missing ones repeat the last: computed twice and stored twice, without a second kernel.
    const step2: usize = i + 2 < rows ? 1 : 0
    const step3: usize = i + 3 < rows ? 1 : 0
    let a0 = a
    let a1 = a0 + aStride
    let a2 = a1 + aStride * step2
    let a3 = a2 + aStride * step3
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
    let c02 = zero(), c03 = c02, c12 = c02, c13 = c02, c22 = c02, c23 = c02, c32 = c02, c33 = c02
    let p = w
    let q = w + panel
    do {
      const w0 = low(p)
      const w1 = high(p)
      const w2 = wide ? low(q) : w0
      const w3 = wide ? high(q) : w1
      let x = splat(a0)
      c00 = madd(x, w0, c00); c01 = madd(x, w1, c01)
      if (wide) { c02 = madd(x, w2, c02); c03 = madd(x, w3, c03) }
      x = splat(a1)
      c10 = madd(x, w0, c10); c11 = madd(x, w1, c11)
      if (wide) { c12 = madd(x, w2, c12); c13 = madd(x, w3, c13) }
      x = splat(a2)
      c20 = madd(x, w0, c20); c21 = madd(x, w1, c21)
      if (wide) { c22 = madd(x, w2, c22); c23 = madd(x, w3, c23) }
      x = splat(a3)
      c30 = madd(x, w0, c30); c31 = madd(x, w1, c31)
      if (wide) { c32 = madd(x, w2, c32); c33 = madd(x, w3, c33) }
      p += 32
      if (wide) q += 32
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
    } while (p < wEnd)
    const c1 = c + cStride
    const c2 = c1 + cStride * step2
    const c3 = c2 + cStride * step3
    const h1 = aux + (c1 - c)
    const h2 = aux + (c2 - c)
    const h3 = aux + (c3 - c)
    storeTile(c, c1, c2, c3, c00, c01, c10, c11, c20, c21, c30, c31, add, biasPair, epilogue, aux, h1, h2, h3)
    if (wide) {
      const next = biasPair ? biasPair + 32 : 0
      storeTile(
        c + 32, c1 + 32, c2 + 32, c3 + 32, c02, c03, c12, c13, c22, c23, c32, c33,
        add, next, epilogue, aux + 32, h1 + 32, h2 + 32, h3 + 32,
      )
    }
    a += aStride << 2
    c += cStride << 2
    aux += cStride << 2
  }
}
