/**
 * A network on the kernels: a whole forward or backward pass is one call into WebAssembly, walking a program that was planned when the network
 * was built. Arenas, activations and programs lie in the kernels' shared memory.
 */

import type { Helper } from '../../kernels/helper.ts'
import type { Kernels } from '../../kernels/load.ts'
import type { Heap } from '../../kernels/memory.ts'
import type { NetworkSpec, Slice } from '../../ports/learner.ts'
import { GrapevineError } from '../../util/errors.ts'
import type { Arena, EngineNetwork, NetworkOutput, OptimiserSpec, OptimiserState } from '../engine.ts'
import { layout } from '../layout.ts'
import { requireLength } from '../shapes.ts'
import type { HeadBuffers } from './wasm-matrices.ts'
import { COEFFICIENTS, takeStep } from './wasm-optimisers.ts'
import { addPacked, type Packing, pack, unpack } from './wasm-packing.ts'
import { plan } from './wasm-plan.ts'
import { STEP_WORDS, type Step, writeSteps } from './wasm-steps.ts'

export interface WasmNetwork extends EngineNetwork {
  /** Address of an arena of this network, valid in every thread on the same memory until the network that allocated it is disposed of. */
  address(arena: Arena): number
  attach(address: number): Arena
}

/** Rows from which a batch is split over two threads: below, waking the other one costs more than it saves. */
const SPLIT_FROM = 1_024

class WasmArena implements Arena {
  readonly data: Float32Array
  readonly address: number

  constructor(data: Float32Array, address: number) {
    this.data = data
    this.address = address
  }
}

/** Steps in memory. */
interface Loaded {
  readonly address: number
  readonly count: number
}

/** Where a pass runs: the steps that come first and once, then those of each chunk, in one thread or two. */
interface Pass {
  readonly once: Loaded
  readonly perChunk: Loaded
  /** For the other thread; null: there is none. */
  readonly second: Loaded | null
}

/** An output's buffers, with views of every batch size asked for so far: making a view anew for each call would feed the garbage collector. */
interface Output {
  readonly buffers: HeadBuffers
  readonly kind: NetworkOutput['kind']
  readonly views: (Float32Array | undefined)[]
  readonly gradientViews: (Float32Array | undefined)[]
}

export class KernelNetwork implements WasmNetwork {
  readonly spec: NetworkSpec
  readonly maxBatch: number
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  readonly outputs: readonly NetworkOutput[]
  readonly #kernels: Kernels['exports']
  readonly #heap: Heap
  readonly #inputSize: number
  readonly #packing: Packing
  readonly #chunk: number
  readonly #forward: Pass
  readonly #backward: Pass
  readonly #helper: Helper | null
  /** The other thread's part of the gradient. */
  readonly #secondGradient: number
  readonly #outputs = new Map<string, Output>()
  /** Copies of observations that lie outside the memory. */
  readonly #staging: Float32Array
  readonly #stagingAddress: number
  /** What the optimisers' kernels read. */
  readonly #coefficients: Float32Array
  readonly #owned: number[] = []
  /** Batch of the last forward pass (0: none yet), and where its observations lie. */
  #batch = 0
  #observations = 0

  /** `helper` gives a second thread that takes half of a large batch. */
  constructor(spec: NetworkSpec, maxBatch: number, kernels: Kernels, heap: Heap, helper: (() => Helper) | null = null) {
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
      throw shape(`A network needs room for a whole number of rows, at least 1, and was asked to take ${maxBatch}.`)
    }
    const { slices, parameterCount, outputs, inputSize } = layout(spec)
    this.spec = spec
    this.maxBatch = maxBatch
    this.slices = slices
    this.parameterCount = parameterCount
    this.outputs = outputs
    this.#kernels = kernels.exports
    this.#heap = heap
    this.#inputSize = inputSize
    const made = plan(layout(spec), maxBatch, (bytes) => this.#allocate(bytes), heap.memory)
    this.#packing = made.packing
    this.#chunk = made.chunk
    this.#helper = maxBatch >= SPLIT_FROM && helper !== null ? helper() : null
    const forward = this.#load(made.forward.perChunk)
    const secondBackward = this.#helper === null ? null : this.#load(made.secondBackward())
    this.#forward = { once: this.#load(made.forward.once), perChunk: forward, second: this.#helper === null ? null : forward }
    this.#backward = { once: this.#load(made.backward.once), perChunk: this.#load(made.backward.perChunk), second: secondBackward }
    this.#secondGradient = this.#helper === null ? 0 : this.#allocate(this.#packing.size * 4)
    made.outputs.forEach((buffers, index) => {
      this.#outputs.set(buffers.name, { buffers, kind: outputs[index]!.kind, views: [], gradientViews: [] })
    })
    this.#coefficients = heap.floats(this.#allocate(COEFFICIENTS * 4), COEFFICIENTS)
    this.#stagingAddress = this.#allocate(maxBatch * inputSize * 4)
    this.#staging = heap.floats(this.#stagingAddress, maxBatch * inputSize)
  }

