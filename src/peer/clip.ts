/**
 * The seam of self-centred clipping: who mixes asks it for factors, then tells it what was applied. One for each peer, shared by everything
 * that mixes, because the radius is learned from how far the peer moves by itself between any two mixes.
 */
import type { PeerId } from '../ports/network.ts'

export interface Difference {
  readonly author: PeerId
  /** Euclidean norm of Q(theirs) - Q(mine). */
  readonly norm: number
}

export interface Clip {
  /** In [0, 1] for each: what the difference is multiplied by. `mine` [n]: the own parameters that the differences are taken from. */
  factors(mine: Float32Array, differences: readonly Difference[]): readonly number[]
  /** Told after `delta` [n] was added to the parameters. */
  applied(delta: Float32Array, differences: readonly Difference[], factors: readonly number[]): void
}

/** Everyone is trusted. A difference that is not finite still counts for nothing. */
export const NO_CLIP: Clip = {
  factors: (_mine, differences) => differences.map(({ norm }) => (Number.isFinite(norm) ? 1 : 0)),
  applied: () => undefined,
}
