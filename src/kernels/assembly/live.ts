/**
 * The way back through a dense layer without the units that have no gradient in any row of the chunk: ReLUs that none of its samples switches on,
 * a third to a half of a layer in a network that is large for its task. Their columns of D are zero, so they give nothing to the gradient of
 * their weights nor to that of the layer's input, and leaving them out changes no bit of finite sums.
 *
 * What the steps of one layer hand on lies in a block of memory: how many units take part; which they are, in order, unless that is all; and a
 * packed matrix as large as the layer's.
 */
import { gemm } from './gemm'
import { high, low, put, zero, BEFORE } from './simd'
import { columnSums, weightGradient } from './weight-gradient'

/** Bytes of the block before the list. */
const HEAD: usize = 64

/** Multiply-adds of a product that moving one weight of a unit that takes part must save, or all units take part: below that nothing is gained. */
const MOVE: i32 = 16

/** Address of the packed matrix of a block for `columns` units. */
// @ts-ignore: decorator
@inline
function matrix(block: usize, columns: i32): usize {
  return block + HEAD + ((<usize>columns << 2) + 63 & ~63)
}

/** Finds the units with a gradient in D [rows, columns] and moves their columns to the front, the others' zeros behind them up to a multiple of eight. */
export function findLive(d: usize, dStride: usize, rows: i32, columns: i32, block: usize): void {
  const list = block + HEAD
  const span = <usize>rows * dStride
  const magnitude = i32x4.splat(0x7fffffff)
  let live: i32 = 0
  for (let j = 0; j < columns; j += 8) {
    let any0 = zero(), any1 = any0
    const begin = d + (<usize>j << 2) - BEFORE
    const end = begin + span
    for (let p = begin; p < end; p += dStride) {
      any0 = v128.or(any0, low(p))
      any1 = v128.or(any1, high(p))
    }
    // One bit for each of the eight.
    const bits =
      i32x4.bitmask(i32x4.ne(v128.and(any0, magnitude), zero())) | (i32x4.bitmask(i32x4.ne(v128.and(any1, magnitude), zero())) << 4)
    for (let c = 0; c < 8; c++) {
      store<i32>(list + (<usize>live << 2), j + c)
      live += (bits >> c) & 1
    }
  }
  if ((columns - live) * rows < MOVE * live) {
    store<i32>(block, columns)
    return
  }
  // Products of no depth at all are not provided for.
  if (live == 0) {
    store<i32>(list, 0)
    live = 1
  }
  store<i32>(block, live)
  for (let row = d; row < d + span; row += dStride) {
    for (let c = 0; c < live; c++) store<f32>(row + (<usize>c << 2), load<f32>(row + (<usize>load<i32>(list + (<usize>c << 2)) << 2)))
    for (let c = live; c & 7; c++) store<f32>(row + (<usize>c << 2), 0)
  }
}

/** weightGradient and columnSums over the units that findLive left. */
export function liveWeightGradient(
  a: usize,
  aStride: usize,
  d: usize,
  dStride: usize,
  dw: usize,
  db: usize,
  panelRows: i32,
  rows: i32,
  depth: i32,
  columns: i32,
  accumulate: i32,
  block: usize,
): void {
  const live = load<i32>(block)
  if (live == columns) {
    weightGradient(a, aStride, d, dStride, dw, panelRows, rows, depth, columns, accumulate)
    columnSums(d, dStride, db, rows, columns, accumulate)
    return
  }
  const list = block + HEAD
  const packed = matrix(block, columns)
  const panel = <usize>panelRows << 5
  const width = (live + 7) & ~7
  if (!accumulate) {
    memory.fill(dw, 0, <usize>(columns >> 3) * panel)
    memory.fill(db, 0, <usize>columns << 2)
  }
  columnSums(d, dStride, packed, rows, width, 0)
  for (let c = 0; c < live; c++) move(db + (<usize>load<i32>(list + (<usize>c << 2)) << 2), packed + (<usize>c << 2), accumulate)
  weightGradient(a, aStride, d, dStride, packed, panelRows, rows, depth, width, 0)
  for (let c = 0; c < live; c++) {
    const j = load<i32>(list + (<usize>c << 2))
    const to = dw + <usize>(j >> 3) * panel + (<usize>(j & 7) << 2)
    const from = packed + <usize>(c >> 3) * panel + (<usize>(c & 7) << 2)
    // A loop for each, because a question within would cost as much as the rest of it.
    if (accumulate) moveColumn(to, from, depth, true)
    else moveColumn(to, from, depth, false)
  }
}

/** inner = D W^T with an epilogue, or added to it, over the units that findLive left. `transposed`: packed W^T of all of them, `columns` inputs. */
export function liveInputGradient(
  d: usize,
  dStride: usize,
  transposed: usize,
  units: i32,
  inner: usize,
  innerStride: usize,
  rows: i32,
  depth: i32,
  columns: i32,
  add: i32,
  epilogue: i32,
  aux: usize,
  block: usize,
): void {
  const live = load<i32>(block)
  if (live == units) {
    gemm(d, dStride, transposed, units, 0, inner, innerStride, rows, depth, columns, add, epilogue, aux)
    return
  }
  const list = block + HEAD
  const packed = matrix(block, units)
  const panel = <usize>units << 5
  let to = packed - BEFORE
  let from = transposed - BEFORE
  for (let j = 0; j < columns; j += 8, from += panel) {
    for (let c = 0; c < live; c++, to += 32) {
      const row = from + (<usize>load<i32>(list + (<usize>c << 2)) << 5)
      put(to, low(row), high(row))
    }
  }
  gemm(d, dStride, packed, live, 0, inner, innerStride, rows, live, columns, add, epilogue, aux)
}

/** One column of a packed matrix with `rows` rows. */
// @ts-ignore: decorator
@inline
function moveColumn(to: usize, from: usize, rows: i32, add: bool): void {
  const end = from + (<usize>rows << 5)
  const fours = from + (<usize>(rows & ~3) << 5)
  for (; from < fours; from += 128, to += 128) {
    move(to, from, add)
    move(to + 32, from + 32, add)
    move(to + 64, from + 64, add)
    move(to + 96, from + 96, add)
  }
  for (; from < end; from += 32, to += 32) move(to, from, add)
}

// @ts-ignore: decorator
@inline
function move(to: usize, from: usize, add: i32): void {
  const value = load<f32>(from)
  store<f32>(to, add ? load<f32>(to) + value : value)
}
