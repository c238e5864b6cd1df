/**
 * C[rows, columns] = epilogue(A[rows, depth] W + bias), or C += A W.
 *
 * A and C are row-major with a stride in bytes. W is packed in panels of eight columns, [columns / 8][panelRows][8] with panelRows >= depth:
 * the inner loop then reads W as one forward stream, and a panel's address needs no multiplication.
 * `columns` is a multiple of 8; padded columns of W and bias are zero and give zero.
 */
import { NONE, finish } from './epilogue'
import { gemv } from './gemv'
import { madd, splat, zero } from './simd'

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
  // A single row left over (batch 1, 5, 9, ...) would waste three quarters of a tile.
  const tiled = (rows & 3) == 1 ? rows - 1 : rows
  const block = depth > BLOCK_FROM ? BLOCK : depth
  for (let k = 0; k < depth; k += block) {
    const end = min(k + block, depth)
    const add = k > 0 || accumulate
    const last = end == depth ? epilogue : NONE
    if (tiled < rows) {
      const down = <usize>tiled
      const aRow = a + down * aStride + (<usize>k << 2)
      const cRow = c + down * cStride
      gemv(aRow, w + (<usize>k << 5), panel, add ? cRow : bias, cRow, end - k, columns, last, aux + down * cStride)
    }
    if (tiled == 0) continue
    for (let j = 0; j < columns; j += 8) {
      const column = <usize>j << 2
      const wBegin = w + <usize>(j >> 3) * panel + (<usize>k << 5)
      const wEnd = w + <usize>(j >> 3) * panel + (<usize>end << 5)
      let aTile = a + (<usize>k << 2)
      let cTile = c + column
      let hTile = aux + column
      for (let i = 0; i < tiled; i += 4) {
        // In a last tile of two or three rows the missing ones repeat the last: computed twice and stored twice, without a second kernel.
        const left = tiled - i
        const step2: usize = left > 2 ? 1 : 0
        const step3: usize = left > 3 ? 1 : 0
        let a0 = aTile
        let a1 = a0 + aStride
        let a2 = a1 + aStride * step2
        let a3 = a2 + aStride * step3
        const c1 = cTile + cStride
        const c2 = c1 + cStride * step2
        const c3 = c2 + cStride * step3
        // Four rows by eight columns: eight accumulators, two vectors of W and one of A fit V8's sixteen registers.
        // Six by eight spills and runs at half the speed.
        let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        let p = wBegin
        do {
          const w0 = v128.load(p)
          const w1 = v128.load(p, 16)
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
        // What is there already is added last: sums of short blocks lose fewer bits than one long running sum.
        if (add) {
          c00 = f32x4.add(c00, v128.load(cTile)); c01 = f32x4.add(c01, v128.load(cTile, 16))
          c10 = f32x4.add(c10, v128.load(c1)); c11 = f32x4.add(c11, v128.load(c1, 16))
          c20 = f32x4.add(c20, v128.load(c2)); c21 = f32x4.add(c21, v128.load(c2, 16))
          c30 = f32x4.add(c30, v128.load(c3)); c31 = f32x4.add(c31, v128.load(c3, 16))
        } else if (bias) {
          const bias0 = v128.load(bias + column)
          const bias1 = v128.load(bias + column, 16)
          c00 = f32x4.add(c00, bias0); c01 = f32x4.add(c01, bias1)
          c10 = f32x4.add(c10, bias0); c11 = f32x4.add(c11, bias1)
          c20 = f32x4.add(c20, bias0); c21 = f32x4.add(c21, bias1)
          c30 = f32x4.add(c30, bias0); c31 = f32x4.add(c31, bias1)
        }
        const h1 = hTile + cStride
        const h2 = h1 + cStride * step2
        const h3 = h2 + cStride * step3
        v128.store(cTile, finish(c00, last, hTile)); v128.store(cTile, finish(c01, last, hTile + 16), 16)
        v128.store(c1, finish(c10, last, h1)); v128.store(c1, finish(c11, last, h1 + 16), 16)
        v128.store(c2, finish(c20, last, h2)); v128.store(c2, finish(c21, last, h2 + 16), 16)
        v128.store(c3, finish(c30, last, h3)); v128.store(c3, finish(c31, last, h3 + 16), 16)
        aTile += aStride << 2
        cTile += cStride << 2
        hTile += cStride << 2
      }
    }
  }
}
