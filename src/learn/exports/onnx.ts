/**
 * A policy's network as an ONNX model (opset 17, float32): input `observation` [batch, ...network input], outputs under the names that the network
 * gives them, and for dueling networks `q` [batch, actions]. Normalising the observation is part of the graph; stacking frames, sampling and
 * moving actions into their bounds are the caller's.
 */
import type { PolicyFile } from '../../ports/policy.ts'
import { type ConvLayer, type Layer, layout, requireLayers } from '../layout.ts'
import { inputNormalisations } from './normalisation.ts'
import { Message } from './protobuf.ts'

const FLOAT = 1
const INT64 = 7
const OPSET = 17
/** The version of the file format that came with that opset. */
const IR_VERSION = 8

export function encodeOnnx({ facts, parameters }: PolicyFile): Uint8Array {
  const { network } = facts
  requireLayers(network, 'this writer of ONNX', 'export it with --format tfjs or safetensors')
  const { torso, heads, vectors } = layout(network)
  const graph = new Graph(parameters)
  let start: Value = { name: 'observation', shape: network.input }
  graph.input(start)
  for (const { mean, scale, clip } of inputNormalisations(facts)) {
    const like = (values: readonly number[]) => graph.constant(Float32Array.from(values), network.input)
    const centred = graph.node('Sub', [start.name, like(mean)])
    const scaled = graph.node('Mul', [centred, like(scale)])
    const bound = (value: number) => graph.constant(Float32Array.of(value), [])
    start = { name: graph.node('Clip', [scaled, bound(-clip), bound(clip)]), shape: network.input }
  }
  for (const layer of torso) start = graph.layer(layer, start)
  const ends = new Map<string, string>()
  for (const head of heads) {
    let end = start
    for (const layer of head.layers) end = graph.layer(layer, end)
    graph.output(head.name, end.name, ['batch', head.size])
    ends.set(head.name, end.name)
  }
  for (const { name, slice } of vectors) graph.output(name, graph.slice(slice), [slice.length])
  const value = ends.get('value')
  const advantage = ends.get('advantage')
  if (value !== undefined && advantage !== undefined) {
    const mean = graph.node('ReduceMean', [advantage], [ints('axes', [1]), int('keepdims', 1)])
    const centred = graph.node('Sub', [advantage, mean])
    const { size } = heads.find(({ name }) => name === 'advantage')!
    graph.output('q', graph.node('Add', [value, centred]), ['batch', size])
  }
  return new Message()
    .varint(1, IR_VERSION)
    .text(2, 'grapevine')
    .message(7, graph.encode(facts.environment.id))
    .message(8, new Message().text(1, '').varint(2, OPSET))
    .encode()
}

/** A tensor in the graph; `shape` of one row. */
interface Value {
  readonly name: string
  readonly shape: readonly number[]
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

  input({ name, shape }: Value): void {
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

  constant(values: Float32Array | BigInt64Array, shape: readonly number[]): string {
    const name = `c${this.#count++}`
    const tensor = new Message()
    for (const size of shape) tensor.varint(1, size)
    tensor.varint(2, values instanceof Float32Array ? FLOAT : INT64).text(8, name)
    this.#initialisers.push(tensor.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)))
    return name
  }

  slice({ offset, length, shape }: { readonly offset: number; readonly length: number; readonly shape: readonly number[] }): string {
    return this.constant(this.#parameters.slice(offset, offset + length), shape)
  }

  layer(layer: Layer, x: Value): Value {
    switch (layer.kind) {
      case 'dense': {
        const product = this.node('MatMul', [this.#flat(x, layer.inputs), this.slice(layer.kernel)])
        return { name: this.#activate(layer.activation, this.node('Add', [product, this.slice(layer.bias)])), shape: [layer.units] }
      }
      case 'conv':
        return this.#conv(layer, x)
      case 'layerNorm': {
        const attributes = [int('axis', -1), float('epsilon', 1e-5)]
        return {
          name: this.node('LayerNormalization', [x.name, this.slice(layer.gain), this.slice(layer.bias)], attributes),
          shape: x.shape,
        }
      }
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
  #conv(layer: ConvLayer, x: Value): Value {
    const [, , channels] = layer.input
    const [, , filters] = layer.output
    const { size, stride } = layer
    const kernel = this.#parameters.subarray(layer.kernel.offset, layer.kernel.offset + layer.kernel.length)
    const turned = new Float32Array(kernel.length)
    for (let place = 0, from = 0; place < size * size; place++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let filter = 0; filter < filters; filter++) turned[(filter * channels + channel) * size * size + place] = kernel[from++]!
      }
    }
    const first = this.node('Transpose', [x.name], [ints('perm', [0, 3, 1, 2])])
    const weights = this.constant(turned, [filters, channels, size, size])
    const convolved = this.node('Conv', [first, weights, this.slice(layer.bias)], [ints('strides', [stride, stride])])
    const back = this.node('Transpose', [this.#activate(layer.activation, convolved)], [ints('perm', [0, 2, 3, 1])])
    return { name: back, shape: layer.output }
  }

  #flat(x: Value, length: number): string {
    if (x.shape.length === 1) return x.name
    return this.node('Reshape', [x.name, this.constant(BigInt64Array.of(0n, BigInt(length)), [2])])
  }

  #activate(activation: string, x: string): string {
    if (activation === 'tanh') return this.node('Tanh', [x])
    if (activation === 'relu') return this.node('Relu', [x])
    return activation === 'silu' ? this.node('Mul', [x, this.node('Sigmoid', [x])]) : x
  }
}

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
