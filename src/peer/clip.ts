/**
 * Self-centred clipping of one peer: who mixes asks for factors, then tells what was mixed. One for each peer, shared by everything that mixes,
 * because the radius is learned from how far the peer moves by itself between any two mixes (average/robust.ts). Where a codec sends a share of the
 * coordinates the radius is the same: each of them drifts apart for as many rounds more until its turn comes.
 */
import { FAR_AUTHORS, FAR_FACTOR, FAR_LEAST_OTHERS, FAR_MAJORITY, FAR_STRIKES } from '../average/limits.ts'
import { afterMix, afterUpdates, type ClipState, clipFactor, clipRadius, crowdFactor, farReach, NEW_CLIP_STATE } from '../average/robust.ts'
import type { PeerId } from '../ports/network.ts'
import { setLatest } from '../util/latest.ts'
import type { Places } from './places.ts'

export interface Difference {
  readonly author: PeerId
  /** Euclidean norm of Q(theirs) - Q(mine), both of the moment when theirs came. */
  readonly norm: number
  /** Q(theirs) [n] as it came, where it is at hand. */
  readonly theirs?: Float32Array
}

/** What a difference is taken from. */
export interface Standpoint {
  /** How far our own updates moved us since the last mix; null: not known. */
  readonly moved: number | null
  /** Q(mine) [n]. */
  readonly mine: Float32Array
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
  /** By author. */
  readonly #lastNorms = new Map<PeerId, number>()
  /** By author, the mixes in which it stood far less those in which it did not; above 0. */
  readonly #strikes = new Map<PeerId, number>()
  readonly #onFar: (author: PeerId) => void
  readonly #places: Places | null
  /** Differences shortened so far. */
  clipped = 0

  /**
   * `onFar` is told of an author that has stood far from us where most others are near in FAR_STRIKES mixes more than not: honest peers move far
   * now and then. After a partition heals, most are far, and nobody is told of. With `places` nor is it of one whose replica is at hand and only
   * lags.
   */
  constructor(onFar: (author: PeerId) => void = () => undefined, places: Places | null = null) {
    this.#onFar = onFar
    this.#places = places
  }

  /** Infinite until our own updates moved us once. */
  get radius(): number {
    return clipRadius(this.#state)
  }

  factors(own: Standpoint, differences: readonly Difference[]): readonly number[] {
    const radius = clipRadius(this.#after(own))
    return differences.map(({ author, norm }) => {
      const beside = own.moved === null ? 1 : crowdFactor(norm, this.#others(author, differences), own.moved)
      return Math.min(beside, clipFactor(norm, radius))
    })
  }

  mixed(own: Standpoint, differences: readonly Difference[], factors: readonly number[]): void {
    this.clipped += factors.filter((factor) => factor < 1).length
    // In an exchange the other side may have asked for less: that is not how far it is.
    const asked = this.factors(own, differences)
    const reach = farReach(
      clipRadius(this.#after(own)),
      differences.map(({ norm }) => norm),
      own.moved ?? 0,
    )
    this.#state = afterMix(
      this.#after(own),
      differences.map(({ author }) => author),
      factors,
    )
    for (const { author, norm } of differences) setLatest(this.#lastNorms, author, norm, FAR_AUTHORS)
    if (differences.some(({ theirs }) => theirs !== undefined)) {
      this.#places?.stood(
        own.mine,
        reach,
        differences.map(({ author }) => author),
      )
    }
    this.#judge(differences, asked)
  }

  /** How far others than this author are from us: in this mix, or, where that brings one at a time, when they were mixed last. */
  #others(author: PeerId, differences: readonly Difference[]): readonly number[] {
    const here = differences.filter((other) => other.author !== author).map(({ norm }) => norm)
    if (here.length > 0) return here
    return [...this.#lastNorms].filter(([other]) => other !== author).map(([, norm]) => norm)
  }

  #judge(differences: readonly Difference[], factors: readonly number[]): void {
    for (const [i, { author }] of differences.entries()) setLatest(this.#lastFactors, author, factors[i]!, FAR_AUTHORS)
    const known = [...this.#lastFactors]
    for (const [i, { author, norm, theirs }] of differences.entries()) {
      const isFar = factors[i]! <= FAR_FACTOR && isAmongNear(known.filter(([other]) => other !== author))
      const strikes = this.#strikes.get(author) ?? 0
      if (!isFar) this.#strike(author, strikes - 1)
      else if (theirs === undefined || this.#places?.isLate(author, theirs, norm) !== true) this.#strike(author, strikes + 1)
    }
  }

  #strike(author: PeerId, strikes: number): void {
    if (strikes > 0 && strikes < FAR_STRIKES) setLatest(this.#strikes, author, strikes, FAR_AUTHORS)
    else this.#strikes.delete(author)
    if (strikes >= FAR_STRIKES) this.#onFar(author)
  }

  #after({ moved }: Standpoint): ClipState {
    return moved === null ? this.#state : afterUpdates(this.#state, moved)
  }
}

function isAmongNear(others: readonly (readonly [PeerId, number])[]): boolean {
  const near = others.filter(([, factor]) => factor === 1)
  return others.length >= FAR_LEAST_OTHERS && near.length >= FAR_MAJORITY * others.length
}
