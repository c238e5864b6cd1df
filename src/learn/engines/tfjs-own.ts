/**
 * A model of the user's own as a network: its variables are set from the arena before each pass, gradients come from the library's own
 * differentiation of the sum of outputs times their gradients, for which the forward pass runs once more. Nothing lives from call to call, so the
 * number of tensors stays the same.
 *
 * A model with the output `q` shows `value` = mean(q) and `advantage` = q, of which Ape-X makes q again (value + advantage - mean advantage);
 * its gradient is d advantage + d value / actions, by the chain rule.
 */
import type { LayersModel, Tensor, Tensor1D, Variable } from '@tensorflow/tfjs'
import type { NetworkSpec, OwnModelSpec } from '../../ports/learner.ts'
import type { Arena } from '../engine.ts'
import { layout, type NetworkLayout } from '../layout.ts'
import { CanonicalNetwork, part, unpairedError } from './canonical-network.ts'
import { findOwnModel, outputTensor } from './own-models.ts'
import type { Tfjs, TfjsBackend } from './tfjs-backend.ts'

export class TfjsOwnNetwork extends CanonicalNetwork {
  readonly initial: Float32Array
  readonly #backend: TfjsBackend
  readonly #layout: NetworkLayout
  readonly #model: LayersModel
  readonly #variables: readonly Variable[]
  /** Rows of the last forward pass; null before it. */
  #rows: number | null = null
  /** Names of weights that the last backward pass found no way to from an output. */
  idle: readonly string[] = []

  constructor(backend: TfjsBackend, spec: NetworkSpec, own: OwnModelSpec, maxBatch: number) {
    const laidOut = layout(spec)
    super(spec, laidOut, maxBatch)
    const { model, initial } = findOwnModel(spec)
    this.#backend = backend
    this.#layout = laidOut
    this.#model = model
    this.#variables = model.weights.slice(0, own.weights.length).map((weight) => weight.read() as Variable)
    this.initial = initial
  }

  forward(parameters: Arena, observations: Float32Array, batch: number): void {
    const data = this.checked(parameters, observations, batch)
    this.#backend.use()
    const { tf } = this.#backend
    tf.tidy(() => {
      this.#load(tf, data)
      const result = this.#apply(tf, observations, batch)
      for (const { name } of this.spec.heads) this.fill(name, batch, this.#values(result, name, batch))
    })
    for (const { name, slice } of this.#layout.vectors) this.fill(name, batch, part(data, slice))
    this.#rows = batch
  }

  backward(parameters: Arena, observations: Float32Array, batch: number, gradient: Arena): void {
    const data = this.checked(parameters, observations, batch)
    if (this.#rows !== batch) throw unpairedError(batch, this.#rows)
    const into = this.data(gradient, 'gradient')
    this.#backend.use()
    const { tf } = this.#backend
    tf.tidy(() => {
      this.#load(tf, data)
      const slopes = this.#model.outputNames.map((name) => this.#slope(tf, name, batch))
      const weighted = () => {
        const result = this.#apply(tf, observations, batch)
        const terms = this.#model.outputNames.map((name, i) => outputTensor(this.#model, result, name).mul(slopes[i]!).sum())
        return tf.addN(terms).asScalar()
      }
      const { grads } = tf.variableGrads(weighted, [...this.#variables])
      const idle: string[] = []
      for (const [i, variable] of this.#variables.entries()) {
        const slice = this.#layout.slices[i]!
        const found = grads[variable.name]
        if (found !== undefined) into.set(found.dataSync(), slice.offset)
        else {
          into.fill(0, slice.offset, slice.offset + slice.length)
          idle.push(slice.name)
        }
      }
      this.idle = idle
    })
    this.vectorGradients(this.#layout, into)
  }

  /** Whether the output logStd of the model, where it has one, is that of the first row in every row. */
  sameForAllRows(parameters: Arena, observations: Float32Array, batch: number): boolean {
    if (!this.#model.outputNames.includes('logStd')) return true
    const data = this.checked(parameters, observations, batch)
    this.#backend.use()
    const { tf } = this.#backend
    return tf.tidy(() => {
      this.#load(tf, data)
      const rows = outputTensor(this.#model, this.#apply(tf, observations, batch), 'logStd').dataSync()
      return rows.every((value, i) => value === rows[i % this.#size('logStd')])
    })
  }

  /** The model is the thread's, and others may use it. */
  dispose(): void {}

  #load(tf: Tfjs, data: Float32Array): void {
    for (const [i, variable] of this.#variables.entries()) {
      // A copy: a backend may keep the array it is given.
      variable.assign(tf.tensor(part(data, this.#layout.slices[i]!).slice(), variable.shape, 'float32'))
    }
  }

  #apply(tf: Tfjs, observations: Float32Array, batch: number): Tensor | Tensor[] {
    const rows = tf.tensor(observations.slice(), [batch, ...this.spec.input], 'float32')
    return this.#model.apply(rows, { training: false }) as Tensor | Tensor[]
  }

  #values(result: Tensor | Tensor[], name: string, batch: number): Float32Array {
    if (this.#model.outputNames.includes(name)) return outputTensor(this.#model, result, name).dataSync() as Float32Array
    const q = outputTensor(this.#model, result, 'q')
    return (name === 'value' ? q.mean(1).reshape([batch]) : q).dataSync() as Float32Array
  }

  /** dL/d(output of the model) [batch, size]. */
  #slope(tf: Tfjs, name: string, batch: number): Tensor {
    if (name === 'logStd') {
      // The same in every row: one row stands for all.
      const row = tf.tensor1d(this.outputGradient(name).slice()) as Tensor1D
      return tf.pad(row.expandDims(0), [
        [0, batch - 1],
        [0, 0],
      ])
    }
    if (name !== 'q') return tf.tensor(this.outputGradient(name).slice(), [batch, this.#size(name)], 'float32')
    const actions = this.#size('advantage')
    const value = tf.tensor(this.outputGradient('value').slice(), [batch, 1], 'float32')
    return tf.tensor(this.outputGradient('advantage').slice(), [batch, actions], 'float32').add(value.div(actions))
  }

  #size(name: string): number {
    return this.outputs.find((output) => output.name === name)!.size
  }
}
