/**
 * The layers of a trained network one by one, for those that run it without an engine: the small loader and the writer of ONNX. Networks of
 * Grapevine's own layers and models of one's own come as the same description (NetworkGraph); `resolveGraph` gives its layers their weights and
 * shapes (those of one row).
 *
 * A description may come out of a file of others: whatever does not fit throws GrapevineError `bad_network`, before anything large is allocated.
 */
import type { NetworkSpec, Slice } from '../ports/learner.ts'
import type { GraphActivation, GraphLayer, NetworkGraph, PolicyFacts } from '../ports/policy.ts'
import { GrapevineError } from '../util/errors.ts'
import { LAYER_NORM_EPSILON, type Layer, layout } from './layout.ts'
import { MAX_GRAPH_FLOATS } from './limits.ts'

export type Shape = readonly number[]

export interface ResolvedLayer {
  readonly layer: GraphLayer<Slice>
  /** Of its inputs. */
  readonly from: readonly Shape[]
  readonly shape: Shape
}

/** Throws `bad_network` for a model of one's own whose layers were not described. */
export function graphOf({ network, graph }: Pick<PolicyFacts, 'network' | 'graph'>): NetworkGraph {
  if (network.own === undefined) return layerGraph(network)
  if (graph !== undefined) return graph
  const message = `The network is a model of its own (${network.own.id}), and the file holds its weights alone; export it again with --network MODULE, or with --format tfjs for TensorFlow.js.`
  throw new GrapevineError('bad_network', 'local', message)
}

function layerGraph(network: NetworkSpec): NetworkGraph {
  const { torso, heads } = layout(network)
  const layers: GraphLayer[] = []
  const add = (layer: GraphLayer) => layers.push(layer)
  /** `from`: a value, and whether it is flat; the same of what the layers make. */
  const chain = (chained: readonly Layer[], from: { readonly value: number; readonly flat: boolean }) => {
    let { value, flat } = from
    for (const layer of chained) {
      if (layer.kind === 'dense' && !flat) value = add({ name: 'flatten', inputs: [value], kind: 'reshape', shape: [layer.inputs] })
      value = add(described(layer, value))
      flat ||= layer.kind === 'dense'
    }
    return { value, flat }
  }
  const start = chain(torso, { value: 0, flat: network.input.length === 1 })
  return { layers, outputs: heads.map((head) => ({ name: head.name, value: chain(head.layers, start).value })) }
}

function described(layer: Layer, value: number): GraphLayer {
  const common = { name: layer.name, inputs: [value], bias: layer.bias.name }
  if (layer.kind === 'layerNorm') return { ...common, kind: 'layerNorm', gain: layer.gain.name, epsilon: LAYER_NORM_EPSILON }
  const { activation } = layer
  if (layer.kind === 'dense') return { ...common, kind: 'dense', kernel: layer.kernel.name, activation }
  return { ...common, kind: 'conv', kernel: layer.kernel.name, strides: [layer.stride, layer.stride], padding: 'valid', activation }
}

/** `input`: shape of the observation; `slices`: of the network. Outputs are flat. */
export function resolveGraph({ layers, outputs }: NetworkGraph, input: Shape, slices: readonly Slice[]): readonly ResolvedLayer[] {
  if (!Array.isArray(layers) || !Array.isArray(outputs)) throw bad('its description is no list of layers and outputs')
  const shapes: Shape[] = [input]
  const weights = new Map(slices.map((slice) => [slice.name, slice]))
  let floats = 0
  const resolved = layers.map((layer: GraphLayer): ResolvedLayer => {
    const from = valuesAt(layer, shapes)
    const made = resolveLayer(layer, from, weights)
    floats += product(made.shape)
    if (floats > MAX_GRAPH_FLOATS) throw bad(`its layers make more than ${MAX_GRAPH_FLOATS} values of one observation up to ${layer.name}`)
    shapes.push(made.shape)
    return { ...made, from }
  })
  for (const { name, value } of outputs) {
    if (shapes[value]?.length !== 1) throw bad(`its output ${name} is no flat value of its layers`)
  }
  return resolved
}

function valuesAt(layer: GraphLayer, shapes: readonly Shape[]): readonly Shape[] {
  if (typeof layer !== 'object' || layer === null) throw bad('one of its layers is none')
  const { name, inputs, kind } = layer
  const many = kind === 'concatenate' || kind === 'add'
  const found = Array.isArray(inputs) ? inputs.map((value: number) => shapes[value]) : []
  if (found.length === 0 || (!many && found.length > 1) || found.includes(undefined)) {
    throw bad(`its layer ${name} does not say which values before it are its inputs`)
  }
  return found as Shape[]
}

