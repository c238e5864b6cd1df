/**
 * C[rows, columns] = epilogue(A[rows, depth] W + bias), or C += A W.
 *
 * A and C are row-major with a stride in bytes. W is packed in panels of eight columns, [columns / 8][panelRows][8] with panelRows >= depth:
 * the inner loop then reads W as one forward stream, and a panel's address needs no multiplication.
 * `columns` is a multiple of 8; padded columns of W and bias are zero and give zero.
 */
import { NONE, finish } from './epilogue'
import { gemv } from './gemv'
import { BEFORE, high, low, madd, put, splat, zero } from './simd'

/** Depth from which W is taken in blocks, and the block: 256 rows of a panel are 8 KiB and stay in the first-level cache while the rows of A pass. */
const BLOCK_FROM: i32 = 512
const BLOCK: i32 = 256

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
  const block = depth > BLOCK_FROM ? BLOCK : depth
  // A single row left over (batch 1, 5, 9, ...) would waste three quarters of a tile.
  const tiled = (rows & 3) == 1 ? rows - 1 : rows
  const below = <usize>tiled
  for (let k = 0; k < depth; k += block) {
    const length = min(block, depth - k)
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
        const wPanel = wBlock + <usize>(j >> 3) * panel
        const biasPanel = bias ? bias + column : 0
        tiles4x16(aBlock, aStride, wPanel, panel, biasPanel, add, c + column, cStride, tiled, length, last, aux + column)
      }
    }
    for (; j < columns; j += 8) {
      const column = <usize>j << 2
      const wPanel = wBlock + <usize>(j >> 3) * panel
      tiles4x8(aBlock, aStride, wPanel, bias ? bias + column : 0, add, c + column, cStride, tiled, length, last, aux + column)
    }
  }
}

/**
 * One panel of C. Four rows by eight columns: eight sums, two vectors of W and one of A fit V8's sixteen registers; six by eight, or two k per turn,
 * spill and run at half the speed.
 */
// @ts-ignore: decorator
@inline
function tiles4x8(
  a: usize,
  aStride: usize,
  w: usize,
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
  const initial = bias - BEFORE
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
    let p = w
    do {
      const w0 = low(p)
      const w1 = high(p)
      let x = splat(a0)
      c00 = madd(x, w0, c00); c01 = madd(x, w1, c01)
      x = splat(a1)
      c10 = madd(x, w0, c10); c11 = madd(x, w1, c11)
      x = splat(a2)
      c20 = madd(x, w0, c20); c21 = madd(x, w1, c21)
      x = splat(a3)
      c30 = madd(x, w0, c30); c31 = madd(x, w1, c31)
      p += 32
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
    } while (p < wEnd)
    const c1 = c + cStride
    const c2 = c1 + cStride * step2
    const c3 = c2 + cStride * step3
    // What is there already is added last: sums of short blocks lose fewer bits than one long running sum. And all of it is read before
    // anything is written, so that a repeated row is not added twice.
    if (add) {
      c00 = f32x4.add(c00, low(c)); c01 = f32x4.add(c01, high(c))
      c10 = f32x4.add(c10, low(c1)); c11 = f32x4.add(c11, high(c1))
      c20 = f32x4.add(c20, low(c2)); c21 = f32x4.add(c21, high(c2))
      c30 = f32x4.add(c30, low(c3)); c31 = f32x4.add(c31, high(c3))
    } else if (bias) {
      const bias0 = low(initial)
      const bias1 = high(initial)
      c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1)
      c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1)
      c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1)
      c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1)
    }
    if (epilogue == NONE) {
      put(c, c00, c01)
      put(c1, c10, c11)
      put(c2, c20, c21)
      put(c3, c30, c31)
    } else {
      const h1 = aux + (c1 - c)
      const h2 = aux + (c2 - c)
      const h3 = aux + (c3 - c)
      finish(c, c00, c01, epilogue, aux)
      finish(c1, c10, c11, epilogue, h1)
      finish(c2, c20, c21, epilogue, h2)
      finish(c3, c30, c31, epilogue, h3)
    }
    a += aStride << 2
    c += cStride << 2
    aux += cStride << 2
  }
}

