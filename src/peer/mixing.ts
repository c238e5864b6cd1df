/**
 * Applying what was received: the delta to the replica, the authors' normalisers beside our own, and one `mix` event for each author.
 */
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, Normaliser } from '../ports/learner.ts'
import type { Author, Authors } from './authors.ts'
import { MAX_NORMALISER_AUTHORS, NORMALISER_AGE_MS } from './limits.ts'

/** One author's share in a mix. */
export interface Mixed {
  readonly author: Author
  readonly normalisers: readonly Normaliser[]
  /** Updates behind what was mixed, as its frame says. */
  readonly version: number
  /** Norm of the difference over that of the own parameters. */
  readonly distance: number | null
  /** Of the frame. */
  readonly bytes: number
  readonly receivedAtMs: number
}

export interface MixingOptions {
  readonly strategy: string
  readonly clock: Clock
  readonly learner: Learner
  readonly authors: Authors
  readonly emit: (event: PeerEvent) => void
}

export class Mixing {
  readonly #options: MixingOptions

  constructor(options: MixingOptions) {
    this.#options = options
  }

  /** `own`: what our own environments showed our normalisers when the delta was made. */
  async apply(delta: Float32Array, own: readonly Normaliser[], mixed: readonly Mixed[]): Promise<void> {
    const { clock, learner, strategy, emit } = this.#options
    await learner.mix(delta)
    await this.#mergeNormalisers(own, mixed)
    const nowMs = clock.now()
    for (const { author, version, distance, bytes, receivedAtMs } of mixed) {
      author.mixes++
      author.lastMixMs = nowMs
      emit({
        event: 'mix',
        with: author.id,
        strategy,
        distance,
        staleness: author.beacon === null ? null : Math.max(0, author.beacon.version - version),
        stalenessMs: Math.round(nowMs - receivedAtMs),
        bytes,
      })
    }
  }

  /** Each author's newest moments replace its earlier ones and are never added twice; no author's word counts for more than what we saw ourselves. */
  async #mergeNormalisers(own: readonly Normaliser[], mixed: readonly Mixed[]): Promise<void> {
    if (own.length === 0) return
    const { authors, clock, learner } = this.#options
    for (const { author, normalisers } of mixed) author.normalisers = normalisers.map((theirs, i) => atMost(theirs, own[i]!.count))
    await learner.mergeNormalisers(authors.normalisers(clock.now(), NORMALISER_AGE_MS, MAX_NORMALISER_AUTHORS))
  }
}

/** The same mean and variance, as if of at most `count` samples. */
function atMost(moments: Normaliser, count: number): Normaliser {
  if (moments.count <= count) return moments
  const share = count / moments.count
  return { count, mean: moments.mean, m2: moments.m2.map((value) => value * share) }
}
