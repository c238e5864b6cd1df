/**
 * The layers of a model of one's own as a graph that carries no code: what ONNX and the small loader run. A layer of another kind throws
 * GrapevineError `network_layer`, whose data names it.
 */
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import type { GraphActivation, GraphLayer, NetworkGraph } from '../../ports/policy.ts'
import { GrapevineError } from '../../util/errors.ts'
import { layerNames, type OwnModel } from '../engines/own-models.ts'
import { GRAPH_ACTIVATIONS } from '../graph.ts'
import { layout } from '../layout.ts'

type TfLayer = SymbolicTensor['sourceLayer']
/** What a layer was made with, as the library writes it down. */
type Config = Readonly<Record<string, unknown>>

export function describeOwnModel({ model, spec }: OwnModel): NetworkGraph {
  const { slices } = layout(spec)
  const weights = new Map(model.weights.map((weight, i) => [weight, slices[i]!.name]))
  const names = layerNames(model)
  const layers: GraphLayer[] = []
  /** Values by the id of what they are called in the model; a model inside it gives its own inputs values. */
  const valueAt = (tensor: SymbolicTensor, known: Map<number, number>): number => {
    const found = known.get(tensor.id)
    if (found !== undefined) return found
    const inputs = tensor.inputs.map((input) => valueAt(input, known))
    const value = made(tensor, inputs)
    known.set(tensor.id, value)
    return value
  }
  const made = ({ sourceLayer, shape, outputTensorIndex = 0 }: SymbolicTensor, inputs: readonly number[]): number => {
    if (isModel(sourceLayer)) {
      const inside = new Map(sourceLayer.inputs.map(({ id }, i) => [id, inputs[i]!]))
      return valueAt(sourceLayer.outputs[outputTensorIndex]!, inside)
    }
    if (sourceLayer.getClassName() === 'Dropout') return inputs[0]!
    const name = names.get(sourceLayer.name) ?? sourceLayer.name
    const trained = sourceLayer.weights.map((weight) => weights.get(weight)!)
    return layers.push({ name, inputs, ...described(sourceLayer, name, trained, shape) })
  }
  const known = new Map([[model.inputs[0]!.id, 0]])
  return { layers, outputs: model.outputs.map((tensor, i) => ({ name: model.outputNames[i]!, value: valueAt(tensor, known) })) }
}

function isModel(layer: unknown): layer is LayersModel {
  return Array.isArray((layer as Partial<LayersModel>).layers)
}

type Kind = GraphLayer extends infer L ? (L extends GraphLayer ? Omit<L, 'name' | 'inputs'> : never) : never

/** `weights`: names of its own, in its order. `shape`: of its value, rows first. */
function described(layer: TfLayer, name: string, weights: readonly string[], shape: SymbolicTensor['shape']): Kind {
  const config = layer.getConfig()
  const refuse = (what = '') => notDescribed(name, layer.getClassName(), what)
  const activation = (): GraphActivation => {
    const named = config.activation === 'swish' ? 'silu' : String(config.activation)
    const found = GRAPH_ACTIVATIONS.find((one) => one === named)
    if (found === undefined) throw refuse(` with the activation ${named}`)
    return found
  }
  // Keras writes channelsLast where nothing else was asked for, and some layers nothing.
  if (config.dataFormat === 'channelsFirst') throw refuse(' with channels first')
  const rank = shape.length
  switch (layer.getClassName()) {
    case 'Dense':
      return { kind: 'dense', kernel: weights[0]!, bias: weights[1] ?? null, activation: activation() }
    case 'Conv2D':
      if ([config.dilationRate ?? 1].flat().some((rate) => rate !== 1)) throw refuse(' with a dilation')
      return { kind: 'conv', kernel: weights[0]!, bias: weights[1] ?? null, activation: activation(), ...windowOf(config, refuse) }
    case 'MaxPooling2D':
    case 'AveragePooling2D': {
      const of = layer.getClassName() === 'MaxPooling2D' ? 'max' : 'average'
      return { kind: 'pool', of, size: pair(config.poolSize), ...windowOf(config, refuse) }
    }
    case 'LayerNormalization': {
      if (![config.axis].flat().every((axis) => axis === rank - 1 || axis === -1)) throw refuse(' over another axis than the last')
      const named = [...weights]
      const gain = config.scale === false ? null : named.shift()!
      return { kind: 'layerNorm', gain, bias: named[0] ?? null, epsilon: config.epsilon as number }
    }
    case 'Activation':
      return { kind: 'activation', activation: activation() }
    case 'ReLU':
      if (config.maxValue !== null && config.maxValue !== undefined) throw refuse(' with a highest value')
      return { kind: 'activation', activation: 'relu' }
    case 'Flatten':
    case 'Reshape':
      return { kind: 'reshape', shape: shape.slice(1) as number[] }
    case 'Concatenate': {
      const axis = config.axis as number
      return { kind: 'concatenate', axis: (axis < 0 ? rank + axis : axis) - 1 }
    }
    case 'Add':
      return { kind: 'add' }
    default:
      throw refuse()
  }
}

function windowOf(config: Config, refuse: (what: string) => Error): { strides: readonly [number, number]; padding: 'valid' | 'same' } {
  const { padding } = config
  if (padding !== 'valid' && padding !== 'same') throw refuse(` with the padding ${padding}`)
  return { strides: pair(config.strides), padding }
}

function pair(value: unknown): readonly [number, number] {
  const [first, second = first] = [value].flat() as number[]
  return [first!, second!]
}

function notDescribed(layer: string, kind: string, what: string): GrapevineError<'network_layer'> {
  const message = `The layer ${layer} (${kind}${what}) of this network has no place in ONNX files and the small loader here; use --format tfjs, or safetensors for the weights alone.`
  return new GrapevineError('network_layer', 'local', message, { layer, kind })
}
