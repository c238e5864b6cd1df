/**
 * The forward pass of one observation in plain TypeScript, for trained policies: small, without a kernel or a library, the same bits on every
 * machine (sums in float64 in a fixed order, the exponential of util/maths). Engines agree with it to float32 rounding.
 */
import type { Activation, NetworkSpec } from '../ports/learner.ts'
import { exp } from '../util/maths.ts'
import {
  type ConvLayer,
  type DenseLayer,
  LAYER_NORM_EPSILON,
  type Layer,
  layout,
  type NetworkLayout,
  type NormLayer,
  outputSize,
  requireLayers,
} from './layout.ts'
import { requireLength } from './shapes.ts'

type Step = (input: Float64Array) => Float64Array

export class ForwardPass {
  readonly #layout: NetworkLayout
  readonly #input: Float64Array
  readonly #torso: readonly Step[]
  readonly #heads: readonly { readonly name: string; readonly steps: readonly Step[]; readonly output: Float32Array }[]
  readonly #vectors = new Map<string, Float32Array>()

  /** `parameters`: canonical [parameterCount]. `needed`: the outputs to compute; all when absent. Throws `bad_network` and `shape`. */
  constructor(spec: NetworkSpec, parameters: Float32Array, needed: readonly string[] | null = null) {
    requireLayers(spec, 'the small loader', 'export it with --format tfjs and load it with TensorFlow.js')
    this.#layout = layout(spec)
    requireLength('parameters', parameters, this.#layout.parameterCount)
    const step = (layer: Layer) => stepOf(layer, parameters)
    this.#input = new Float64Array(this.#layout.inputSize)
    this.#torso = this.#layout.torso.map(step)
    const wanted = this.#layout.heads.filter(({ name }) => needed === null || needed.includes(name))
    this.#heads = wanted.map(({ name, size, layers }) => ({ name, steps: layers.map(step), output: new Float32Array(size) }))
    for (const { name, slice } of this.#layout.vectors) {
      this.#vectors.set(name, parameters.subarray(slice.offset, slice.offset + slice.length))
    }
  }

  /** Computes all outputs for `observation` [input]. */
  run(observation: Float32Array): void {
    requireLength('observation', observation, this.#input.length)
    let x = this.#input
    x.set(observation)
    for (const step of this.#torso) x = step(x)
    for (const { steps, output } of this.#heads) {
      let y = x
      for (const step of steps) y = step(y)
      output.set(y)
    }
  }

  /** Output of the last run, which the next one overwrites; null when the network has none of that name. */
  output(name: string): Float32Array | null {
    return this.#heads.find((head) => head.name === name)?.output ?? this.#vectors.get(name) ?? null
  }
}

function stepOf(layer: Layer, parameters: Float32Array): Step {
  const out = new Float64Array(outputSize(layer))
  const of = ({ offset, length }: { offset: number; length: number }) => Float64Array.from(parameters.subarray(offset, offset + length))
  const bias = of(layer.bias)
  if (layer.kind === 'layerNorm') return norm(layer, of(layer.gain), bias, out)
  const kernel = of(layer.kernel)
  return layer.kind === 'dense' ? dense(layer, kernel, bias, out) : conv(layer, kernel, bias, out)
}

/** Units whose sums are kept in registers together. */
const BLOCK = 4

function dense({ inputs, units, activation }: DenseLayer, kernel: Float64Array, bias: Float64Array, out: Float64Array): Step {
  const blocks = Math.ceil(units / BLOCK)
  // [blocks, inputs, BLOCK]; what is left of the last block is 0.
  const packed = new Float64Array(blocks * inputs * BLOCK)
  for (let i = 0; i < inputs; i++) {
    for (let unit = 0; unit < units; unit++) {
      packed[(Math.floor(unit / BLOCK) * inputs + i) * BLOCK + (unit % BLOCK)] = kernel[i * units + unit]!
    }
  }
  return (x) => {
    for (let block = 0, at = 0; block < blocks; block++) {
      const unit = block * BLOCK
      let a = bias[unit]!
      let b = unit + 1 < units ? bias[unit + 1]! : 0
      let c = unit + 2 < units ? bias[unit + 2]! : 0
      let d = unit + 3 < units ? bias[unit + 3]! : 0
      for (let i = 0; i < inputs; i++, at += BLOCK) {
        const value = x[i]!
        a += value * packed[at]!
        b += value * packed[at + 1]!
        c += value * packed[at + 2]!
        d += value * packed[at + 3]!
      }
      out[unit] = a
      if (unit + 1 < units) out[unit + 1] = b
      if (unit + 2 < units) out[unit + 2] = c
      if (unit + 3 < units) out[unit + 3] = d
    }
    activate(activation, out)
    return out
  }
}

function conv(layer: ConvLayer, kernel: Float64Array, bias: Float64Array, out: Float64Array): Step {
  const { input, output, size, stride, activation } = layer
  const [, width, channels] = input
  const [rows, columns, filters] = output
  return (x) => {
    for (let row = 0, to = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, to += filters) {
        for (let filter = 0; filter < filters; filter++) out[to + filter] = bias[filter]!
        for (let i = 0, at = 0; i < size; i++) {
          const from = ((row * stride + i) * width + column * stride) * channels
          for (let j = 0; j < size * channels; j++) {
            const value = x[from + j]!
            for (let filter = 0; filter < filters; filter++) out[to + filter]! += value * kernel[at++]!
          }
        }
      }
    }
    activate(activation, out)
    return out
  }
}

function norm({ groups, width }: NormLayer, gain: Float64Array, bias: Float64Array, out: Float64Array): Step {
  return (x) => {
    for (let group = 0; group < groups; group++) {
      const from = group * width
      let mean = 0
      for (let i = 0; i < width; i++) mean += x[from + i]!
      mean /= width
      let variance = 0
      for (let i = 0; i < width; i++) variance += (x[from + i]! - mean) * (x[from + i]! - mean)
      const scale = 1 / Math.sqrt(variance / width + LAYER_NORM_EPSILON)
      for (let i = 0; i < width; i++) out[from + i] = (x[from + i]! - mean) * scale * gain[i]! + bias[i]!
    }
    return out
  }
}

function activate(activation: Activation, z: Float64Array): void {
  if (activation === 'relu') for (let i = 0; i < z.length; i++) z[i] = z[i]! > 0 ? z[i]! : 0
  if (activation === 'tanh') for (let i = 0; i < z.length; i++) z[i] = tanh(z[i]!)
  if (activation === 'silu') for (let i = 0; i < z.length; i++) z[i] = z[i]! / (1 + exp(-z[i]!))
}

/** 1 - 2 / (e^2x + 1): beyond 20 it is 1 in float64. */
function tanh(x: number): number {
  if (x > 20) return 1
  return x < -20 ? -1 : 1 - 2 / (exp(2 * x) + 1)
}
