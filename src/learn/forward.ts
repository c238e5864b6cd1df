/**
 * The forward pass of one observation in plain TypeScript, for trained policies: small, without a kernel or a library, the same bits on every
 * machine (sums in float64 in a fixed order, the functions of util/maths). Engines agree with it to float32 rounding.
 */
import type { Slice } from '../ports/learner.ts'
import type { GraphActivation, GraphLayer, PolicyFacts } from '../ports/policy.ts'
import { exp, log } from '../util/maths.ts'
import { graphOf, product, type ResolvedLayer, resolveGraph, type Shape, span } from './graph.ts'
import { layout } from './layout.ts'
import { requireLength } from './shapes.ts'

/** Reads the arrays of its inputs and fills that of its value. */
type Step = () => void
type Of<K extends GraphLayer['kind']> = Extract<GraphLayer<Slice>, { kind: K }>

export class ForwardPass {
  readonly #input: Float64Array
  readonly #steps: readonly Step[]
  readonly #heads: readonly { readonly name: string; readonly value: Float64Array; readonly output: Float32Array }[]
  readonly #vectors = new Map<string, Float32Array>()

  /** `parameters`: canonical [parameterCount]. `needed`: the outputs to compute; all when absent. Throws `bad_network` and `shape`. */
  constructor(policy: Pick<PolicyFacts, 'network' | 'graph'>, parameters: Float32Array, needed: readonly string[] | null = null) {
    const { slices, vectors, parameterCount, inputSize } = layout(policy.network)
    const graph = graphOf(policy)
    requireLength('parameters', parameters, parameterCount)
    const layers = resolveGraph(graph, policy.network.input, slices)
    const wanted = graph.outputs.filter(({ name }) => needed === null || needed.includes(name))
    const read = valuesRead(layers, wanted)
    this.#input = new Float64Array(inputSize)
    const values = [this.#input]
    const steps: Step[] = []
    for (const [i, resolved] of layers.entries()) {
      const inputs = resolved.layer.inputs.map((value) => values[value]!)
      const out = resolved.layer.kind === 'reshape' ? inputs[0]! : new Float64Array(read.has(i + 1) ? product(resolved.shape) : 0)
      values.push(out)
      if (read.has(i + 1) && out !== inputs[0]) steps.push(stepOf(resolved, inputs, out, parameters))
    }
    this.#steps = steps
    this.#heads = wanted.map(({ name, value }) => ({ name, value: values[value]!, output: new Float32Array(values[value]!.length) }))
    for (const { name, slice } of vectors) this.#vectors.set(name, parameters.subarray(slice.offset, slice.offset + slice.length))
  }

  /** Computes all outputs for `observation` [input]. */
  run(observation: Float32Array): void {
    requireLength('observation', observation, this.#input.length)
    this.#input.set(observation)
    for (const step of this.#steps) step()
    for (const { value, output } of this.#heads) output.set(value)
  }

  /** Output of the last run, which the next one overwrites; null when the network has none of that name. */
  output(name: string): Float32Array | null {
    return this.#heads.find((head) => head.name === name)?.output ?? this.#vectors.get(name) ?? null
  }
}

/** What these outputs come from. */
function valuesRead(layers: readonly ResolvedLayer[], outputs: readonly { readonly value: number }[]): ReadonlySet<number> {
  const read = new Set(outputs.map(({ value }) => value))
  for (let i = layers.length - 1; i >= 0; i--) if (read.has(i + 1)) for (const value of layers[i]!.layer.inputs) read.add(value)
  return read
}

function stepOf({ layer, from, shape }: ResolvedLayer, inputs: readonly Float64Array[], out: Float64Array, parameters: Float32Array): Step {
  const of = ({ offset, length }: Slice) => Float64Array.from(parameters.subarray(offset, offset + length))
  const optional = (slice: Slice | null, length: number, otherwise: number) =>
    slice === null ? new Float64Array(length).fill(otherwise) : of(slice)
  const x = inputs[0]!
  const last = shape.at(-1)!
  switch (layer.kind) {
    case 'dense':
      return activated(layer.activation, out, dense(from[0]!.at(-1)!, last, of(layer.kernel), optional(layer.bias, last, 0), x, out))
    case 'conv':
      return activated(layer.activation, out, conv(layer, from[0]!, of(layer.kernel), optional(layer.bias, last, 0), x, out))
    case 'pool':
      return pool(layer, from[0]!, x, out)
    case 'layerNorm':
      return norm(layer.epsilon, optional(layer.gain, last, 1), optional(layer.bias, last, 0), x, out)
    case 'activation':
      return activated(layer.activation, out, () => out.set(x))
    case 'concatenate':
      return concatenate(
        from.map((each) => product(each.slice(layer.axis))),
        inputs,
        out,
      )
    case 'add':
      return () => {
        for (let i = 0; i < out.length; i++) {
          let sum = 0
          for (const each of inputs) sum += each[i]!
          out[i] = sum
        }
      }
    case 'reshape':
      return () => undefined
  }
}

/** Units whose sums are kept in registers together. */
const BLOCK = 4

function dense(inputs: number, units: number, kernel: Float64Array, bias: Float64Array, x: Float64Array, out: Float64Array): Step {
  const blocks = Math.ceil(units / BLOCK)
  // [blocks, inputs, BLOCK]; what is left of the last block is 0.
  const packed = new Float64Array(blocks * inputs * BLOCK)
  for (let i = 0; i < inputs; i++) {
    for (let unit = 0; unit < units; unit++) {
      packed[(Math.floor(unit / BLOCK) * inputs + i) * BLOCK + (unit % BLOCK)] = kernel[i * units + unit]!
    }
  }
  return () => {
    for (let from = 0, to = 0; to < out.length; from += inputs, to += units) {
      for (let unit = 0, at = 0; unit < units; unit += BLOCK) {
        let a = bias[unit]!
        let b = unit + 1 < units ? bias[unit + 1]! : 0
        let c = unit + 2 < units ? bias[unit + 2]! : 0
        let d = unit + 3 < units ? bias[unit + 3]! : 0
        for (let i = 0; i < inputs; i++, at += BLOCK) {
          const value = x[from + i]!
          a += value * packed[at]!
          b += value * packed[at + 1]!
          c += value * packed[at + 2]!
          d += value * packed[at + 3]!
        }
        out[to + unit] = a
        if (unit + 1 < units) out[to + unit + 1] = b
        if (unit + 2 < units) out[to + unit + 2] = c
        if (unit + 3 < units) out[to + unit + 3] = d
      }
    }
  }
}

function conv(
  { kernel: { shape }, strides, padding }: Of<'conv'>,
  input: Shape,
  kernel: Float64Array,
  bias: Float64Array,
  x: Float64Array,
  out: Float64Array,
): Step {
  const [height, width, channels] = input as [number, number, number]
  const [tall, wide, , filters] = shape as [number, number, number, number]
  const rows = covered(height, tall, strides[0], padding)
  const columns = covered(width, wide, strides[1], padding)
  return () => {
    let to = 0
    for (const row of rows) {
      for (const column of columns) {
        for (let filter = 0; filter < filters; filter++) out[to + filter] = bias[filter]!
        for (let i = 0; i < row.count; i++) {
          const from = ((row.from + i) * width + column.from) * channels
          let at = ((row.skipped + i) * wide + column.skipped) * channels * filters
          for (let j = 0; j < column.count * channels; j++) {
            const value = x[from + j]!
            for (let filter = 0; filter < filters; filter++) out[to + filter]! += value * kernel[at++]!
          }
        }
        to += filters
      }
    }
  }
}

function pool({ of, size, strides, padding }: Of<'pool'>, input: Shape, x: Float64Array, out: Float64Array): Step {
  const [height, width, channels] = input as [number, number, number]
  const rows = covered(height, size[0], strides[0], padding)
  const columns = covered(width, size[1], strides[1], padding)
  return () => {
    let to = 0
    for (const row of rows) {
      for (const column of columns) {
        for (let channel = 0; channel < channels; channel++, to++) {
          let most = Number.NEGATIVE_INFINITY
          let sum = 0
          for (let i = 0; i < row.count; i++) {
            for (let j = 0; j < column.count; j++) {
              const value = x[((row.from + i) * width + column.from + j) * channels + channel]!
              most = Math.max(most, value)
              sum += value
            }
          }
          out[to] = of === 'max' ? most : sum / (row.count * column.count)
        }
      }
    }
  }
}

/** What each place of a window covers along one axis: `count` values from `from` on, after `skipped` of its own that lie outside. */
function covered(length: number, size: number, stride: number, padding: 'valid' | 'same') {
  const { places, before } = span(length, size, stride, padding)
  return Array.from({ length: places }, (_, place) => {
    const start = place * stride - before
    const from = Math.max(start, 0)
    return { from, skipped: from - start, count: Math.min(start + size, length) - from }
  })
}

/** Each run of as many values as `gain` has. */
function norm(epsilon: number, gain: Float64Array, bias: Float64Array, x: Float64Array, out: Float64Array): Step {
  const width = gain.length
  return () => {
    for (let from = 0; from < x.length; from += width) {
      let mean = 0
      for (let i = 0; i < width; i++) mean += x[from + i]!
      mean /= width
      let variance = 0
      for (let i = 0; i < width; i++) variance += (x[from + i]! - mean) * (x[from + i]! - mean)
      const scale = 1 / Math.sqrt(variance / width + epsilon)
      for (let i = 0; i < width; i++) out[from + i] = (x[from + i]! - mean) * scale * gain[i]! + bias[i]!
    }
  }
}

/** `runs`: how many values of each input lie side by side. */
function concatenate(runs: readonly number[], inputs: readonly Float64Array[], out: Float64Array): Step {
  return () => {
    for (let to = 0, block = 0; to < out.length; block++) {
      for (const [i, x] of inputs.entries()) {
        const run = runs[i]!
        out.set(x.subarray(block * run, (block + 1) * run), to)
        to += run
      }
    }
  }
}

function activated(activation: GraphActivation, out: Float64Array, step: Step): Step {
  const activate = ACTIVATIONS[activation]
  if (activate === null) return step
  return () => {
    step()
    for (let i = 0; i < out.length; i++) out[i] = activate(out[i]!)
  }
}

const ACTIVATIONS: Readonly<Record<GraphActivation, ((z: number) => number) | null>> = {
  linear: null,
  relu: (z) => (z > 0 ? z : 0),
  relu6: (z) => Math.min(z > 0 ? z : 0, 6),
  elu: (z) => (z > 0 ? z : exp(z) - 1),
  sigmoid: (z) => 1 / (1 + exp(-z)),
  silu: (z) => z / (1 + exp(-z)),
  // Beyond 40 it is z in float64.
  softplus: (z) => (z > 40 ? z : log(1 + exp(z))),
  // 1 - 2 / (e^2z + 1): beyond 20 it is 1 in float64.
  tanh: (z) => (z > 20 ? 1 : z < -20 ? -1 : 1 - 2 / (exp(2 * z) + 1)),
}
