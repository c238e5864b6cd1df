/**
 * What TensorFlow.js's WASM backend lacks for training models of one's own, as a composition of kernels that it has: the filter gradient of a
 * convolution. And what it does 15 to 20 times too slowly: a matrix product that transposes on the way, as every gradient of a dense layer is,
 * transposes first here.
 */
import type { KernelFunc, NamedAttrMap, NamedTensorInfoMap, Tensor, Tensor4D } from '@tensorflow/tfjs'

type Tfjs = typeof import('@tensorflow/tfjs')

/** Once per thread, after the backend `wasm` was loaded. */
export function completeWasmBackend(tf: Tfjs): void {
  if (tf.getKernel('Conv2DBackpropFilter', 'wasm') != null) return
  const filterKernel = (({ inputs, attrs }: { inputs: NamedTensorInfoMap; attrs?: NamedAttrMap }) => {
    const { x, dy } = inputs as unknown as { x: Tensor4D; dy: Tensor4D }
    return tf.tidy(() => filterGradient(tf, x, dy, attrs ?? {}))
  }) as unknown as KernelFunc
  tf.registerKernel({ kernelName: 'Conv2DBackpropFilter', backendName: 'wasm', kernelFunc: filterKernel })
  const product = tf.getKernel('BatchMatMul', 'wasm')
  tf.unregisterKernel('BatchMatMul', 'wasm')
  const kernelFunc: KernelFunc = (call) => {
    const { transposeA, transposeB } = (call.attrs ?? {}) as { transposeA?: boolean; transposeB?: boolean }
    if (transposeA !== true && transposeB !== true) return product.kernelFunc(call)
    const { a, b } = call.inputs as unknown as { a: Tensor; b: Tensor }
    const first = (tensor: Tensor, wanted: boolean | undefined) => (wanted === true ? swapped(tensor) : tensor)
    return tf.tidy(() => tf.matMul(first(a, transposeA), first(b, transposeB)))
  }
  tf.registerKernel({ ...product, kernelFunc })
}

function swapped(matrices: Tensor): Tensor {
  const axes = matrices.shape.map((_, i) => i)
  return matrices.transpose([...axes.slice(0, -2), axes.length - 1, axes.length - 2])
}

/**
 * dL/d(filter)[h, w, c, f]: the convolution of x, with channels as its batch and batch as its channels, by dy as a kernel dilated by the strides;
 * rows that the forward pass left over at the edge give places beyond the filter, which are cut off.
 */
function filterGradient(tf: Tfjs, x: Tensor4D, dy: Tensor4D, attributes: Readonly<Record<string, unknown>>): Tensor {
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attributes as {
    strides: [number, number] | number
    pad: 'valid' | 'same' | number
    dataFormat: 'NHWC' | 'NCHW'
    dimRoundingMode?: 'floor' | 'round' | 'ceil'
    filterShape: [number, number, number, number]
  }
  if (dataFormat !== 'NHWC') throw new Error('convolutions of channels first cannot be trained on the backend wasm; put channels last')
  const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode)
  const { top, bottom, left, right } = padInfo
  const [height, width, channels, filters] = filterShape
  const images = tf
    .pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ])
    .transpose<Tensor4D>([3, 1, 2, 0])
  const errors = dy.transpose<Tensor4D>([1, 2, 0, 3])
  return tf
    .conv2d(images, errors, 1, 'valid', 'NHWC', strides)
    .slice([0, 0, 0, 0], [channels, height, width, filters])
    .transpose([1, 2, 0, 3])
}
