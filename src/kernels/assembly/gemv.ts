/** One row of gemm: c[columns] = epilogue(a[depth] W + initial), `initial` = bias, c itself or 0 (none). `panel` is the distance of two panels of W in bytes. */
import { NONE, finish } from './epilogue'
import { BEFORE, high, low, madd, put, splat, zero } from './simd'

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
  if (initial) initial -= BEFORE
  w -= BEFORE
  c -= BEFORE
  aux -= BEFORE
  let j = 0
  if (WIDE) for (; j + 16 <= columns; j += 16) panels(true, a, w + <usize>(j >> 3) * panel, panel, initial, <usize>j << 2, c, depth, epilogue, aux)
  for (; j < columns; j += 8) panels(false, a, w + <usize>(j >> 3) * panel, panel, initial, <usize>j << 2, c, depth, epilogue, aux)
}

/**
 * One panel of W, or two with `wide` (see tile.ts). Even and odd k apart: four sums in flight run at 33 GFLOP/s. Two leave the multiplier waiting,
 * and with eight in 128-bit builds V8 runs out of registers and drops to 20.
 */
// @ts-ignore: decorator
@inline
function panels(
  wide: bool,
  a: usize,
  w: usize,
  panel: usize,
  initial: usize,
  column: usize,
  c: usize,
  depth: i32,
  epilogue: i32,
  aux: usize,
): void {
  const aEnd = a + (<usize>depth << 2)
  const aPairs = a + (<usize>(depth & ~1) << 2)
  let q = w
  let r = w + panel
  let p = a
  let c0 = zero(), c1 = c0, d0 = c0, d1 = c0
  let c2 = zero(), c3 = c2, d2 = c2, d3 = c2
  if (p < aPairs) do {
    let x = splat(p)
    c0 = madd(x, low(q), c0); c1 = madd(x, high(q), c1)
    if (wide) { c2 = madd(x, low(r), c2); c3 = madd(x, high(r), c3) }
    x = splat(p + 4)
    d0 = madd(x, low(q + 32), d0); d1 = madd(x, high(q + 32), d1)
    if (wide) { d2 = madd(x, low(r + 32), d2); d3 = madd(x, high(r + 32), d3) }
    p += 8
    q += 64
    if (wide) r += 64
  } while (p < aPairs)
  if (p < aEnd) {
    const x = splat(p)
    c0 = madd(x, low(q), c0); c1 = madd(x, high(q), c1)
    if (wide) { c2 = madd(x, low(r), c2); c3 = madd(x, high(r), c3) }
  }
  store(c + column, f32x4.add(c0, d0), f32x4.add(c1, d1), initial ? initial + column : 0, epilogue, aux + column)
  if (wide) {
    const next = column + 32
    store(c + next, f32x4.add(c2, d2), f32x4.add(c3, d3), initial ? initial + next : 0, epilogue, aux + next)
  }
}

// @ts-ignore: decorator
@inline
function store(c: usize, sum0: v128, sum1: v128, initial: usize, epilogue: i32, h: usize): void {
  if (initial) {
    sum0 = f32x4.add(sum0, low(initial))
    sum1 = f32x4.add(sum1, high(initial))
  }
  if (epilogue == NONE) put(c, sum0, sum1)
  else finish(c, sum0, sum1, epilogue, h)
}
