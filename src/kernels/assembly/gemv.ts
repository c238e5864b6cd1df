/** One row of gemm: c[columns] = epilogue(a[depth] W + initial), `initial` = bias, c itself or 0 (none). `panel` is the distance of two panels of W in bytes. */
import { finish } from './epilogue'
import { madd, splat, zero } from './simd'

export function gemv(
  a: usize,
  w: usize,
  panel: usize,
  initial: usize,
  c: usize,
  depth: i32,
  columns: i32,
  epilogue: i32,
  aux: usize,
): void {
  const aEnd = a + (<usize>depth << 2)
  let j = 0
  // Four panels side by side: eight independent sums hide the latency of a multiply-add, and each a[k] is read once for 32 columns.
  for (; j + 32 <= columns; j += 32) {
    const column = <usize>j << 2
    let w0 = w + <usize>(j >> 3) * panel
    let w1 = w0 + panel
    let w2 = w1 + panel
    let w3 = w2 + panel
    let c0 = zero(), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0
    let p = a
    do {
      const x = splat(p)
      c0 = madd(x, v128.load(w0), c0); c1 = madd(x, v128.load(w0, 16), c1)
      c2 = madd(x, v128.load(w1), c2); c3 = madd(x, v128.load(w1, 16), c3)
      c4 = madd(x, v128.load(w2), c4); c5 = madd(x, v128.load(w2, 16), c5)
      c6 = madd(x, v128.load(w3), c6); c7 = madd(x, v128.load(w3, 16), c7)
      p += 4
      w0 += 32
      w1 += 32
      w2 += 32
      w3 += 32
    } while (p < aEnd)
    if (initial) {
      const q = initial + column
      c0 = f32x4.add(c0, v128.load(q)); c1 = f32x4.add(c1, v128.load(q, 16))
      c2 = f32x4.add(c2, v128.load(q, 32)); c3 = f32x4.add(c3, v128.load(q, 48))
      c4 = f32x4.add(c4, v128.load(q, 64)); c5 = f32x4.add(c5, v128.load(q, 80))
      c6 = f32x4.add(c6, v128.load(q, 96)); c7 = f32x4.add(c7, v128.load(q, 112))
    }
    const d = c + column
    const h = aux + column
    v128.store(d, finish(c0, epilogue, h)); v128.store(d, finish(c1, epilogue, h + 16), 16)
    v128.store(d, finish(c2, epilogue, h + 32), 32); v128.store(d, finish(c3, epilogue, h + 48), 48)
    v128.store(d, finish(c4, epilogue, h + 64), 64); v128.store(d, finish(c5, epilogue, h + 80), 80)
    v128.store(d, finish(c6, epilogue, h + 96), 96); v128.store(d, finish(c7, epilogue, h + 112), 112)
  }
  // The remaining panels one by one (heads have a single one): even and odd k apart, to have four sums in flight instead of two.
  for (; j < columns; j += 8) {
    const column = <usize>j << 2
    let q = w + <usize>(j >> 3) * panel
    let c0 = zero(), c1 = c0, c2 = c0, c3 = c0
    let p = a
    for (; p + 8 <= aEnd; p += 8, q += 64) {
      let x = splat(p)
      c0 = madd(x, v128.load(q), c0); c1 = madd(x, v128.load(q, 16), c1)
      x = splat(p + 4)
      c2 = madd(x, v128.load(q, 32), c2); c3 = madd(x, v128.load(q, 48), c3)
    }
    if (p < aEnd) {
      const x = splat(p)
      c0 = madd(x, v128.load(q), c0); c1 = madd(x, v128.load(q, 16), c1)
    }
    if (initial) {
      c0 = f32x4.add(c0, v128.load(initial + column))
      c1 = f32x4.add(c1, v128.load(initial + column, 16))
    }
    v128.store(c + column, finish(f32x4.add(c0, c2), epilogue, aux + column))
    v128.store(c + column, finish(f32x4.add(c1, c3), epilogue, aux + column + 16), 16)
  }
}
