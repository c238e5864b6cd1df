/**
 * Initial weights: the same bits on every machine for the same spec and seed (own logarithm and cosine, sums in a fixed order, one stream per slice).
 * Kernels are orthogonal [Saxe et al. 2013, arXiv 1312.6120] with gain sqrt(2) under tanh, ReLU and SiLU, 1 under a linear hidden layer, and the
 * head's own gain for its output; or normal with variance 1 / inputs [LeCun et al. 1998, Efficient BackProp], times the head's gain for its output.
 * Biases are 0, gains of layer normalisation 1, free vectors their `initial`.
 */
import type { NetworkSpec, Slice } from '../ports/learner.ts'
import { standardNormal } from '../util/normal.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import { type Layer, layout } from './layout.ts'
import { MAX_ORTHOGONAL_WORK } from './limits.ts'

export type InitialScheme = 'orthogonal' | 'lecun'

/** Canonical parameters [parameterCount]. */
export function initialParameters(spec: NetworkSpec, seed: number, scheme: InitialScheme = 'orthogonal'): Float32Array {
  const { torso, heads, vectors, parameterCount } = layout(spec)
  const parameters = new Float32Array(parameterCount)
  const fill = (layer: Layer, outputGain: number | null) => {
    if (layer.kind === 'layerNorm') {
      view(parameters, layer.gain).fill(1)
      return
    }
    const random = seededRandom(seed, 'weights', layer.kernel.name)
    const columns = layer.bias.length
    const rows = layer.kernel.length / columns
    const kernel = view(parameters, layer.kernel)
    if (scheme === 'lecun') normal(kernel, (outputGain ?? 1) / Math.sqrt(rows), random)
    else orthogonal(kernel, rows, columns, outputGain ?? (layer.activation === 'linear' ? 1 : Math.SQRT2), random)
  }
  for (const layer of torso) fill(layer, null)
  for (const head of heads) {
    for (const [index, layer] of head.layers.entries()) fill(layer, index === head.layers.length - 1 ? head.gain : null)
  }
  for (const vector of vectors) view(parameters, vector.slice).fill(vector.initial)
  return parameters
}

/**
 * Fills `kernel` [rows, columns] with `gain` times a random orthonormal set: the shorter side's vectors, Gaussian, made orthonormal by modified
 * Gram-Schmidt in float64 (R's diagonal is positive, so the set is uniformly distributed). A kernel too large for that gets independent
 * Gaussians of the same variance, which are nearly orthogonal in so many dimensions.
 */
function orthogonal(kernel: Float32Array, rows: number, columns: number, gain: number, random: SeededRandom): void {
  const count = Math.min(rows, columns)
  const length = Math.max(rows, columns)
  if (count * count * length > MAX_ORTHOGONAL_WORK) {
    normal(kernel, gain / Math.sqrt(length), random)
    return
  }
  const vectors: Float64Array[] = []
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => standardNormal(random))
    for (const earlier of vectors) {
      const along = dot(vector, earlier)
      for (let k = 0; k < length; k++) vector[k]! -= along * earlier[k]!
    }
    const norm = Math.sqrt(dot(vector, vector))
    for (let k = 0; k < length; k++) vector[k]! /= norm
    vectors.push(vector)
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      kernel[row * columns + column] = gain * (rows >= columns ? vectors[column]![row]! : vectors[row]![column]!)
    }
  }
}

function normal(kernel: Float32Array, deviation: number, random: SeededRandom): void {
  for (let i = 0; i < kernel.length; i++) kernel[i] = deviation * standardNormal(random)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function view(parameters: Float32Array, slice: Slice): Float32Array {
  return parameters.subarray(slice.offset, slice.offset + slice.length)
}
