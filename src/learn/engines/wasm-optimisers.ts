/** One optimiser step by the kernels: what they need beside the arenas, in the order of src/kernels/assembly/optimisers.ts. */
import type { KernelExports } from '../../kernels/load.ts'
import type { OptimiserSpec } from '../engine.ts'

/** Room for the coefficients: Adam's ten, and a rest. */
export const COEFFICIENTS = 16

/**
 * Moments up to this magnitude become 0 before they are denormal (below 1.2e-38) and slow. What is lost moves a parameter by less than 1e-18 of the
 * learning rate, with the smallest epsilon that hyper-parameters allow, 1e-12.
 */
const LEAST_MOMENT = 1e-30

/**
 * Moves `parameters` by one step; all arenas by address, `size` floats each. `count`: steps taken, this one included. `scale` is applied to the gradient
 * first. `k` lies in the kernels' memory and is overwritten.
 */
export function takeStep(
  kernels: KernelExports,
  k: Float32Array,
  spec: OptimiserSpec,
  count: number,
  parameters: number,
  gradient: number,
  first: number,
  second: number,
  size: number,
  learningRate: number,
  scale: number,
): void {
  k[0] = scale
  switch (spec.kind) {
    case 'sgd':
      k[1] = spec.momentum
      k[2] = -learningRate
      k[3] = LEAST_MOMENT
      kernels.sgd(parameters, gradient, first, size, k.byteOffset)
      return
    case 'rmsprop':
      k[1] = spec.decay
      k[2] = 1 - spec.decay
      k[3] = -learningRate
      k[4] = spec.epsilonInside ? spec.epsilon : 0
      k[5] = spec.epsilonInside ? 0 : spec.epsilon
      k[6] = LEAST_MOMENT
      kernels.rmsprop(parameters, gradient, first, size, k.byteOffset)
      return
    case 'adam':
    case 'adamw':
      k[1] = spec.beta1
      k[2] = 1 - spec.beta1
      k[3] = spec.beta2
      k[4] = 1 - spec.beta2
      k[5] = -learningRate / (1 - power(spec.beta1, count))
      k[6] = 1 / Math.sqrt(1 - power(spec.beta2, count))
      k[7] = spec.epsilon
      k[8] = spec.kind === 'adamw' ? 1 - learningRate * spec.weightDecay : 1
      k[9] = LEAST_MOMENT
      kernels.adam(parameters, gradient, first, second, size, k.byteOffset)
  }
}

/** base^exponent for a whole exponent by repeated squaring: the same bits everywhere, unlike Math.pow. */
function power(base: number, exponent: number): number {
  let result = 1
  for (let factor = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), factor *= factor) if (rest % 2 === 1) result *= factor
  return result
}