function resolveLayer(layer: GraphLayer, from: readonly Shape[], weights: ReadonlyMap<string, Slice>): Omit<ResolvedLayer, 'from'> {
  const amiss = (what: string) => bad(`its layer ${layer.name} ${what}`)
  const x = from[0]!
  const last = x.at(-1)!
  const weight = (name: string, rank: number): Slice => {
    const found = weights.get(name)
    if (found?.shape.length !== rank) throw amiss(`needs a weight of ${rank} dimensions where ${name} is named`)
    return found
  }
  const vector = (name: string | null, length: number): Slice | null => {
    const found = name === null ? null : weight(name, 1)
    if (found !== null && found.length !== length) throw amiss(`needs ${length} values where ${name} has ${found.length}`)
    return found
  }
  if ('activation' in layer && !GRAPH_ACTIVATIONS.includes(layer.activation)) throw amiss(`has the unknown activation ${layer.activation}`)
  switch (layer.kind) {
    case 'dense': {
      const kernel = weight(layer.kernel, 2)
      const [inputs, units] = kernel.shape as [number, number]
      if (inputs !== last) throw amiss(`takes ${inputs} values and gets ${last}`)
      return { layer: { ...layer, kernel, bias: vector(layer.bias, units) }, shape: [...x.slice(0, -1), units] }
    }
    case 'conv': {
      const kernel = weight(layer.kernel, 4)
      const [height, width, channels, filters] = kernel.shape as [number, number, number, number]
      if (channels !== last) throw amiss(`takes ${channels} channels and gets ${last}`)
      const shape = [...places(layer, x, [height, width], amiss), filters]
      return { layer: { ...layer, kernel, bias: vector(layer.bias, filters) }, shape }
    }
    case 'pool':
      if (layer.of !== 'max' && layer.of !== 'average') throw amiss(`pools by the unknown rule ${layer.of}`)
      return { layer, shape: [...places(layer, x, layer.size, amiss), last] }
    case 'layerNorm':
      if (!(layer.epsilon > 0)) throw amiss(`has the epsilon ${layer.epsilon}, which must be above 0`)
      return { layer: { ...layer, gain: vector(layer.gain, last), bias: vector(layer.bias, last) }, shape: x }
    case 'activation':
      return { layer, shape: x }
    case 'reshape':
      if (!Array.isArray(layer.shape) || !layer.shape.every(isSize) || product(layer.shape) !== product(x))
        throw amiss(`cannot make ${layer.shape} of ${spoken(x)}`)
      return { layer, shape: layer.shape }
    case 'concatenate': {
      const { axis } = layer
      const rest = (shape: Shape) => String(shape.filter((_, i) => i !== axis))
      if (
        !Number.isSafeInteger(axis) ||
        x[axis] === undefined ||
        from.some((shape) => shape.length !== x.length || rest(shape) !== rest(x))
      )
        throw amiss(`cannot put ${from.map(spoken).join(' and ')} together along axis ${axis}`)
      return { layer, shape: x.map((size, i) => (i === axis ? from.reduce((sum, shape) => sum + shape[axis]!, 0) : size)) }
    }
    case 'add':
      if (from.some((shape) => String(shape) !== String(x))) throw amiss(`cannot add ${from.map(spoken).join(' and ')}`)
      return { layer, shape: x }
    default:
      throw amiss(`is of the kind ${(layer as GraphLayer).kind}, which is not known here`)
  }
}

export const GRAPH_ACTIVATIONS: readonly GraphActivation[] = ['linear', 'relu', 'tanh', 'silu', 'elu', 'relu6', 'sigmoid', 'softplus']

export type WindowedLayer = Extract<GraphLayer<unknown>, { kind: 'conv' | 'pool' }>

function places({ strides, padding }: WindowedLayer, x: Shape, size: Shape, amiss: (what: string) => Error): readonly number[] {
  if (x.length !== 3) throw amiss(`takes pictures [height, width, channels] and gets ${spoken(x)}`)
  if (padding !== 'valid' && padding !== 'same') throw amiss(`has the unknown padding ${padding}`)
  for (const pair of [size, strides]) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(isSize)) throw amiss(`has the size or strides ${pair}`)
  }
  if (padding === 'valid' && (size[0]! > x[0]! || size[1]! > x[1]!)) throw amiss(`is larger than its input of ${spoken(x)}`)
  return [0, 1].map((axis) => span(x[axis]!, size[axis]!, strides[axis]!, padding).places)
}

/** How often a window of `size` fits into `length`, and what padding comes before and after. */
export function span(length: number, size: number, stride: number, padding: 'valid' | 'same') {
  if (padding === 'valid') return { places: Math.floor((length - size) / stride) + 1, before: 0, after: 0 }
  const places = Math.ceil(length / stride)
  const missing = Math.max((places - 1) * stride + size - length, 0)
  const before = Math.floor(missing / 2)
  return { places, before, after: missing - before }
}

export function product(shape: Shape): number {
  return shape.reduce((total, length) => total * length, 1)
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

function spoken(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

function bad(what: string): GrapevineError<'bad_network'> {
  return new GrapevineError('bad_network', 'local', `The network of this policy cannot be run here: ${what}.`)
}
