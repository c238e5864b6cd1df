/**
 * The matrices of a network in the kernels' memory: what layers write, its gradients, and small tables.
 *
 * Activations of the whole batch are kept (the way back needs them); gradients of activations live for one chunk of rows only.
 */
import type { Activation } from '../../ports/learner.ts'
import type { ConvLayer } from '../layout.ts'
import { type PackedKernel, roundUp } from './wasm-packing.ts'
import type { Step } from './wasm-steps.ts'

/** The address of so many zeroed bytes. */
export type Allocate = (bytes: number) => number

export interface HeadBuffers {
  readonly name: string
  readonly size: number
  /** Addresses of [maxBatch][size], or [size] of a free vector. */
  readonly output: number
  readonly gradient: number
}

/** Values between layers: runs of `run` floats, each padded to `paddedRun`, `runs` of them in a row of `stride` floats. */
export interface Value {
  /** 0: the observations. */
  readonly address: number
  readonly stride: number
  readonly runs: number
  readonly run: number
  readonly paddedRun: number
  readonly activation: Activation
  /** SiLU's input, laid out as the value; 0 for others. */
  readonly before: number
  /** Gradient of a chunk, laid out as the value; 0 for the observations, which nobody differentiates by. */
  readonly gradient: number
  /** Layers that read it and have not yet added their part to the gradient; counts down while the backward pass is planned. */
  readers: number
  /** Whether the backward pass has written its gradient already. */
  written: boolean
}

export class Matrices {
  readonly #memory: WebAssembly.Memory
  readonly #allocate: Allocate
  readonly #maxBatch: number
  readonly #chunk: number
  /** Where gradients of a chunk lie, and what else a thread has for itself. */
  readonly #gradients: { readonly address: number; readonly bytes: number }[] = []
  #liveBytes = 0
  #live = 0

  constructor(memory: WebAssembly.Memory, allocate: Allocate, maxBatch: number, chunk: number) {
    this.#memory = memory
    this.#allocate = allocate
    this.#maxBatch = maxBatch
    this.#chunk = chunk
  }

  observations(size: number, run: number): Value {
    return {
      ...{ address: 0, stride: size, runs: size / run, run, paddedRun: run },
      ...{ activation: 'linear', before: 0, gradient: 0, readers: 0, written: false },
    }
  }

  /** `bytes` for each row of the batch. */
  perRow(bytes: number): number {
    return this.#allocate(this.#maxBatch * bytes)
  }

  /** Room for a layer's output of `runs` times `run` floats. */
  value(runs: number, run: number, activation: Activation): Value {
    const paddedRun = roundUp(run, 8)
    const stride = spread(runs * paddedRun)
    const batchBytes = this.#maxBatch * stride * 4
    const address = this.#allocate(batchBytes)
    const before = activation === 'silu' ? this.#allocate(batchBytes) : 0
    const gradientBytes = this.#chunk * stride * 4
    const gradient = this.#allocate(gradientBytes)
    this.#gradients.push({ address: gradient, bytes: gradientBytes })
    return { address, stride, runs, run, paddedRun, activation, before, gradient, readers: 0, written: false }
  }

  /** An output of `rows` rows, the batch's if left out. */
  output(name: string, size: number, rows = this.#maxBatch): HeadBuffers {
    return { name, size, output: this.#allocate(rows * size * 4), gradient: this.#allocate(rows * size * 4) }
  }

  /** Room for a transposed kernel. */
  transposed(floats: number): number {
    return this.#allocate(floats * 4)
  }

  /** Makes the block in which the steps of a layer say which units have gradients (live.ts) large enough for a layer with this kernel. */
  reserveLive({ panelRows, columns }: PackedKernel): void {
    this.#liveBytes = Math.max(this.#liveBytes, 64 + roundUp(columns * 4, 64) + panelRows * columns * 4)
  }

  /** Address of that block, which all layers use in turn. Nothing may be reserved any more. */
  live(): number {
    if (this.#live === 0) {
      this.#live = this.#allocate(this.#liveBytes)
      this.#gradients.push({ address: this.#live, bytes: this.#liveBytes })
    }
    return this.#live
  }

  /** Byte offset in the image of the upper left corner of each place, the last one repeated up to a multiple of four. */
  placeOffsets({ input: [, width], output: [height, across], stride }: ConvLayer, channels: number): number {
    const places = height * across
    const address = this.#allocate(roundUp(places, 4) * 4)
    const offsets = new Uint32Array(this.#memory.buffer, address, roundUp(places, 4))
    offsets.forEach((_, index) => {
      const place = Math.min(index, places - 1)
      offsets[index] = (Math.floor(place / across) * stride * width + (place % across) * stride) * channels * 4
    })
    return address
  }

  /** `steps` for another thread: the same, but with room of its own for gradients of a chunk. */
  twin(steps: readonly Step[]): readonly Step[] {
    const moved = this.#gradients.map(({ address, bytes }) => ({ address, bytes, distance: this.#allocate(bytes) - address }))
    const move = (address = 0) =>
      address + (moved.find((old) => address >= old.address && address < old.address + old.bytes)?.distance ?? 0)
    return steps.map((step) => ({ ...step, target: move(step.target), inner: move(step.inner), live: move(step.live) }))
  }
}

/** Row strides of an odd number of cache lines: with powers of two the rows of a tile fall into the same few sets of the cache. */
function spread(floats: number): number {
  return floats % 32 === 0 ? floats + 16 : floats
}
