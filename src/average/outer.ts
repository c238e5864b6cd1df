/**
 * The outer step: between two mixes a peer's replica went from `before` to `after` (own updates and what it took from others). That way is
 * a step of an optimiser that looks only at mixes: with Nesterov momentum it goes on in the direction of earlier rounds.
 *
 *     g = before - after    v = momentum v + g    x = before - learningRate (g + momentum v)
 *
 * Learning rate 1 without momentum is plain averaging. [DiLoCo, arXiv 2311.08105; without a centre: NoLoCo, arXiv 2506.10911]
 */
import { GrapevineError } from '../util/errors.ts'

export interface OuterSettings {
  /** In (0, 2]. */
  readonly learningRate: number
  /** In [0, 1). */
  readonly momentum: number
}

export const NO_OUTER_STEP: OuterSettings = { learningRate: 1, momentum: 0 }

/** Whether these settings do anything that averaging alone does not. */
export function isPlainAveraging({ learningRate, momentum }: OuterSettings): boolean {
  return learningRate === 1 && momentum === 0
}

/**
 * Adds to `delta` what the outer step goes beyond it: delta += x - after, where after = replica + delta and `replica` is what delta will be added
 * to. `velocity` v is updated. All [n]. Throws `shape` (fault local).
 */
export function outerStep(
  settings: OuterSettings,
  before: Float32Array,
  replica: Float32Array,
  velocity: Float32Array,
  delta: Float32Array,
): void {
  const n = delta.length
  if (before.length !== n || replica.length !== n || velocity.length !== n) {
    throw new GrapevineError('shape', 'local', `An outer step needs vectors of ${n} values; this is a bug of ours.`)
  }
  const { learningRate, momentum } = settings
  for (let i = 0; i < n; i++) {
    const g = before[i]! - (replica[i]! + delta[i]!)
    const v = momentum * velocity[i]! + g
    velocity[i] = v
    delta[i]! += g - learningRate * (g + momentum * v)
  }
}
