/** A model of the architecture of a network spec, built with TensorFlow.js's own layers, as a user would write it. */
import type { SymbolicTensor } from '@tensorflow/tfjs'
import { judge, type NetworkContext, type OwnModel, registerOwnModel } from '../../src/learn/engines/own-models.ts'
import { loadBackend } from '../../src/learn/engines/tfjs-backend.ts'
import { layout } from '../../src/learn/layout.ts'
import type { LayerSpec, NetworkSpec } from '../../src/ports/learner.ts'

export type Tfjs = NetworkContext['tf']

/** Layers are named as the slices of `spec` are, with dots for slashes. */
export function modelLike(tf: Tfjs, spec: NetworkSpec) {
  const input = tf.input({ shape: [...spec.input] })
  const chain = (specs: readonly LayerSpec[], prefix: string, start: SymbolicTensor): SymbolicTensor => {
    const counts = { dense: 0, conv: 0, layerNorm: 0 }
    let x = start
    for (const layer of specs) {
      const name = `${prefix}${layer.kind === 'layerNorm' ? 'norm' : layer.kind}${++counts[layer.kind]}`
      x = applied(tf, layer, name, x)
    }
    return x
  }
  const torso = chain(spec.torso, '', input)
  const outputs = spec.heads.map(({ name, size, layers }) => {
    const hidden = chain(layers, `${name}.`, torso)
    return applied(tf, { kind: 'dense', units: size, activation: 'linear' }, name, hidden)
  })
  return tf.model({ inputs: input, outputs })
}

function applied(tf: Tfjs, layer: LayerSpec, name: string, x: SymbolicTensor): SymbolicTensor {
  if (layer.kind === 'layerNorm') return tf.layers.layerNormalization({ name, epsilon: 1e-5 }).apply(x) as SymbolicTensor
  const activation = layer.activation === 'silu' ? 'swish' : layer.activation
  if (layer.kind === 'conv') {
    const { filters, kernel, stride } = layer
    return tf.layers.conv2d({ name, filters, kernelSize: kernel, strides: stride, activation }).apply(x) as SymbolicTensor
  }
  const flat = x.shape.length > 2 ? (tf.layers.flatten().apply(x) as SymbolicTensor) : x
  return tf.layers.dense({ name, units: layer.units, activation }).apply(flat) as SymbolicTensor
}

const MODULE = { id: 'test-model', digest: '0'.repeat(64), file: 'test-model.ts' }

/** Judged for the inputs and outputs of `like`, and known to the engines of this thread. */
export async function ownModel(like: NetworkSpec, build: (tf: Tfjs) => unknown): Promise<OwnModel> {
  const { tf } = await loadBackend('cpu')
  const own = judge(tf, build(tf), like, MODULE)
  registerOwnModel(own)
  return own
}

/** The canonical vector of `spec` in the order of the own model, or, with `back`, the other way round. */
export function reordered(vector: Float32Array, spec: NetworkSpec, own: NetworkSpec, back = false): Float32Array {
  const theirs = new Map(layout(spec).slices.map((slice) => [slice.name, slice]))
  const result = new Float32Array(vector.length)
  for (const { name, offset, length } of layout(own).slices) {
    const there = theirs.get(name.replaceAll('.', '/').replace('/gamma', '/gain').replace('/beta', '/bias'))!
    const [from, to] = back ? [offset, there.offset] : [there.offset, offset]
    result.set(vector.subarray(from, from + length), to)
  }
  return result
}
