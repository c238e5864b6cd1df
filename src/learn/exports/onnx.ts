/**
 * A policy's network as an ONNX model (opset 17, float32): input `observation` [batch, ...network input], outputs under the names that the network
 * gives them, and for dueling networks `q` [batch, actions]. Normalising the observation is part of the graph; stacking frames, sampling and
 * moving actions into their bounds are the caller's.
 */
import type { Slice } from '../../ports/learner.ts'
import type { GraphActivation, PolicyFile } from '../../ports/policy.ts'
import { graphOf, type ResolvedLayer, resolveGraph, type Shape, span, type WindowedLayer } from '../graph.ts'
import { layout } from '../layout.ts'
import { inputNormalisations } from './normalisation.ts'
import { Message } from './protobuf.ts'

const FLOAT = 1
const INT64 = 7
const OPSET = 17
/** The version of the file format that came with that opset. */
const IR_VERSION = 8

/** Throws `bad_network` for a model of one's own whose layers are not described. */
export function encodeOnnx({ facts, parameters }: PolicyFile): Uint8Array {
  const { network } = facts
  const { slices, vectors } = layout(network)
  const described = graphOf(facts)
  const layers = resolveGraph(described, network.input, slices)
  const graph = new Graph(parameters)
  graph.input('observation', network.input)
  let start = 'observation'
  for (const { mean, scale, clip } of inputNormalisations(facts)) {
    const like = (values: readonly number[]) => graph.constant(Float32Array.from(values), network.input)
    const centred = graph.node('Sub', [start, like(mean)])
    const scaled = graph.node('Mul', [centred, like(scale)])
    start = graph.node('Clip', [scaled, graph.scalar(-clip), graph.scalar(clip)])
  }
  const values = [start]
  for (const layer of layers)
    values.push(
      graph.layer(
        layer,
        layer.layer.inputs.map((value) => values[value]!),
      ),
    )
  const sizes = new Map<string, number>()
  const ends = new Map<string, string>()
  for (const { name, value } of described.outputs) {
    const { shape } = layers[value - 1]!
    graph.output(name, values[value]!, ['batch', ...shape])
    ends.set(name, values[value]!)
    sizes.set(name, shape[0]!)
  }
  for (const { name, slice } of vectors) graph.output(name, graph.slice(slice), [slice.length])
  const value = ends.get('value')
  const advantage = ends.get('advantage')
  if (value !== undefined && advantage !== undefined) {
    const mean = graph.node('ReduceMean', [advantage], [ints('axes', [1]), int('keepdims', 1)])
    const centred = graph.node('Sub', [advantage, mean])
    graph.output('q', graph.node('Add', [value, centred]), ['batch', sizes.get('advantage')!])
  }
  return new Message()
    .varint(1, IR_VERSION)
    .text(2, 'grapevine')
    .message(7, graph.encode(facts.environment.id))
    .message(8, new Message().text(1, '').varint(2, OPSET))
    .encode()
}

class Graph {
  readonly #parameters: Float32Array
  readonly #nodes: Message[] = []
  readonly #initialisers: Message[] = []
  readonly #inputs: Message[] = []
  readonly #outputs: Message[] = []
  #count = 0

  constructor(parameters: Float32Array) {
    this.#parameters = parameters
  }

  input(name: string, shape: Shape): void {
    this.#inputs.push(valueInfo(name, ['batch', ...shape]))
  }

  /** Gives `value` the name that the model shows. */
  output(name: string, value: string, shape: readonly (number | string)[]): void {
    this.#nodes.push(node('Identity', [value], name))
    this.#outputs.push(valueInfo(name, shape))
  }

  /** A node with one output, whose name is returned. */
  node(operator: string, inputs: readonly string[], attributes: readonly Message[] = []): string {
    const name = `t${this.#count++}`
    this.#nodes.push(node(operator, inputs, name, attributes))
    return name
  }

  constant(values: Float32Array | BigInt64Array, shape: Shape): string {
    const name = `c${this.#count++}`
    const tensor = new Message()
    for (const size of shape) tensor.varint(1, size)
    tensor.varint(2, values instanceof Float32Array ? FLOAT : INT64).text(8, name)
    this.#initialisers.push(tensor.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)))
    return name
  }

  scalar(value: number): string {
    return this.constant(Float32Array.of(value), [])
  }

