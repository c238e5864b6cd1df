/**
 * From a network's layout to what the kernels walk: the steps of the forward and the backward pass.
 */
import type { ConvLayer, DenseLayer, Layer, NetworkLayout, NormLayer } from '../layout.ts'
import { type Allocate, type HeadBuffers, Matrices, type Value } from './wasm-matrices.ts'
import { type PackedKernel, Packing } from './wasm-packing.ts'
import { ACTIVATIONS, EPILOGUES, type Step } from './wasm-steps.ts'

/** Rows that pass through all steps together. 128 rows of two 64-unit layers with their gradients are 170 KB and stay in a second-level cache. */
const DENSE_CHUNK = 128
/** An image's activations are some ten times as large. */
const CONV_CHUNK = 32

export interface Program {
  /** Steps that run once per pass, before the first chunk. */
  readonly once: readonly Step[]
  /** Steps that run for every chunk of rows. */
  readonly perChunk: readonly Step[]
}

export interface Plan {
  readonly packing: Packing
  /** Rows that pass through the steps together. */
  readonly chunk: number
  readonly forward: Program
  readonly backward: Program
  /** The steps of `backward` per chunk for another thread: the same, with gradients of activations in room of its own. */
  secondBackward(): readonly Step[]
  readonly outputs: readonly HeadBuffers[]
}

/** Backward steps of one layer, made in reverse order once all layers are known. */
type Reverse = () => Step[]

/** `allocate` gives the address of so many zeroed bytes of `memory`. */
export function plan(layout: NetworkLayout, maxBatch: number, allocate: Allocate, memory: WebAssembly.Memory): Plan {
  return new Planner(layout, maxBatch, allocate, memory).plan()
}

class Planner {
  readonly #layout: NetworkLayout
  readonly #chunk: number
  readonly #matrices: Matrices
  readonly #packing = new Packing()
  readonly #outputs = new Map<string, HeadBuffers>()
  readonly #forwardOnce: Step[] = []
  readonly #forward: Step[] = []
  readonly #backwardOnce: Step[] = []
  readonly #reverse: Reverse[] = []

  constructor(layout: NetworkLayout, maxBatch: number, allocate: Allocate, memory: WebAssembly.Memory) {
    this.#layout = layout
    const all = [...layout.torso, ...layout.heads.flatMap((head) => head.layers)]
    this.#chunk = Math.min(maxBatch, all.some((layer) => layer.kind === 'conv') ? CONV_CHUNK : DENSE_CHUNK)
    this.#matrices = new Matrices(memory, allocate, maxBatch, this.#chunk)
  }

