/**
 * Optimiser steps over flat vectors in plain TypeScript: the reference for the kernels, and what the tfjs engine runs.
 * Arithmetic is float64, rounded to float32 where a value is stored. All vectors of one call have the parameters' length.
 */
import type { MomentKind } from '../ports/learner.ts'
import { pow } from '../util/maths.ts'
import type { OptimiserSpec } from './engine.ts'

/** The moment vectors that a kind of optimiser keeps, as OptimiserState lists them. */
export function momentKinds({ kind }: Pick<OptimiserSpec, 'kind'>): readonly MomentKind[] {
  if (kind === 'sgd') return ['mean']
  return kind === 'rmsprop' ? ['square'] : ['mean', 'square']
}

/**
 * Scales `gradient` in place so that its Euclidean norm is at most `maxNorm` (null: leaves it) and returns the norm it had.
 * A non-finite norm leaves `gradient` as it was.
 */
export function clipGlobalNorm(gradient: Float32Array, maxNorm: number | null): number {
  let squares = 0
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!
  const norm = Math.sqrt(squares)
  if (maxNorm !== null && norm > maxNorm && Number.isFinite(norm)) {
    const scale = maxNorm / norm
    for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale
  }
  return norm
}

/** Step number `count` (from 1) of `spec` on `parameters`; `moments` as OptimiserState lists them. */
export function optimiserStep(
  spec: OptimiserSpec,
  moments: readonly Float32Array[],
  count: number,
  parameters: Float32Array,
  gradient: Float32Array,
  learningRate: number,
): void {
  const [first, second] = moments
  if (spec.kind === 'sgd') sgd(spec, first!, parameters, gradient, learningRate)
  else if (spec.kind === 'rmsprop') rmsprop(spec, first!, parameters, gradient, learningRate)
  else adam(spec, first!, second!, count, parameters, gradient, learningRate)
}

type Of<Kind extends OptimiserSpec['kind']> = Extract<OptimiserSpec, { kind: Kind }>

/** v = momentum v + g; p -= lr v [Polyak 1964, in PyTorch's scaling]. */
function sgd({ momentum }: Of<'sgd'>, velocity: Float32Array, parameters: Float32Array, gradient: Float32Array, rate: number): void {
  for (let i = 0; i < parameters.length; i++) {
    const v = momentum * velocity[i]! + gradient[i]!
    velocity[i] = v
    parameters[i]! -= rate * v
  }
}

/** s = decay s + (1 - decay) g^2; p -= lr g / sqrt(s + eps), or / (sqrt(s) + eps) [Tieleman and Hinton 2012; no momentum, not centred]. */
function rmsprop(spec: Of<'rmsprop'>, meanSquare: Float32Array, parameters: Float32Array, gradient: Float32Array, rate: number): void {
  const { decay, epsilon, epsilonInside } = spec
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]!
    const s = decay * meanSquare[i]! + (1 - decay) * g * g
    meanSquare[i] = s
    parameters[i]! -= (rate * g) / (epsilonInside ? Math.sqrt(s + epsilon) : Math.sqrt(s) + epsilon)
  }
}

/** p -= lr m^ / (sqrt(v^) + eps) with bias-corrected moments [Kingma and Ba 2014]; AdamW first shrinks p by lr weightDecay p [Loshchilov and Hutter 2017]. */
function adam(
  spec: Of<'adam'> | Of<'adamw'>,
  first: Float32Array,
  second: Float32Array,
  count: number,
  parameters: Float32Array,
  gradient: Float32Array,
  rate: number,
): void {
  const { beta1, beta2, epsilon } = spec
  const keep = spec.kind === 'adamw' ? 1 - rate * spec.weightDecay : 1
  const correction1 = 1 - pow(beta1, count)
  const correction2 = 1 - pow(beta2, count)
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]!
    const m = beta1 * first[i]! + (1 - beta1) * g
    const v = beta2 * second[i]! + (1 - beta2) * g * g
    first[i] = m
    second[i] = v
    parameters[i] = keep * parameters[i]! - (rate * (m / correction1)) / (Math.sqrt(v / correction2) + epsilon)
  }
}
