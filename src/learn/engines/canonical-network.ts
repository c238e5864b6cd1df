/**
 * What the networks of TensorFlow.js share: arenas that are canonical, buffers for outputs and their gradients that are views of the last
 * forward's batch, and optimisers in plain TypeScript on the arenas. Passes are the subclass's.
 */
import type { NetworkSpec, Slice } from '../../ports/learner.ts'
import { GrapevineError } from '../../util/errors.ts'
import type { Arena, EngineNetwork, NetworkOutput, OptimiserSpec, OptimiserState } from '../engine.ts'
import type { NetworkLayout } from '../layout.ts'
import { clipGlobalNorm, momentKinds, optimiserStep } from '../optimisers.ts'
import { requireLength } from '../shapes.ts'

/** One output: values and where its gradient is written, whole and as views of the last forward's batch. */
interface OutputBuffers {
  readonly output: NetworkOutput
  readonly values: Float32Array
  readonly gradients: Float32Array
  value: Float32Array
  gradient: Float32Array
}

export abstract class CanonicalNetwork implements EngineNetwork {
  readonly spec: NetworkSpec
  readonly maxBatch: number
  readonly slices: readonly Slice[]
  readonly parameterCount: number
  readonly outputs: readonly NetworkOutput[]
  readonly #inputSize: number
  readonly #buffers: ReadonlyMap<string, OutputBuffers>

  constructor(spec: NetworkSpec, { slices, parameterCount, outputs, inputSize }: NetworkLayout, maxBatch: number) {
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
      throw shapeError(`The largest batch is ${maxBatch}, and it must be a whole number of at least 1.`)
    }
    this.spec = spec
    this.maxBatch = maxBatch
    this.slices = slices
    this.parameterCount = parameterCount
    this.outputs = outputs
    this.#inputSize = inputSize
    this.#buffers = new Map(
      outputs.map((output) => {
        const length = output.kind === 'head' ? maxBatch * output.size : output.size
        const values = new Float32Array(length)
        const gradients = new Float32Array(length)
        return [output.name, { output, values, gradients, value: values, gradient: gradients }]
      }),
    )
  }

  abstract forward(parameters: Arena, observations: Float32Array, batch: number): void
  abstract backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void
  abstract dispose(): void

  allocate(): Arena {
    return { data: new Float32Array(this.parameterCount) }
  }

  read(arena: Arena, canonical: Float32Array): void {
    canonical.set(this.data(arena, 'arena', canonical))
  }

  write(arena: Arena, canonical: Float32Array): void {
    this.data(arena, 'arena', canonical).set(canonical)
  }

  add(arena: Arena, canonical: Float32Array): void {
    const data = this.data(arena, 'arena', canonical)
    for (let i = 0; i < data.length; i++) data[i]! += canonical[i]!
  }

  output(name: string): Float32Array {
    return this.#buffer(name).value
  }

  outputGradient(name: string): Float32Array {
    return this.#buffer(name).gradient
  }

  createOptimiser(spec: OptimiserSpec): OptimiserState {
    return { spec, moments: momentKinds(spec).map(() => this.allocate()), count: 0 }
  }

  step(optimiser: OptimiserState, parameters: Arena, gradient: Arena, learningRate: number, maxNorm: number | null): number {
    const data = this.data(parameters, 'parameters')
    const slope = this.data(gradient, 'gradient')
    const moments = optimiser.moments.map((moment) => this.data(moment, 'moment'))
    const norm = clipGlobalNorm(slope, maxNorm)
    if (!Number.isFinite(norm)) return norm
    optimiser.count += 1
    optimiserStep(optimiser.spec, moments, optimiser.count, data, slope, learningRate)
    return norm
  }

  /** The parameters of a pass, after a look at its shapes. */
  protected checked(parameters: Arena, observations: Float32Array, batch: number): Float32Array {
    if (!Number.isSafeInteger(batch) || batch < 1 || batch > this.maxBatch) {
      throw shapeError(`A batch of ${batch} rows was given to a network built for 1 to ${this.maxBatch}.`)
    }
    const data = this.data(parameters, 'parameters')
    requireLength('observations', observations, batch * this.#inputSize)
    return data
  }

  /** Sets the views of an output to `batch` rows and its values to the first of `values`. */
  protected fill(name: string, batch: number, values: Float32Array): void {
    const buffers = this.#buffer(name)
    const { kind, size } = buffers.output
    const length = kind === 'head' ? batch * size : size
    buffers.value = sized(buffers.value, buffers.values, length)
    buffers.gradient = sized(buffers.gradient, buffers.gradients, length)
    buffers.value.set(values.length === length ? values : values.subarray(0, length))
  }

  /** A free vector is its own output. */
  protected vectorGradients({ vectors }: NetworkLayout, into: Float32Array): void {
    for (const { name, slice } of vectors) into.set(this.outputGradient(name), slice.offset)
  }

  protected data(arena: Arena, name: string, canonical?: Float32Array): Float32Array {
    requireLength(name, arena.data, this.parameterCount)
    if (canonical !== undefined) requireLength('canonical', canonical, this.parameterCount)
    return arena.data
  }

  #buffer(name: string): OutputBuffers {
    const buffers = this.#buffers.get(name)
    if (buffers === undefined) {
      throw shapeError(`The network has no output '${name}'; it has ${this.outputs.map((output) => output.name).join(', ')}.`)
    }
    return buffers
  }
}

export function part(data: Float32Array, slice: Slice): Float32Array {
  return data.subarray(slice.offset, slice.offset + slice.length)
}

/** The old view when it fits, so that calls with the same batch allocate nothing. */
function sized(view: Float32Array, whole: Float32Array, length: number): Float32Array {
  return view.length === length ? view : whole.subarray(0, length)
}

/** Of a backward pass that does not follow a forward pass of as many rows; `last`: rows of the one before it, null: there was none. */
export function unpairedError(batch: number, last: number | null): GrapevineError<'shape'> {
  return shapeError(`A backward pass of ${batch} rows needs a forward pass of as many before it; the last had ${last ?? 'none'}.`)
}

function shapeError(message: string): GrapevineError<'shape'> {
  return new GrapevineError('shape', 'local', message)
}