  slice({ offset, length, shape }: Slice): string {
    return this.constant(this.#parameters.slice(offset, offset + length), shape)
  }

  /** `inputs`: names of its inputs; returns that of its value. */
  layer({ layer, from, shape }: ResolvedLayer, inputs: readonly string[]): string {
    const [x] = inputs as [string]
    switch (layer.kind) {
      case 'dense': {
        const product = this.node('MatMul', [x, this.slice(layer.kernel)])
        return this.#activate(layer.activation, layer.bias === null ? product : this.node('Add', [product, this.slice(layer.bias)]))
      }
      case 'conv': {
        const { kernel, bias } = layer
        const weights = [this.#channelsFirst(kernel), ...(bias === null ? [] : [this.slice(bias)])]
        const window = this.#window(layer, from[0]!, kernel.shape)
        return this.#asPictures(x, (first) => this.#activate(layer.activation, this.node('Conv', [first, ...weights], window)))
      }
      case 'pool': {
        const window = [ints('kernel_shape', layer.size), ...this.#window(layer, from[0]!, layer.size)]
        return this.#asPictures(x, (first) => this.node(layer.of === 'max' ? 'MaxPool' : 'AveragePool', [first], window))
      }
      case 'layerNorm': {
        const width = shape.at(-1)!
        const gain = layer.gain === null ? this.constant(new Float32Array(width).fill(1), [width]) : this.slice(layer.gain)
        const bias = layer.bias === null ? [] : [this.slice(layer.bias)]
        return this.node('LayerNormalization', [x, gain, ...bias], [int('axis', -1), float('epsilon', layer.epsilon)])
      }
      case 'activation':
        return this.#activate(layer.activation, x)
      case 'reshape':
        // 0: as many as there are.
        return this.node('Reshape', [x, this.constant(BigInt64Array.from([0, ...shape], BigInt), [shape.length + 1])])
      case 'concatenate':
        return this.node('Concat', inputs, [int('axis', layer.axis + 1)])
      case 'add':
        return this.node('Sum', inputs)
    }
  }

  encode(name: string): Message {
    const graph = new Message()
    for (const each of this.#nodes) graph.message(1, each)
    graph.text(2, name)
    for (const each of this.#initialisers) graph.message(5, each)
    for (const each of this.#inputs) graph.message(11, each)
    for (const each of this.#outputs) graph.message(12, each)
    return graph
  }

  /** ONNX has channels before places. */
  #asPictures(x: string, work: (first: string) => string): string {
    const first = this.node('Transpose', [x], [ints('perm', [0, 3, 1, 2])])
    return this.node('Transpose', [work(first)], [ints('perm', [0, 2, 3, 1])])
  }

  /** The kernel of a convolution as [filters, channels, height, width]. */
  #channelsFirst({ offset, length, shape }: Slice): string {
    const [height, width, channels, filters] = shape as [number, number, number, number]
    const kernel = this.#parameters.subarray(offset, offset + length)
    const turned = new Float32Array(length)
    for (let place = 0, from = 0; place < height * width; place++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let filter = 0; filter < filters; filter++) turned[(filter * channels + channel) * height * width + place] = kernel[from++]!
      }
    }
    return this.constant(turned, [filters, channels, height, width])
  }

  #window({ strides, padding }: Pick<WindowedLayer, 'strides' | 'padding'>, input: Shape, size: Shape): readonly Message[] {
    const [rows, columns] = [0, 1].map((axis) => span(input[axis]!, size[axis]!, strides[axis]!, padding))
    return [ints('strides', strides), ints('pads', [rows!.before, columns!.before, rows!.after, columns!.after])]
  }

  #activate(activation: GraphActivation, x: string): string {
    if (activation === 'linear') return x
    if (activation === 'silu') return this.node('Mul', [x, this.node('Sigmoid', [x])])
    if (activation === 'relu6') return this.node('Clip', [x, this.scalar(0), this.scalar(6)])
    return this.node(OPERATORS[activation], [x])
  }
}

const OPERATORS = { tanh: 'Tanh', relu: 'Relu', elu: 'Elu', sigmoid: 'Sigmoid', softplus: 'Softplus' } as const

function node(operator: string, inputs: readonly string[], output: string, attributes: readonly Message[] = []): Message {
  const message = new Message()
  for (const input of inputs) message.text(1, input)
  message.text(2, output).text(3, `${operator} ${output}`).text(4, operator)
  for (const attribute of attributes) message.message(5, attribute)
  return message
}

function int(name: string, value: number): Message {
  // Negative numbers are 64-bit two's complement; -1 is the only one here.
  const message = new Message().text(1, name)
  const signed = value >= 0 ? message.varint(3, value) : message.minusOne(3)
  return signed.varint(20, 2)
}

function float(name: string, value: number): Message {
  return new Message().text(1, name).float(2, value).varint(20, 1)
}

function ints(name: string, values: readonly number[]): Message {
  const message = new Message().text(1, name)
  for (const value of values) message.varint(8, value)
  return message.varint(20, 7)
}

function valueInfo(name: string, shape: readonly (number | string)[]): Message {
  const dimensions = new Message()
  for (const size of shape) {
    dimensions.message(1, typeof size === 'string' ? new Message().text(2, size) : new Message().varint(1, size))
  }
  const tensor = new Message().varint(1, FLOAT).message(2, dimensions)
  return new Message().text(1, name).message(2, new Message().message(1, tensor))
}