  plan(): Plan {
    const { torso, heads, vectors, inputSize } = this.#layout
    const first = torso[0] ?? heads[0]!.layers[0]!
    const run = first.kind === 'conv' ? first.input[2] : first.kind === 'layerNorm' ? first.width : inputSize
    const observations = this.#matrices.observations(inputSize, run)
    const top = torso.reduce((value, layer) => this.#layer(layer, value), observations)
    // Output layers come last, so that those on the same value can share one product.
    const ends = new Map<Value, DenseLayer[]>()
    for (const head of heads) {
      const end = head.layers.slice(0, -1).reduce((value, layer) => this.#layer(layer, value), top)
      const output = head.layers.at(-1) as DenseLayer
      ends.set(end, [...(ends.get(end) ?? []), output])
    }
    for (const [value, layers] of ends) this.#heads(layers, value)
    for (const { name, slice } of vectors) {
      const { output, gradient } = this.#output(name, slice.length, 1)
      const weights = this.#packing.flat([slice]) * 4
      this.#forwardOnce.push({ kind: 'vector', target: output, weights, width: slice.length })
      this.#backwardOnce.push({ kind: 'vectorGradient', source: gradient, weights, width: slice.length })
    }
    const perChunk = this.#reverse.reverse().flatMap((steps) => steps())
    return {
      packing: this.#packing,
      chunk: this.#chunk,
      forward: { once: this.#forwardOnce, perChunk: this.#forward },
      backward: { once: this.#backwardOnce, perChunk },
      secondBackward: () => this.#matrices.twin(perChunk),
      outputs: this.#layout.outputs.map(({ name }) => this.#outputs.get(name)!),
    }
  }

  #layer(layer: Layer, input: Value): Value {
    input.readers++
    if (layer.kind === 'dense') return this.#dense(layer, input)
    return layer.kind === 'conv' ? this.#conv(layer, input) : this.#norm(layer, input)
  }

  #dense(layer: DenseLayer, input: Value): Value {
    const output = this.#matrices.value(1, layer.units, layer.activation)
    this.#product([layer.kernel], [layer.bias], layer.units, input, output)
    return output
  }

  /** Output layers on one value as a single product, split into the heads' own buffers. */
  #heads(layers: readonly DenseLayer[], input: Value): void {
    input.readers++
    const size = layers.reduce((total, { units }) => total + units, 0)
    const joint = this.#matrices.value(1, size, 'linear')
    joint.readers = 1
    const joins: Step[] = []
    const splits: Step[] = []
    let column = 0
    for (const { name, units } of layers) {
      const { output, gradient } = this.#output(name, units)
      const stride = joint.stride * 4
      splits.push({
        kind: 'split',
        source: joint.address + column * 4,
        sourceStride: stride,
        target: output,
        targetStride: units * 4,
        width: units,
      })
      joins.push({
        ...{ kind: 'join', source: gradient, sourceStride: units * 4 },
        ...{ target: joint.gradient + column * 4, targetStride: stride, width: units },
      })
      column += units
    }
    const kernels = layers.map(({ kernel }) => kernel)
    const biases = layers.map(({ bias }) => bias)
    this.#product(kernels, biases, size, input, joint)
    this.#forward.push(...splits)
    this.#reverse.push(() => joins)
  }

  #output(name: string, size: number, rows?: number): HeadBuffers {
    const buffers = this.#matrices.output(name, size, rows)
    this.#outputs.set(name, buffers)
    return buffers
  }

