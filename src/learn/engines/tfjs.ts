/**
 * The engine on TensorFlow.js: the reference that the kernels are checked against, with native speed where tfjs-node is installed.
 * Arenas are canonical. Tensors of a forward pass live until the next one, so their number stays the same from step to step; optimisers run
 * in plain TypeScript on the arenas.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { NetworkSpec } from '../../ports/learner.ts'
import type { Arena, Engine, EngineOptions } from '../engine.ts'
import { type Layer, layout, type NetworkLayout } from '../layout.ts'
import { CanonicalNetwork, part, unpairedError } from './canonical-network.ts'
import { loadBackend, type TfjsBackend, type TfjsBackendName } from './tfjs-backend.ts'
import { backwardLayer, forwardLayer, type Trace } from './tfjs-layers.ts'
import { TfjsOwnNetwork } from './tfjs-own.ts'

export interface TfjsEngineOptions extends EngineOptions {
  /** Instead of the fastest backend that is here. */
  readonly backend?: TfjsBackendName
}

/** Throws `engine_unavailable` when the backend cannot be had. `deterministic` changes nothing: no backend here relaxes its arithmetic. */
export async function createTfjsEngine(options: TfjsEngineOptions): Promise<Engine> {
  const backend = await loadBackend(options.backend ?? null)
  return {
    name: `tfjs ${backend.name}`,
    build: (spec, maxBatch) =>
      spec.own === undefined ? new TfjsNetwork(backend, spec, maxBatch) : new TfjsOwnNetwork(backend, spec, spec.own, maxBatch),
  }
}

/** What the last forward pass left: per layer of the torso and of each head. */
interface Pass {
  readonly batch: number
  readonly torso: readonly Trace[]
  readonly heads: readonly (readonly Trace[])[]
}

class TfjsNetwork extends CanonicalNetwork {
  readonly #backend: TfjsBackend
  readonly #layout: NetworkLayout
  #pass: Pass | null = null

  constructor(backend: TfjsBackend, spec: NetworkSpec, maxBatch: number) {
    const laidOut = layout(spec)
    super(spec, laidOut, maxBatch)
    this.#backend = backend
    this.#layout = laidOut
  }

  forward(parameters: Arena, observations: Float32Array, batch: number): void {
    const data = this.checked(parameters, observations, batch)
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

  backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void {
    const pass = this.#pass
    if (pass === null || pass.batch !== batch) throw unpairedError(batch, pass?.batch ?? null)
    this.checked(parameters, observations, batch)
    const into = this.data(gradient, 'gradient')
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
    this.vectorGradients(this.#layout, into)
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

  /** Copies the pass's results to the output buffers. */
  #collect(pass: Pass, data: Float32Array): void {
    for (const [index, head] of this.#layout.heads.entries()) {
      this.fill(head.name, pass.batch, pass.heads[index]!.at(-1)!.output.dataSync() as Float32Array)
    }
    for (const { name, slice } of this.#layout.vectors) this.fill(name, pass.batch, part(data, slice))
  }
}

function* tensorsOf(pass: Pass): Iterable<Tensor> {
  for (const traces of [pass.torso, ...pass.heads]) {
    for (const { input, weight, inner, output } of traces) yield* [input, weight, ...inner, output]
  }
}
