/**
 * Self-centred clipping of one peer: who mixes asks for factors, then tells what was mixed. One for each peer, shared by everything that mixes,
 * because the radius is learned from how far the peer moves by itself between any two mixes (average/robust.ts).
 */
import { FAR_AUTHORS, FAR_FACTOR, FAR_LEAST_OTHERS, FAR_MAJORITY } from '../average/limits.ts'
import { afterMix, afterUpdates, type ClipState, clipFactor, clipRadius, NEW_CLIP_STATE } from '../average/robust.ts'
import type { PeerId } from '../ports/network.ts'

export interface Difference {
  readonly author: PeerId
  /** Euclidean norm of Q(theirs) - Q(mine). */
  readonly norm: number
}

/** What a difference is taken from. */
export interface Standpoint {
  /** How far our own updates moved us since the last mix; null: not known. */
  readonly moved: number | null
  /** Share of the coordinates that the differences are made of: a tenth of them is shorter than the whole by the root of ten. */
  readonly share: number
}

export interface Clip {
  /** In [0, 1] for each: what the difference is multiplied by. */
  factors(own: Standpoint, differences: readonly Difference[]): readonly number[]
  /** Told after what these factors gave was added to the parameters. */
  mixed(own: Standpoint, differences: readonly Difference[], factors: readonly number[]): void
}

/** Everyone is trusted. A difference that is not finite still counts for nothing. */
export const NO_CLIP: Clip = {
  factors: (_own, differences) => differences.map(({ norm }) => (Number.isFinite(norm) ? 1 : 0)),
  mixed: () => undefined,
}

export class SelfCentredClip implements Clip {
  #state: ClipState = NEW_CLIP_STATE
  /** By author, the longest ago mixed first. */
  readonly #lastFactors = new Map<PeerId, number>()
  readonly #onFar: (author: PeerId) => void
  /** Differences shortened so far. */
  clipped = 0

  /** `onFar` is told of an author that stands far from us where most others are near; after a partition heals, most are far, and nobody is told of. */
  constructor(onFar: (author: PeerId) => void = () => undefined) {
    this.#onFar = onFar
  }

  /** Infinite until our own updates moved us once. */
  get radius(): number {
    return clipRadius(this.#state)
  }

  factors(own: Standpoint, differences: readonly Difference[]): readonly number[] {
    const radius = clipRadius(this.#after(own)) * Math.sqrt(own.share)
    return differences.map(({ norm }) => clipFactor(norm, radius))
  }

  mixed(own: Standpoint, differences: readonly Difference[], factors: readonly number[]): void {
    this.clipped += factors.filter((factor) => factor < 1).length
    this.#state = afterMix(
      this.#after(own),
      differences.map(({ author }) => author),
      factors,
    )
    this.#judge(differences, factors)
  }

  #judge(differences: readonly Difference[], factors: readonly number[]): void {
    for (const [i, { author }] of differences.entries()) {
      this.#lastFactors.delete(author)
      this.#lastFactors.set(author, factors[i]!)
    }
    for (const author of [...this.#lastFactors.keys()].slice(0, -FAR_AUTHORS)) this.#lastFactors.delete(author)
    const known = [...this.#lastFactors]
    for (const [i, { author }] of differences.entries()) {
      if (factors[i]! > FAR_FACTOR) continue
      const others = known.filter(([other]) => other !== author)
      const near = others.filter(([, factor]) => factor === 1)
      if (others.length >= FAR_LEAST_OTHERS && near.length >= FAR_MAJORITY * others.length) this.#onFar(author)
    }
  }

  #after({ moved }: Standpoint): ClipState {
    return moved === null ? this.#state : afterUpdates(this.#state, moved)
  }
}
