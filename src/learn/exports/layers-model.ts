/**
 * A policy's network as a TensorFlow.js layers model: `model.json` and `weights.bin`. Its input is the network's (normalised, stacked); its outputs
 * carry the names of the network's heads, in their order; free vectors and all that acting needs are in the model's `userDefinedMetadata`.
 */
import type { io, LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs'
import type { PolicyFile } from '../../ports/policy.ts'
import type { Tfjs } from '../engines/tfjs-backend.ts'
import { LAYER_NORM_EPSILON, type Layer, layout } from '../layout.ts'

export interface LayersModelFiles {
  readonly 'model.json': Uint8Array
  readonly 'weights.bin': Uint8Array
}

/** `tf` with any backend. */
export async function encodeLayersModel({ facts, parameters }: PolicyFile, tf: Tfjs): Promise<LayersModelFiles> {
  const { torso, heads, vectors } = layout(facts.network)
  const weights: [string, Tensor[]][] = []
  const add = (layer: Layer, name: string, x: SymbolicTensor): SymbolicTensor => {
    const main = layer.kind === 'layerNorm' ? layer.gain : layer.kernel
    const tensor = ({ offset, length, shape }: typeof main) => tf.tensor(parameters.slice(offset, offset + length), [...shape])
    weights.push([name, [tensor(main), tensor(layer.bias)]])
    // A convolution's output is flattened row-major where a dense layer follows.
    const input = layer.kind === 'dense' && x.shape.length > 2 ? (tf.layers.flatten().apply(x) as SymbolicTensor) : x
    return layerOf(tf, layer, name).apply(input) as SymbolicTensor
  }
  const input = tf.input({ shape: [...facts.network.input], name: 'observation' })
  let start = input
  for (const layer of torso) start = add(layer, plain(layer.name), start)
  const outputs = heads.map(({ name, layers }) => {
    let end = start
    for (const [i, layer] of layers.entries()) end = add(layer, i === layers.length - 1 ? name : plain(layer.name), end)
    return end
  })
  const model = tf.model({ inputs: input, outputs })
  for (const [name, tensors] of weights) model.getLayer(name).setWeights(tensors)
  const free = Object.fromEntries(
    vectors.map(({ name, slice }) => [name, [...parameters.subarray(slice.offset, slice.offset + slice.length)]]),
  )
  try {
    return await filesOf(tf, model, { policy: facts, vectors: free })
  } finally {
    model.dispose()
    tf.dispose(weights.flatMap(([, tensors]) => tensors))
  }
}

function layerOf(tf: Tfjs, layer: Layer, name: string) {
  if (layer.kind === 'layerNorm') return tf.layers.layerNormalization({ name, epsilon: LAYER_NORM_EPSILON })
  const activation = layer.activation === 'silu' ? 'swish' : layer.activation
  if (layer.kind === 'dense') return tf.layers.dense({ name, units: layer.units, activation })
  const [, , filters] = layer.output
  return tf.layers.conv2d({ name, filters, kernelSize: layer.size, strides: layer.stride, padding: 'valid', activation })
}

async function filesOf(tf: Tfjs, model: LayersModel, metadata: object): Promise<LayersModelFiles> {
  let artifacts: io.ModelArtifacts | null = null
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved) }
    }),
  )
  const { modelTopology, weightSpecs, weightData } = artifacts as unknown as io.ModelArtifacts
  const json = {
    format: 'layers-model',
    generatedBy: 'grapevine',
    modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
    userDefinedMetadata: metadata,
  }
  return {
    'model.json': new TextEncoder().encode(JSON.stringify(json)),
    'weights.bin': new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
  }
}

/** Keras allows no slash in the name of a layer. */
function plain(name: string): string {
  return name.replaceAll('/', '_')
}
