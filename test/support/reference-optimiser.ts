/** The optimisers in float64 from their formulas, written apart from src, for trajectories to be compared with. */
import type { OptimiserSpec } from '../../src/learn/engine.ts'

export class ReferenceOptimiser {
  readonly #spec: OptimiserSpec
  readonly #first: Float64Array
  readonly #second: Float64Array
  #count = 0

  constructor(spec: OptimiserSpec, length: number) {
    this.#spec = spec
    this.#first = new Float64Array(length)
    this.#second = new Float64Array(length)
  }

  /** Steps `parameters` in place and returns the norm of `gradient` before clipping. */
  step(parameters: Float64Array, gradient: Float64Array, learningRate: number, maxNorm: number | null): number {
    const spec = this.#spec
    const norm = Math.hypot(...gradient)
    const scale = maxNorm === null ? 1 : Math.min(1, maxNorm / norm)
    this.#count++
    for (let i = 0; i < parameters.length; i++) {
      const g = gradient[i]! * scale
      if (spec.kind === 'sgd') {
        this.#first[i] = spec.momentum * this.#first[i]! + g
        parameters[i]! -= learningRate * this.#first[i]!
      } else if (spec.kind === 'rmsprop') {
        this.#first[i] = spec.decay * this.#first[i]! + (1 - spec.decay) * g ** 2
        const root = spec.epsilonInside ? (this.#first[i]! + spec.epsilon) ** 0.5 : this.#first[i]! ** 0.5 + spec.epsilon
        parameters[i]! -= (learningRate * g) / root
      } else {
        this.#first[i] = spec.beta1 * this.#first[i]! + (1 - spec.beta1) * g
        this.#second[i] = spec.beta2 * this.#second[i]! + (1 - spec.beta2) * g ** 2
        const mean = this.#first[i]! / (1 - spec.beta1 ** this.#count)
        const square = this.#second[i]! / (1 - spec.beta2 ** this.#count)
        if (spec.kind === 'adamw') parameters[i]! -= learningRate * spec.weightDecay * parameters[i]!
        parameters[i]! -= (learningRate * mean) / (square ** 0.5 + spec.epsilon)
      }
    }
    return norm
  }
}
