/**
 * How much each environment of a peer explores. Ape-X gives actor i of N epsilon = base^(1 + exponent i / (N - 1)) [Horgan et al. 2018,
 * arXiv 1803.00933, 4.1]; a swarm has no fixed N, so here i / (N - 1) becomes u = (offset + van der Corput(j)) mod 1 for environment j, with
 * an offset per peer: every peer spans the ladder by itself, and peers that come or go change nobody's place on it.
 */

import { pow } from '../util/maths.ts'
import { seededRandom } from '../util/random.ts'

interface LadderShape {
  readonly epsilonBase: number
  readonly epsilonExponent: number
}

/** The radical inverse of `index` in base 2: 0, 1/2, 1/4, 3/4, 1/8, ... [van der Corput 1935] */
export function vanDerCorput(index: number): number {
  let value = 0
  for (let rest = index, weight = 0.5; rest > 0; rest = Math.floor(rest / 2), weight /= 2) value += (rest % 2) * weight
  return value
}

/** Epsilon at place `u` of the ladder, 0 <= u <= 1: of the paper's (base 0.4, exponent 7) from 0.4 down to 0.4^8. */
export function ladderEpsilon(u: number, { epsilonBase, epsilonExponent }: LadderShape): number {
  return pow(epsilonBase, 1 + epsilonExponent * u)
}

/** One epsilon per environment [count], for the peer whose actors have `seed`. */
export function ladder(count: number, seed: number, shape: LadderShape): Float64Array {
  const offset = seededRandom(seed, 'epsilon').uniform()
  return Float64Array.from({ length: count }, (_, j) => ladderEpsilon((offset + vanDerCorput(j)) % 1, shape))
}

/** Flags [n]: 1 for the third (rounded up) of `epsilons` that explores least. Their returns stand for the policy's. */
export function lowestThird(epsilons: Float64Array): Uint8Array {
  const order = Array.from(epsilons.keys()).sort((a, b) => epsilons[a]! - epsilons[b]!)
  const flags = new Uint8Array(epsilons.length)
  for (const index of order.slice(0, Math.ceil(epsilons.length / 3))) flags[index] = 1
  return flags
}
