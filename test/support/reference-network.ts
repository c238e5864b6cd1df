/**
 * A network in float64 and plain loops, slow and obvious: what the engines' outputs and gradients are compared with.
 * Parameters and gradients are canonical. Its own gradients are checked against finite differences.
 */
import {
  type ConvLayer,
  type DenseLayer,
  inputSize,
  LAYER_NORM_EPSILON,
  type Layer,
  layout,
  type NormLayer,
  outputSize,
} from '../../src/learn/layout.ts'
import type { Activation, NetworkSpec, Slice } from '../../src/ports/learner.ts'

type Vector = ArrayLike<number>

export interface ReferencePass {
  /** [batch, size] for a head, [size] for a vector. */
  readonly outputs: ReadonlyMap<string, Float64Array>
  /** Gradient of sum(outputGradient * output) with respect to the parameters. */
  backward(outputGradients: ReadonlyMap<string, Vector>): Float64Array
}

export function referencePass(spec: NetworkSpec, parameters: Vector, observations: Vector, batch: number): ReferencePass {
  const { torso, heads, vectors, torsoSize, parameterCount } = layout(spec)
  const torsoSteps = run(torso, Float64Array.from(observations))
  const torsoOutput = torsoSteps.at(-1)?.output ?? Float64Array.from(observations)
  const headSteps = heads.map((head) => run(head.layers, torsoOutput))
  const outputs = new Map(heads.map((head, index) => [head.name, headSteps[index]!.at(-1)!.output]))
  for (const { name, slice } of vectors)
    outputs.set(
      name,
      Float64Array.from({ length: slice.length }, (_, i) => parameters[slice.offset + i]!),
    )
  return { outputs, backward }

  function run(layers: readonly Layer[], input: Float64Array): Step[] {
    const steps: Step[] = []
    for (const layer of layers) steps.push(forward(layer, parameters, steps.at(-1)?.output ?? input, batch))
    return steps
  }

  function backward(outputGradients: ReadonlyMap<string, Vector>): Float64Array {
    const gradient = new Float64Array(parameterCount)
    const torsoGradient = new Float64Array(batch * torsoSize)
    for (const [index, head] of heads.entries()) {
      const part = runBack(head.layers, headSteps[index]!, Float64Array.from(outputGradients.get(head.name)!), gradient)
      for (let i = 0; i < part.length; i++) torsoGradient[i]! += part[i]!
    }
    runBack(torso, torsoSteps, torsoGradient, gradient)
    for (const { name, slice } of vectors) gradient.set(Float64Array.from(outputGradients.get(name)!), slice.offset)
    return gradient
  }

  function runBack(layers: readonly Layer[], steps: readonly Step[], outputGradient: Float64Array, gradient: Float64Array): Float64Array {
    let error = outputGradient
    for (let i = layers.length - 1; i >= 0; i--) error = back(layers[i]!, parameters, steps[i]!, error, batch, gradient)
    return error
  }
}

/** Per row: what went in, what stood before the activation, what came out. */
interface Step {
  readonly input: Float64Array
  readonly inner: Float64Array
  readonly output: Float64Array
}

function forward(layer: Layer, parameters: Vector, input: Float64Array, batch: number): Step {
  const inner = new Float64Array(batch * outputSize(layer))
  if (layer.kind === 'layerNorm') {
    eachGroup(layer, input, batch, (start, normalised) => {
      for (let i = 0; i < layer.width; i++) {
        inner[start + i] = normalised[i]! * at(parameters, layer.gain, i) + at(parameters, layer.bias, i)
      }
    })
    return { input, inner, output: inner }
  }
  for (let i = 0; i < inner.length; i++) inner[i] = at(parameters, layer.bias, i % layer.bias.length)
  eachProduct(layer, batch, (from, weight, to) => {
    inner[to]! += input[from]! * at(parameters, layer.kernel, weight)
  })
  return { input, inner, output: inner.map((z) => activations[layer.activation].value(z)) }
}

/** Adds the layer's parameter gradient to `gradient` and returns dL/d(input). */
function back(layer: Layer, parameters: Vector, step: Step, error: Float64Array, batch: number, gradient: Float64Array): Float64Array {
  const inputError = new Float64Array(batch * inputSize(layer))
  if (layer.kind === 'layerNorm') {
    eachGroup(layer, step.input, batch, (start, normalised, deviation) => {
      const scaled = normalised.map((_, i) => error[start + i]! * at(parameters, layer.gain, i))
      const mean = sum(scaled) / layer.width
      const along = sum(scaled.map((value, i) => value * normalised[i]!)) / layer.width
      for (let i = 0; i < layer.width; i++) {
        gradient[layer.gain.offset + i]! += error[start + i]! * normalised[i]!
        gradient[layer.bias.offset + i]! += error[start + i]!
        inputError[start + i] = (scaled[i]! - mean - normalised[i]! * along) / deviation
      }
    })
    return inputError
  }
  const inner = error.map((value, i) => value * activations[layer.activation].slope(step.inner[i]!))
  for (let i = 0; i < inner.length; i++) gradient[layer.bias.offset + (i % layer.bias.length)]! += inner[i]!
  eachProduct(layer, batch, (from, weight, to) => {
    gradient[layer.kernel.offset + weight]! += step.input[from]! * inner[to]!
    inputError[from]! += at(parameters, layer.kernel, weight) * inner[to]!
  })
  return inputError
}

/** Visits every product of the layer: output[to] += input[from] * kernel[weight]. */
function eachProduct(layer: DenseLayer | ConvLayer, batch: number, visit: (from: number, weight: number, to: number) => void): void {
  for (let row = 0; row < batch; row++) {
    const from = row * inputSize(layer)
    const to = row * outputSize(layer)
    if (layer.kind === 'dense') {
      for (let i = 0; i < layer.inputs; i++) {
        for (let j = 0; j < layer.units; j++) visit(from + i, i * layer.units + j, to + j)
      }
    } else {
      const [, width, channels] = layer.input
      const [outHeight, outWidth, filters] = layer.output
      const { size, stride } = layer
      for (let y = 0; y < outHeight; y++) {
        for (let x = 0; x < outWidth; x++) {
          for (let dy = 0; dy < size; dy++) {
            for (let dx = 0; dx < size; dx++) {
              for (let c = 0; c < channels; c++) {
                const source = from + ((y * stride + dy) * width + x * stride + dx) * channels + c
                for (let f = 0; f < filters; f++)
                  visit(source, ((dy * size + dx) * channels + c) * filters + f, to + (y * outWidth + x) * filters + f)
              }
            }
          }
        }
      }
    }
  }
}

function eachGroup(
  layer: NormLayer,
  input: Float64Array,
  batch: number,
  visit: (start: number, normalised: Float64Array, deviation: number) => void,
): void {
  for (let group = 0; group < batch * layer.groups; group++) {
    const start = group * layer.width
    const values = input.subarray(start, start + layer.width)
    const mean = sum(values) / layer.width
    const deviation = Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / layer.width + LAYER_NORM_EPSILON)
    visit(
      start,
      values.map((value) => (value - mean) / deviation),
      deviation,
    )
  }
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))

const activations: Record<Activation, { value(z: number): number; slope(z: number): number }> = {
  tanh: { value: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  silu: { value: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z))) },
  linear: { value: (z) => z, slope: () => 1 },
}

function at(parameters: Vector, slice: Slice, index: number): number {
  return parameters[slice.offset + index]!
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