  #product(
    kernels: readonly DenseLayer['kernel'][],
    biases: readonly DenseLayer['bias'][],
    units: number,
    input: Value,
    output: Value,
  ): void {
    const packed = this.#packing.kernel(kernels, input.run, input.paddedRun)
    const weights = packed.offset * 4
    const bias = this.#packing.flat(biases) * 4
    // Padding behind the last run is never multiplied; padding between runs meets rows of zeros.
    const depth = (input.runs - 1) * input.paddedRun + input.run
    const shape = { panelRows: packed.panelRows, columns: packed.columns }
    const read = { source: input.address, sourceStride: input.stride * 4 }
    this.#forward.push({ kind: 'dense', ...read, ...this.#target(output), weights, bias, depth, ...shape })
    this.#activate(output)
    const transposed = this.#transposed(packed, input)
    // Only ReLUs have gradients that are 0 for whole batches, and a layer that passes none on is not worth it.
    const sparse = output.activation === 'relu' && transposed !== 0
    if (sparse) this.#matrices.reserveLive(packed)
    this.#reverse.push(() => {
      const live = sparse ? this.#matrices.live() : 0
      const d = { target: output.gradient, targetStride: output.stride * 4, live }
      const steps: Step[] = [{ kind: 'denseWeights', ...read, ...d, weights, bias, depth, ...shape }]
      if (sparse) steps.unshift({ kind: 'live', ...d, columns: packed.columns })
      if (transposed !== 0) {
        const inner = this.#inner(input)
        const fused = this.#fusedSlope(input)
        const mode = fused ?? EPILOGUES.none
        // The transposed product: its depth are the units, its columns the inputs.
        const back = { panelRows: packed.columns, depth: units, columns: packed.panelRows }
        steps.push({ kind: 'denseInput', ...read, ...d, ...inner, transposed, ...back, mode })
        steps.push(...this.#slope(input, fused !== null))
      }
      return steps
    })
  }

  #conv(layer: ConvLayer, input: Value): Value {
    const [, width] = layer.input
    const [height, across, filters] = layer.output
    const places = height * across
    const output = this.#matrices.value(places, filters, layer.activation)
    const packed = this.#packing.kernel([layer.kernel], input.run, input.paddedRun)
    const geometry = {
      ...{ weights: packed.offset * 4, bias: this.#packing.flat([layer.bias]) * 4, columns: packed.columns, places },
      ...{ offsets: this.#matrices.placeOffsets(layer, input.paddedRun), kernel: layer.size },
      ...{ segment: layer.size * input.paddedRun, imageRow: width * input.paddedRun * 4 },
    }
    const read = { source: input.address, sourceStride: input.stride * 4 }
    this.#forward.push({ kind: 'conv', ...read, ...this.#target(output), ...geometry })
    this.#activate(output)
    const transposed = this.#transposed(packed, input)
    this.#reverse.push(() => {
      const d = { target: output.gradient, targetStride: output.stride * 4 }
      const steps: Step[] = [{ kind: 'convWeights', ...read, ...d, ...geometry }]
      if (transposed !== 0) {
        steps.push({ kind: 'convInput', ...d, ...this.#inner(input), ...geometry, transposed })
        steps.push(...this.#slope(input, false))
      }
      return steps
    })
    return output
  }

  #norm(layer: NormLayer, input: Value): Value {
    const { groups, width } = layer
    const output = this.#matrices.value(groups, width, 'linear')
    const savedStride = groups * 8
    const shared = {
      ...{ source: input.address, sourceStride: input.stride * 4, run: input.paddedRun },
      ...{ saved: this.#matrices.perRow(savedStride), savedStride },
      ...{ weights: this.#packing.flat([layer.gain]) * 4, bias: this.#packing.flat([layer.bias]) * 4 },
      ...{ groups, width, columns: output.paddedRun },
    }
    this.#forward.push({ kind: 'norm', ...shared, target: output.address, targetStride: output.stride * 4 })
    this.#reverse.push(() => {
      const inner = input.gradient === 0 ? {} : this.#inner(input)
      const steps: Step[] = [{ kind: 'normGradient', ...shared, target: output.gradient, targetStride: output.stride * 4, ...inner }]
      if (input.gradient !== 0) steps.push(...this.#slope(input, false))
      return steps
    })
    return output
  }

  /** Where a product goes: SiLU needs its input on the way back, so its product has a place of its own. */
  #target({ address, before, stride, activation }: Value) {
    return {
      ...{ target: before === 0 ? address : before, targetStride: stride * 4 },
      mode: activation === 'relu' ? EPILOGUES.relu : EPILOGUES.none,
    }
  }

  /** The pass after a product, for activations that are no epilogue. */
  #activate({ address, before, stride, runs, paddedRun, activation }: Value): void {
    if (activation !== 'tanh' && activation !== 'silu') return
    this.#forward.push({
      ...{ kind: 'activate', source: before === 0 ? address : before, sourceStride: stride * 4 },
      ...{ target: address, targetStride: stride * 4, columns: runs * paddedRun, mode: ACTIVATIONS[activation] },
    })
  }

  /** Address of the transposed copy of a kernel that the gradient at `input` needs, made anew at the start of each backward pass; 0: not needed. */
  #transposed(packed: PackedKernel, input: Value): number {
    if (input.gradient === 0) return 0
    const transposed = this.#matrices.transposed(packed.panelRows * packed.columns)
    const { panelRows, columns } = packed
    this.#backwardOnce.push({ kind: 'transpose', weights: packed.offset * 4, transposed, panelRows, columns })
    return transposed
  }

  /** The first reader in backward order writes the gradient, the others add to it. */
  #inner(input: Value) {
    const add = input.written ? 1 : 0
    input.written = true
    input.readers--
    return { inner: input.gradient, innerStride: input.stride * 4, add }
  }

  /** The epilogue that applies the slope of the layer below, if the product is the last reader of its output; null: a pass of its own must. */
  #fusedSlope(input: Value): number | null {
    if (input.readers > 0) return null
    if (input.activation === 'tanh') return EPILOGUES.tanhSlope
    return input.activation === 'relu' ? EPILOGUES.reluSlope : null
  }

  #slope(input: Value, fused: boolean): Step[] {
    if (fused || input.readers > 0 || input.activation === 'linear') return []
    return [
      {
        ...{ kind: 'slope', target: input.gradient, targetStride: input.stride * 4 },
        ...{ saved: input.before === 0 ? input.address : input.before, savedStride: input.stride * 4 },
        ...{ columns: input.runs * input.paddedRun, mode: ACTIVATIONS[input.activation] },
      },
    ]
  }
}
