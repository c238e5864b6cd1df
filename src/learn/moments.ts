/**
 * The optimiser's moments as they travel: read for a snapshot, averaged in a mix. Averages are of what the optimiser keeps; Adam's count of steps,
 * by which it corrects them, is averaged in the same sense.
 */
import type { MomentMix } from '../ports/learner.ts'
import { log, pow } from '../util/maths.ts'
import type { EngineNetwork, OptimiserState } from './engine.ts'
import { momentKinds } from './optimisers.ts'

/** One moment after the other into `into` [k n], canonical. */
export function readMoments(network: EngineNetwork, { moments }: OptimiserState, into: Float32Array): void {
  for (const [i, moment] of moments.entries()) network.read(moment, part(into, i, network.parameterCount))
}

/**
 * m += delta. Own updates went on since `delta` was made, and where they made a square smaller the sum could fall below zero, or to zero beside a
 * mean that is none, and the step would explode: a square keeps at least the own share of itself, which is what others that know only zeros leave.
 */
export function mixMoments(network: EngineNetwork, optimiser: OptimiserState, { delta, others }: MomentMix): void {
  const ownShare = Math.max(0, 1 - others.reduce((sum, { weight }) => sum + weight, 0))
  const values = new Float32Array(network.parameterCount)
  for (const [i, kind] of momentKinds(optimiser.spec).entries()) {
    const change = part(delta, i, values.length)
    network.read(optimiser.moments[i]!, values)
    for (let j = 0; j < values.length; j++) {
      const mixed = values[j]! + change[j]!
      values[j] = kind === 'square' ? Math.max(mixed, ownShare * values[j]!) : mixed
    }
    network.write(optimiser.moments[i]!, values)
  }
  if ('beta2' in optimiser.spec) optimiser.count = averagedSteps(optimiser.spec.beta2, optimiser.count, ownShare, others)
}

/**
 * Zeros that moments began with are left in them in the proportion beta2^steps (of the squares, the slower ones). The average has that proportion's
 * average, and so many steps have left as much. Where all have taken as many steps, it is that many.
 */
function averagedSteps(beta2: number, steps: number, ownShare: number, others: MomentMix['others']): number {
  const left = others.reduce((sum, other) => sum + other.weight * pow(beta2, other.steps), ownShare * pow(beta2, steps))
  // From here on nothing is left that float64 could see: more steps change nothing.
  const settled = Math.ceil(log(Number.EPSILON) / log(beta2))
  return Math.min(Math.max(steps, settled), left > 0 ? Math.round(log(left) / log(beta2)) : settled)
}

function part(values: Float32Array, i: number, count: number): Float32Array {
  return values.subarray(i * count, (i + 1) * count)
}
