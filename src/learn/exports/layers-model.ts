/**
 * A policy's network as a TensorFlow.js layers model: `model.json` and `weights.bin`. Its input is the network's (normalised, stacked); its outputs
 * carry the names of the network's heads, in their order (those of a model of one's own are its own); free vectors and all that acting needs are in the model's `userDefinedMetadata`.
 */
import type { io, LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs'
import type { PolicyFile } from '../../ports/policy.ts'
import { findOwnModel } from '../engines/own-models.ts'
import type { Tfjs } from '../engines/tfjs-backend.ts'
import { type FreeVector, LAYER_NORM_EPSILON, type Layer, layout } from '../layout.ts'

export interface LayersModelFiles {
  readonly 'model.json': Uint8Array
  readonly 'weights.bin': Uint8Array
}

/** `tf` with any backend. */
export async function encodeLayersModel(policy: PolicyFile, tf: Tfjs): Promise<LayersModelFiles> {
  const { facts, parameters } = policy
  if (facts.network.own !== undefined) return encodeOwnModel(policy, tf)
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
  try {
    return await filesOf(tf, model, { policy: facts, vectors: freeVectors(vectors, parameters) })
  } finally {
    model.dispose()
    tf.dispose(weights.flatMap(([, tensors]) => tensors))
  }
}

/** A model of one's own goes out as its module built it; its module was registered in this thread. */
async function encodeOwnModel({ facts, parameters }: PolicyFile, tf: Tfjs): Promise<LayersModelFiles> {
  const { model } = findOwnModel(facts.network)
  const { slices, vectors } = layout(facts.network)
  for (const [i, weight] of model.weights.entries()) {
    const { offset, length, shape } = slices[i]!
    tf.tidy(() => void weight.write(tf.tensor(parameters.slice(offset, offset + length), [...shape])))
  }
  return filesOf(tf, model, { policy: facts, vectors: freeVectors(vectors, parameters) })
}

function freeVectors(vectors: readonly FreeVector[], parameters: Float32Array): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(vectors.map(({ name, slice: { offset, length } }) => [name, [...parameters.subarray(offset, offset + length)]]))
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
