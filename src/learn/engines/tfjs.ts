/**
 * The engine on TensorFlow.js: the reference that the kernels are checked against, with native speed where tfjs-node is installed.
 * Arenas are canonical. Tensors of a forward pass live until the next one, so their number stays the same from step to step; optimisers run
 * in plain TypeScript on the arenas.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { NetworkSpec, Slice } from '../../ports/learner.ts'
import { GrapevineError } from '../../util/errors.ts'
import type { Arena, Engine, EngineNetwork, EngineOptions, NetworkOutput, OptimiserSpec, OptimiserState } from '../engine.ts'
import { type Layer, layout, type NetworkLayout } from '../layout.ts'
import { clipGlobalNorm, momentCount, optimiserStep } from '../optimisers.ts'
import { requireLength } from '../shapes.ts'
import { loadBackend, type TfjsBackend, type TfjsBackendName } from './tfjs-backend.ts'
import { backwardLayer, forwardLayer, type Trace } from './tfjs-layers.ts'

export interface TfjsEngineOptions extends EngineOptions {
  /** Instead of the fastest backend that is here. */
  readonly backend?: TfjsBackendName
}

/** Throws `engine_unavailable` when the backend cannot be had. `deterministic` changes nothing: no backend here relaxes its arithmetic. */
export async function createTfjsEngine(options: TfjsEngineOptions): Promise<Engine> {
  const backend = await loadBackend(options.backend ?? null)
  return {
    name: `tfjs ${backend.name}`,
    build: (spec, maxBatch) => new TfjsNetwork(backend, spec, maxBatch),
  }
}

/** One output: values and where its gradient is written, whole and as views of the last forward's batch. */
interface OutputBuffers {
  readonly output: NetworkOutput
  readonly values: Float32Array
  readonly gradients: Float32Array
  value: Float32Array
  gradient: Float32Array
}

/** What the last forward pass left: per layer of the torso and of each head. */
interface Pass {
  readonly batch: number
  readonly torso: readonly Trace[]
  readonly heads: readonly (readonly Trace[])[]
}

class TfjsNetwork implements EngineNetwork {
  readonly spec: NetworkSpec
  readonly maxBatch: number
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  readonly outputs: readonly NetworkOutput[]
  readonly #backend: TfjsBackend
  readonly #layout: NetworkLayout
  readonly #buffers: ReadonlyMap<string, OutputBuffers>
  #pass: Pass | null = null