/** Two panels of C at once, for the wide build: eight sums of eight floats each. A row of A is read once for both, and no sum waits for another. */
// @ts-ignore: decorator
@inline
function tiles4x16(
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
  const initial = bias - BEFORE
  const wEnd = w + (<usize>depth << 5)
  for (let i = 0; i < rows; i += 4) {
    const step2: usize = i + 2 < rows ? 1 : 0
    const step3: usize = i + 3 < rows ? 1 : 0
    let a0 = a
    let a1 = a0 + aStride
    let a2 = a1 + aStride * step2
    let a3 = a2 + aStride * step3
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
    let c02 = zero(), c03 = c00, c12 = c00, c13 = c00, c22 = c00, c23 = c00, c32 = c00, c33 = c00
    let p = w
    let q = w + panel
    do {
      const w0 = low(p)
      const w1 = high(p)
      const w2 = low(q)
      const w3 = high(q)
      let x = splat(a0)
      c00 = madd(x, w0, c00); c01 = madd(x, w1, c01); c02 = madd(x, w2, c02); c03 = madd(x, w3, c03)
      x = splat(a1)
      c10 = madd(x, w0, c10); c11 = madd(x, w1, c11); c12 = madd(x, w2, c12); c13 = madd(x, w3, c13)
      x = splat(a2)
      c20 = madd(x, w0, c20); c21 = madd(x, w1, c21); c22 = madd(x, w2, c22); c23 = madd(x, w3, c23)
      x = splat(a3)
      c30 = madd(x, w0, c30); c31 = madd(x, w1, c31); c32 = madd(x, w2, c32); c33 = madd(x, w3, c33)
      p += 32
      q += 32
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
    } while (p < wEnd)
    const c1 = c + cStride
    const c2 = c1 + cStride * step2
    const c3 = c2 + cStride * step3
    if (add) {
      c00 = f32x4.add(c00, low(c)); c01 = f32x4.add(c01, high(c)); c02 = f32x4.add(c02, low(c + 32)); c03 = f32x4.add(c03, high(c + 32))
      c10 = f32x4.add(c10, low(c1)); c11 = f32x4.add(c11, high(c1)); c12 = f32x4.add(c12, low(c1 + 32)); c13 = f32x4.add(c13, high(c1 + 32))
      c20 = f32x4.add(c20, low(c2)); c21 = f32x4.add(c21, high(c2)); c22 = f32x4.add(c22, low(c2 + 32)); c23 = f32x4.add(c23, high(c2 + 32))
      c30 = f32x4.add(c30, low(c3)); c31 = f32x4.add(c31, high(c3)); c32 = f32x4.add(c32, low(c3 + 32)); c33 = f32x4.add(c33, high(c3 + 32))
    } else if (bias) {
      const bias0 = low(initial)
      const bias1 = high(initial)
      const bias2 = low(initial + 32)
      const bias3 = high(initial + 32)
      c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1); c02 = f32x4.add(c02, bias2); c03 = f32x4.add(c03, bias3)
      c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1); c12 = f32x4.add(c12, bias2); c13 = f32x4.add(c13, bias3)
      c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1); c22 = f32x4.add(c22, bias2); c23 = f32x4.add(c23, bias3)
      c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1); c32 = f32x4.add(c32, bias2); c33 = f32x4.add(c33, bias3)
    }
    if (epilogue == NONE) {
      put(c, c00, c01); put(c + 32, c02, c03)
      put(c1, c10, c11); put(c1 + 32, c12, c13)
      put(c2, c20, c21); put(c2 + 32, c22, c23)
      put(c3, c30, c31); put(c3 + 32, c32, c33)
    } else {
      const h1 = aux + (c1 - c)
      const h2 = aux + (c2 - c)
      const h3 = aux + (c3 - c)
      finish(c, c00, c01, epilogue, aux); finish(c + 32, c02, c03, epilogue, aux + 32)
      finish(c1, c10, c11, epilogue, h1); finish(c1 + 32, c12, c13, epilogue, h1 + 32)
      finish(c2, c20, c21, epilogue, h2); finish(c2 + 32, c22, c23, epilogue, h2 + 32)
      finish(c3, c30, c31, epilogue, h3); finish(c3 + 32, c32, c33, epilogue, h3 + 32)
    }
    a += aStride << 2
    c += cStride << 2
    aux += cStride << 2
  }
}