  allocate(): Arena {
    return this.attach(this.#allocate(this.#packing.size * 4))
  }

  address(arena: Arena): number {
    if (!(arena instanceof WasmArena) || arena.data.length !== this.#packing.size) {
      throw shape('This arena is of another engine or network; use one that this network allocated or attached.')
    }
    return arena.address
  }

  attach(address: number): Arena {
    return new WasmArena(this.#heap.floats(address, this.#packing.size), address)
  }

  read(arena: Arena, canonical: Float32Array): void {
    this.#checkCanonical(arena, canonical)
    unpack(this.#packing.blocks, arena.data, canonical)
  }

  write(arena: Arena, canonical: Float32Array): void {
    this.#checkCanonical(arena, canonical)
    pack(this.#packing.blocks, arena.data, canonical)
  }

  add(arena: Arena, canonical: Float32Array): void {
    this.#checkCanonical(arena, canonical)
    addPacked(this.#packing.blocks, arena.data, canonical)
  }

  forward(parameters: Arena, observations: Float32Array, batch: number): void {
    const address = this.address(parameters)
    this.#checkBatch(batch, observations)
    this.#observations = this.#locate(observations)
    this.#batch = batch
    this.#run(this.#forward, address, 0, batch)
  }

  output(name: string): Float32Array {
    const output = this.#output(name)
    return this.#view(output, output.views, output.buffers.output)
  }

  outputGradient(name: string): Float32Array {
    const output = this.#output(name)
    return this.#view(output, output.gradientViews, output.buffers.gradient)
  }

  backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void {
    const address = this.address(parameters)
    const gradientAddress = this.address(gradient)
    this.#checkBatch(batch, observations)
    if (batch !== this.#batch) {
      throw shape(`The backward pass was asked for ${batch} rows, but the last forward pass had ${this.#batch}; use the same batch.`)
    }
    this.#run(this.#backward, address, gradientAddress, batch)
  }

  createOptimiser(spec: OptimiserSpec): OptimiserState {
    const count = spec.kind === 'adam' || spec.kind === 'adamw' ? 2 : 1
    return { spec, moments: Array.from({ length: count }, () => this.allocate()), count: 0 }
  }

  step(optimiser: OptimiserState, parameters: Arena, gradient: Arena, learningRate: number, maxNorm: number | null): number {
    const p = this.address(parameters)
    const g = this.address(gradient)
    const size = this.#packing.size
    const { spec, moments } = optimiser
    const norm = Math.sqrt(this.#kernels.dot(g, g, size))
    if (!Number.isFinite(norm)) return norm
    const scale = maxNorm !== null && norm > maxNorm ? maxNorm / norm : 1
    optimiser.count++
    const first = this.address(moments[0]!)
    const second = moments[1] === undefined ? 0 : this.address(moments[1])
    takeStep(this.#kernels, this.#coefficients, spec, optimiser.count, p, g, first, second, size, learningRate, scale)
    return norm
  }

  dispose(): void {
    for (const address of this.#owned) this.#heap.free(address)
    this.#owned.length = 0
  }

  #allocate(bytes: number): number {
    const address = this.#heap.allocate(bytes)
    this.#owned.push(address)
    return address
  }

  #load(steps: readonly Step[]): Loaded {
    const address = this.#allocate(steps.length * STEP_WORDS * 4)
    writeSteps(steps, new Uint32Array(this.#heap.memory.buffer, address, steps.length * STEP_WORDS))
    return { address, count: steps.length }
  }

  /** Walks a pass over the batch, split between two threads where that pays. */
  #run({ once, perChunk, second }: Pass, parameters: number, gradient: number, batch: number): void {
    const { run } = this.#kernels
    const chunk = this.#chunk
    const observations = this.#observations
    run(once.address, once.count, 0, chunk, parameters, observations, gradient, 0, batch)
    if (second === null || batch < SPLIT_FROM || this.#helper === null) {
      run(perChunk.address, 0, perChunk.count, chunk, parameters, observations, gradient, 0, batch)
      return
    }
    // Whole chunks for the caller, who also does what comes before and after.
    const middle = Math.floor(batch / 2 / chunk) * chunk
    const secondGradient = gradient === 0 ? 0 : this.#secondGradient
    // Where the other thread never came up the halves are still summed apart, so that its absence changes no bits.
    const helped = this.#helper.alive
    if (helped) this.#helper.start(second.address, 0, second.count, chunk, parameters, observations, secondGradient, middle, batch)
    run(perChunk.address, 0, perChunk.count, chunk, parameters, observations, gradient, 0, middle)
    if (!helped || !this.#helper.finish()) {
      run(second.address, 0, second.count, chunk, parameters, observations, secondGradient, middle, batch)
    }
    if (gradient !== 0) {
      this.#coefficients[0] = 1
      this.#kernels.axpy(gradient, secondGradient, this.#packing.size, this.#coefficients.byteOffset)
    }
  }

  /** Where the observations lie in the memory: where they are, or where they are copied to. */
  #locate(observations: Float32Array): number {
    if (observations.buffer === this.#heap.memory.buffer) return observations.byteOffset
    this.#staging.set(observations)
    return this.#stagingAddress
  }

  #output(name: string): Output {
    const output = this.#outputs.get(name)
    if (output === undefined) throw shape(`The network has no output named ${name}; it has ${[...this.#outputs.keys()].join(', ')}.`)
    return output
  }

  #view({ buffers, kind }: Output, views: (Float32Array | undefined)[], address: number): Float32Array {
    const rows = kind === 'vector' ? 1 : this.#batch
    const view = views[rows] ?? this.#heap.floats(address, rows * buffers.size)
    views[rows] = view
    return view
  }

  #checkBatch(batch: number, observations: Float32Array): void {
    if (!Number.isSafeInteger(batch) || batch < 1 || batch > this.maxBatch) {
      throw shape(`A batch of ${batch} rows was given to a network that takes 1 to ${this.maxBatch}.`)
    }
    requireLength('observations', observations, batch * this.#inputSize)
  }

  #checkCanonical(arena: Arena, canonical: Float32Array): void {
    this.address(arena)
    requireLength('canonical', canonical, this.parameterCount)
  }
}

function shape(message: string): GrapevineError<'shape'> {
  return new GrapevineError('shape', 'local', message)
}
