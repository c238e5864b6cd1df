/**
 * How the wasm engine lays out an arena, and the way between that and the canonical order.
 *
 * A kernel [rows, columns] is packed in panels of eight columns, [columns / 8][panelRows][8]. Where a layer's input has padding (channels of a
 * convolution, units that are no multiple of 8), the kernel has rows of zeros there. Output layers on one input share a packed kernel, column by
 * column. Biases, gains and free vectors lie flat. Every tensor begins on a cache line; what is padding is zero and stays zero: its gradient is zero,
 * and every optimiser leaves a zero parameter with a zero gradient alone.
 */
import type { Slice } from '../../ports/learner.ts'

/** Floats of a cache line. */
const LINE = 16

export const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit

/** A canonical slice inside a packed tensor. */
export interface Block {
  readonly slice: Slice
  readonly rows: number
  readonly columns: number
  /** Rows come in runs of `run`, each padded to `paddedRun`. */
  readonly run: number
  readonly paddedRun: number
  /** Offset of the tensor in the arena, floats between its panels, and the column at which the slice begins. */
  readonly offset: number
  readonly panel: number
  readonly column: number
}

/** A packed tensor: `panelRows` rows of `columns` (a multiple of 8) at `offset` floats. */
export interface PackedKernel {
  readonly offset: number
  readonly panelRows: number
  readonly columns: number
}

/** Hands out room in an arena and remembers what lies where. */
export class Packing {
  readonly blocks: Block[] = []
  /** Floats of the arena so far; a multiple of a cache line. */
  size = 0

  /** A packed kernel for slices [..., columns] side by side, on inputs in runs of `run` floats padded to `paddedRun`. */
  kernel(slices: readonly Slice[], run: number, paddedRun: number): PackedKernel {
    const widths = slices.map((slice) => slice.shape.at(-1)!)
    const rows = slices[0]!.length / widths[0]!
    const panelRows = (rows / run) * paddedRun
    const columns = roundUp(sum(widths), 8)
    const offset = this.#take(panelRows * columns)
    let column = 0
    slices.forEach((slice, index) => {
      this.blocks.push({ slice, rows, columns: widths[index]!, run, paddedRun, offset, panel: panelRows * 8, column })
      column += widths[index]!
    })
    return { offset, panelRows, columns }
  }

  /** Offset of flat slices one after the other. */
  flat(slices: readonly Slice[]): number {
    const offset = this.#take(roundUp(sum(slices.map((slice) => slice.length)), 8))
    let column = 0
    for (const slice of slices) {
      this.blocks.push({ slice, rows: 1, columns: slice.length, run: 1, paddedRun: 1, offset, panel: 8, column })
      column += slice.length
    }
    return offset
  }

  #take(floats: number): number {
    const offset = this.size
    this.size = roundUp(offset + floats, LINE)
    return offset
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** canonical = arena */
export function unpack(blocks: readonly Block[], arena: Float32Array, canonical: Float32Array): void {
  walk(blocks, (packed, plain, count) => {
    for (let i = 0; i < count; i++) canonical[plain + i] = arena[packed + i]!
  })
}

/** arena = canonical */
export function pack(blocks: readonly Block[], arena: Float32Array, canonical: Float32Array): void {
  walk(blocks, (packed, plain, count) => {
    for (let i = 0; i < count; i++) arena[packed + i] = canonical[plain + i]!
  })
}

/** arena += canonical */
export function addPacked(blocks: readonly Block[], arena: Float32Array, canonical: Float32Array): void {
  walk(blocks, (packed, plain, count) => {
    for (let i = 0; i < count; i++) arena[packed + i]! += canonical[plain + i]!
  })
}

/** Calls `visit` for every stretch of at most eight floats that is contiguous on both sides. */
function walk(blocks: readonly Block[], visit: (packed: number, plain: number, count: number) => void): void {
  for (const { slice, rows, columns, run, paddedRun, offset, panel, column } of blocks) {
    for (let row = 0; row < rows; row++) {
      const packedRow = offset + (Math.floor(row / run) * paddedRun + (row % run)) * 8
      const plainRow = slice.offset + row * columns
      for (let c = 0; c < columns; ) {
        const lane = (column + c) & 7
        const count = Math.min(8 - lane, columns - c)
        visit(packedRow + ((column + c) >> 3) * panel + lane, plainRow + c, count)
        c += count
      }
    }
  }
}
