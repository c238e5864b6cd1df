/**
 * Forward and backward passes of one layer on TensorFlow.js tensors, written out instead of taped: tfjs-wasm lacks the filter gradient of a
 * convolution, and multiplies matrices 15 to 20 times slower when asked to transpose them on the way than when they are transposed first.
 * Callers run these inside `tidy`; tensors come and go in any shape whose first axis is the batch.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { Activation } from '../../ports/learner.ts'
import { type ConvLayer, type DenseLayer, LAYER_NORM_EPSILON, type Layer, type NormLayer } from '../layout.ts'
import type { Tfjs } from './tfjs-backend.ts'

/** What a backward pass needs of its forward pass. `weight` is the kernel or gain. `inner`: the value before the activation, or normalised input and 1 / deviation. */
export interface Trace {
  readonly input: Tensor
  readonly weight: Tensor
  readonly inner: readonly Tensor[]
  readonly output: Tensor
}

/** dL/d(kernel or gain), dL/d(bias), and dL/d(input) when it was asked for. */
export interface LayerGradients {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly input: Tensor | null
}

export function forwardLayer(tf: Tfjs, layer: Layer, weight: Tensor, bias: Tensor1D, x: Tensor): Trace {
  if (layer.kind === 'layerNorm') return forwardNorm(tf, layer, weight, bias, x)
  let input: Tensor
  let z: Tensor
  if (layer.kind === 'dense') {
    const rows = x.reshape([-1, layer.inputs]) as Tensor2D
    input = rows
    z = tf.matMul(rows, weight as Tensor2D).add(bias)
  } else {
    const images = x.reshape([-1, ...layer.input]) as Tensor4D
    input = images
    z = tf.conv2d(images, weight as Tensor4D, layer.stride, 'valid').add(bias)
  }
  return { input, weight, inner: layer.activation === 'silu' ? [z] : [], output: activate(tf, layer.activation, z) }
}

export function backwardLayer(tf: Tfjs, layer: Layer, trace: Trace, dy: Tensor, inputToo: boolean): LayerGradients {
  if (layer.kind === 'layerNorm') return backwardNorm(layer, trace, dy)
  const dz = tf.mul(dy.reshape(trace.output.shape), slope(tf, layer.activation, trace))
  return layer.kind === 'dense' ? backwardDense(tf, layer, trace, dz, inputToo) : backwardConv(tf, layer, trace, dz, inputToo)
}

function backwardDense(tf: Tfjs, layer: DenseLayer, { input, weight }: Trace, dz: Tensor, inputToo: boolean): LayerGradients {
  const rows = dz as Tensor2D
  return {
    weight: tf.matMul(transposed(input), rows),
    bias: rows.sum(0).reshape([layer.units]),
    input: inputToo ? tf.matMul(rows, transposed(weight)) : null,
  }
}

function transposed(matrix: Tensor): Tensor2D {
  return (matrix as Tensor2D).transpose([1, 0])
}

/**
 * dL/d(kernel)[h, w, c, f] = sum over batch and places (i, j) of x[b, i stride + h, j stride + w, c] dz[b, i, j, f]: the convolution of x, with
 * channels as its batch and batch as its channels, by dz as a kernel dilated by the stride. Rows that the forward pass left over at the edge
 * give places beyond the kernel, which are cut off.
 */
function backwardConv(tf: Tfjs, layer: ConvLayer, { input, weight }: Trace, dz: Tensor, inputToo: boolean): LayerGradients {
  const images = (input as Tensor4D).transpose<Tensor4D>([3, 1, 2, 0])
  const errors = (dz as Tensor4D).transpose<Tensor4D>([1, 2, 0, 3])
  const [, , channels, filters] = layer.kernel.shape as [number, number, number, number]
  const kernel = tf
    .conv2d(images, errors, 1, 'valid', 'NHWC', layer.stride)
    .slice([0, 0, 0, 0], [channels, layer.size, layer.size, filters])
    .transpose([1, 2, 0, 3])
  const shape = input.shape as [number, number, number, number]
  return {
    weight: kernel,
    bias: dz.sum([0, 1, 2]),
    input: inputToo ? tf.conv2dTranspose(dz as Tensor4D, weight as Tensor4D, shape, layer.stride, 'valid') : null,
  }
}

/** y = gain (x - mean) / sqrt(variance + epsilon) + bias over the last axis [Ba et al. 2016, arXiv 1607.06450]. */
function forwardNorm(tf: Tfjs, layer: NormLayer, gain: Tensor, bias: Tensor1D, x: Tensor): Trace {
  const input = x.reshape([-1, layer.groups, layer.width])
  const centred = input.sub(input.mean(2, true))
  const scale = centred.square().mean(2, true).add(LAYER_NORM_EPSILON).rsqrt()
  const normalised = centred.mul(scale)
  return { input, weight: gain, inner: [normalised, scale], output: tf.add(normalised.mul(gain), bias) }
}

function backwardNorm(layer: NormLayer, { input, weight, inner }: Trace, gradient: Tensor): LayerGradients {
  const [normalised, scale] = inner as readonly [Tensor, Tensor]
  const dy = gradient.reshape(input.shape)
  const scaled = dy.mul(weight)
  const along = scaled.mul(normalised).mean(2, true)
  return {
    weight: dy.mul(normalised).sum([0, 1]).reshape([layer.width]),
    bias: dy.sum([0, 1]).reshape([layer.width]),
    input: scaled.sub(scaled.mean(2, true)).sub(normalised.mul(along)).mul(scale),
  }
}

function activate(tf: Tfjs, activation: Activation, z: Tensor): Tensor {
  if (activation === 'tanh') return tf.tanh(z)
  if (activation === 'relu') return tf.relu(z)
  return activation === 'silu' ? z.mul(tf.sigmoid(z)) : z
}

/** d(activation)/dz, from the output where that suffices. */
function slope(tf: Tfjs, activation: Activation, { output, inner }: Trace): Tensor {
  if (activation === 'tanh') return tf.sub(1, output.square())
  if (activation === 'relu') return tf.step(output)
  if (activation === 'linear') return tf.scalar(1)
  const z = inner[0]!
  const gate = tf.sigmoid(z)
  return gate.mul(tf.add(1, z.mul(tf.sub(1, gate))))
}