  constructor(backend: TfjsBackend, spec: NetworkSpec, maxBatch: number) {
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
      throw shapeError(`The largest batch is ${maxBatch}, and it must be a whole number of at least 1.`)
    }
    this.spec = spec
    this.maxBatch = maxBatch
    this.#backend = backend
    this.#layout = layout(spec)
    this.slices = this.#layout.slices
    this.parameterCount = this.#layout.parameterCount
    this.outputs = this.#layout.outputs
    this.#buffers = new Map(
      this.outputs.map((output) => {
        const length = output.kind === 'head' ? maxBatch * output.size : output.size
        const values = new Float32Array(length)
        const gradients = new Float32Array(length)
        return [output.name, { output, values, gradients, value: values, gradient: gradients }]
      }),
    )
  }

  allocate(): Arena {
    return { data: new Float32Array(this.parameterCount) }
  }

  read(arena: Arena, canonical: Float32Array): void {
    canonical.set(this.#data(arena, 'arena', canonical))
  }

  write(arena: Arena, canonical: Float32Array): void {
    this.#data(arena, 'arena', canonical).set(canonical)
  }

  add(arena: Arena, canonical: Float32Array): void {
    const data = this.#data(arena, 'arena', canonical)
    for (let i = 0; i < data.length; i++) data[i]! += canonical[i]!
  }

  forward(parameters: Arena, observations: Float32Array, batch: number): void {
    if (!Number.isSafeInteger(batch) || batch < 1 || batch > this.maxBatch) {
      throw shapeError(`A batch of ${batch} rows was given to a network built for 1 to ${this.maxBatch}.`)
    }
    const data = this.#data(parameters, 'parameters')
    requireLength('observations', observations, batch * this.#layout.inputSize)
    this.#forget()
    const { tf } = this.#current()
    const torso: Trace[] = []
    const heads = this.#layout.heads.map((): Trace[] => [])
    const pass: Pass = { batch, torso, heads }
    tf.tidy(() => {
      const start = tf.tensor(observations, [batch, this.#layout.inputSize], 'float32')
      const end = this.#chain(this.#layout.torso, data, start, torso)
      for (const [index, head] of this.#layout.heads.entries()) this.#chain(head.layers, data, end, heads[index]!)
      for (const tensor of tensorsOf(pass)) tf.keep(tensor)
    })
    this.#pass = pass
    this.#collect(pass, data)
  }

  output(name: string): Float32Array {
    return this.#buffer(name).value
  }

  outputGradient(name: string): Float32Array {
    return this.#buffer(name).gradient
  }

  backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void {
    const pass = this.#pass
    if (pass === null || pass.batch !== batch) {
      throw shapeError(`A backward pass of ${batch} rows needs a forward pass of as many before it; the last had ${pass?.batch ?? 'none'}.`)
    }
    this.#data(parameters, 'parameters')
    requireLength('observations', observations, batch * this.#layout.inputSize)
    const into = this.#data(gradient, 'gradient')
    const { tf } = this.#current()
    tf.tidy(() => {
      const torsoToo = pass.torso.length > 0
      let error: Tensor | null = null
      for (const [index, head] of this.#layout.heads.entries()) {
        const dy = tf.tensor(this.outputGradient(head.name), [batch, head.size], 'float32')
        const part = this.#backChain(head.layers, pass.heads[index]!, dy, torsoToo, into)
        if (part !== null) error = error === null ? part : tf.add(error, part.reshape(error.shape))
      }
      if (error !== null) this.#backChain(this.#layout.torso, pass.torso, error, false, into)
    })
    for (const { name, slice } of this.#layout.vectors) into.set(this.outputGradient(name), slice.offset)
  }

  createOptimiser(spec: OptimiserSpec): OptimiserState {
    return { spec, moments: Array.from({ length: momentCount(spec) }, () => this.allocate()), count: 0 }
  }

  step(optimiser: OptimiserState, parameters: Arena, gradient: Arena, learningRate: number, maxNorm: number | null): number {
    const data = this.#data(parameters, 'parameters')
    const slope = this.#data(gradient, 'gradient')
    const moments = optimiser.moments.map((moment) => this.#data(moment, 'moment'))
    const norm = clipGlobalNorm(slope, maxNorm)
    if (!Number.isFinite(norm)) return norm
    optimiser.count += 1
    optimiserStep(optimiser.spec, moments, optimiser.count, data, slope, learningRate)
    return norm
  }

  dispose(): void {
    this.#forget()
  }

  #current(): TfjsBackend {
    this.#backend.use()
    return this.#backend
  }

  #forget(): void {
    if (this.#pass !== null) this.#backend.tf.dispose([...tensorsOf(this.#pass)])
    this.#pass = null
  }

  /** Runs `layers` from `x`, appends to `traces`, returns the last output. */
  #chain(layers: readonly Layer[], data: Float32Array, x: Tensor, traces: Trace[]): Tensor {
    const { tf } = this.#backend
    let end = x
    for (const layer of layers) {
      const weight = layer.kind === 'layerNorm' ? layer.gain : layer.kernel
      const trace = forwardLayer(
        tf,
        layer,
        tf.tensor(part(data, weight), [...weight.shape], 'float32'),
        tf.tensor(part(data, layer.bias), [layer.bias.length], 'float32') as Tensor1D,
        end,
      )
      traces.push(trace)
      end = trace.output
    }
    return end
  }

  /** Runs `layers` backwards from `dy`, writes their gradients, returns dL/d(input of the first) when it was asked for. */
  #backChain(layers: readonly Layer[], traces: readonly Trace[], dy: Tensor, inputToo: boolean, into: Float32Array): Tensor | null {
    let error: Tensor | null = dy
    for (let i = layers.length - 1; i >= 0; i--) {
      const layer = layers[i]!
      const gradients = backwardLayer(this.#backend.tf, layer, traces[i]!, error!, inputToo || i > 0)
      into.set(gradients.weight.dataSync(), (layer.kind === 'layerNorm' ? layer.gain : layer.kernel).offset)
      into.set(gradients.bias.dataSync(), layer.bias.offset)
      error = gradients.input
    }
    return error
  }

  /** Copies the pass's results to the output buffers and sets the views to its batch. */
  #collect(pass: Pass, data: Float32Array): void {
    for (const [index, head] of this.#layout.heads.entries()) {
      const buffers = this.#buffer(head.name)
      buffers.value = sized(buffers.value, buffers.values, pass.batch * head.size)
      buffers.gradient = sized(buffers.gradient, buffers.gradients, pass.batch * head.size)
      buffers.value.set(pass.heads[index]!.at(-1)!.output.dataSync())
    }
    for (const { name, slice } of this.#layout.vectors) this.#buffer(name).value.set(part(data, slice))
  }

  #buffer(name: string): OutputBuffers {
    const buffers = this.#buffers.get(name)
    if (buffers === undefined) {
      throw shapeError(`The network has no output '${name}'; it has ${this.outputs.map((output) => output.name).join(', ')}.`)
    }
    return buffers
  }

  #data(arena: Arena, name: string, canonical?: Float32Array): Float32Array {
    requireLength(name, arena.data, this.parameterCount)
    if (canonical !== undefined) requireLength('canonical', canonical, this.parameterCount)
    return arena.data
  }
}

function* tensorsOf(pass: Pass): Iterable<Tensor> {
  for (const traces of [pass.torso, ...pass.heads]) {
    for (const { input, weight, inner, output } of traces) yield* [input, weight, ...inner, output]
  }
}

function part(data: Float32Array, slice: Slice): Float32Array {
  return data.subarray(slice.offset, slice.offset + slice.length)
}

/** The old view when it fits, so that calls with the same batch allocate nothing. */
function sized(view: Float32Array, whole: Float32Array, length: number): Float32Array {
  return view.length === length ? view : whole.subarray(0, length)
}

function shapeError(message: string): GrapevineError<'shape'> {
  return new GrapevineError('shape', 'local', message)
}
