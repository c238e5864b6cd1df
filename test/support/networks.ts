/** Networks that between them have every layer, activation and odd size: shared by the tests of the engines. */
import { initialParameters } from '../../src/learn/initialise.ts'
import type { Activation, HeadSpec, LayerSpec, NetworkSpec } from '../../src/ports/learner.ts'
import { seededRandom } from '../../src/util/random.ts'

const dense = (units: number, activation: Activation): LayerSpec => ({ kind: 'dense', units, activation })
const conv = (filters: number, kernel: number, stride: number, activation: Activation): LayerSpec => ({
  kind: 'conv',
  filters,
  kernel,
  stride,
  activation,
})
const norm: LayerSpec = { kind: 'layerNorm' }
const head = (name: string, size: number, ...layers: LayerSpec[]): HeadSpec => ({ name, layers, size, gain: 1 })

export const networks: Readonly<Record<string, NetworkSpec>> = {
  'MLP 4-64-64': {
    input: [4],
    torso: [dense(64, 'tanh'), dense(64, 'tanh')],
    heads: [head('logits', 2), head('value', 1)],
    vectors: [],
  },
  'odd widths': {
    input: [5],
    torso: [dense(63, 'relu'), dense(5, 'silu'), dense(1, 'tanh'), dense(9, 'linear')],
    heads: [head('q', 3), head('value', 1)],
    vectors: [],
  },
  'one of everything': { input: [1], torso: [dense(1, 'linear')], heads: [head('value', 1)], vectors: [] },
  'no hidden layer': { input: [63], torso: [], heads: [head('q', 5)], vectors: [] },
  'separate torsos': {
    input: [17],
    torso: [],
    heads: [head('mean', 6, dense(63, 'tanh'), dense(20, 'tanh')), head('value', 1, dense(64, 'silu'), dense(5, 'relu'))],
    vectors: [{ name: 'logStd', size: 6, initial: -0.5 }],
  },
  'shared, then separate': {
    input: [6],
    torso: [dense(33, 'silu')],
    heads: [head('advantage', 4, dense(17, 'relu')), head('value', 1, dense(16, 'tanh'), dense(7, 'linear'))],
    vectors: [],
  },
  'layer norms': {
    input: [17],
    torso: [norm, dense(63, 'linear'), norm, dense(40, 'tanh'), norm],
    heads: [head('q', 5, dense(12, 'silu'), norm), head('value', 1)],
    vectors: [],
  },
  'MinAtar convolution': {
    input: [10, 10, 4],
    torso: [conv(16, 3, 1, 'relu'), dense(32, 'relu')],
    heads: [head('logits', 6), head('value', 1)],
    vectors: [],
  },
  'convolutions with stride 2, a rest and norms': {
    input: [10, 10, 4],
    torso: [conv(8, 3, 2, 'silu'), norm, conv(5, 2, 1, 'tanh')],
    heads: [head('q', 3, conv(3, 1, 1, 'relu'), dense(9, 'tanh')), head('value', 1)],
    vectors: [],
  },
  'oblong convolution without torso': {
    input: [7, 12, 1],
    torso: [],
    heads: [head('q', 3, conv(7, 3, 2, 'tanh'), conv(9, 2, 2, 'linear'))],
    vectors: [],
  },
}

/** Too slow for large batches: 84x84 with kernels and strides of the Nature network and fewer filters. */
export const atari: NetworkSpec = {
  input: [84, 84, 4],
  torso: [conv(8, 8, 4, 'relu'), conv(12, 4, 2, 'relu'), conv(8, 3, 1, 'relu'), dense(32, 'relu')],
  heads: [head('logits', 6), head('value', 1)],
  vectors: [],
}

/** Initial weights, then everything moved by up to 0.1, so that biases and gains matter. */
export function someParameters(spec: NetworkSpec, seed: number): Float32Array {
  const random = seededRandom(seed, 'some parameters')
  return initialParameters(spec, seed).map((value) => value + 0.2 * random.uniform() - 0.1)
}

/** Uniform in [low, high). */
export function someValues(length: number, low: number, high: number, seed: number): Float32Array {
  const random = seededRandom(seed, 'some values')
  return Float32Array.from({ length }, () => low + (high - low) * random.uniform())
}
