/**
 * Applying what was received: the delta to the replica, the authors' normalisers beside our own, and one `mix` event for each author.
 */
import type { Codec, CodecModel } from '../average/codecs.ts'
import type { RobustRule } from '../average/combine.ts'
import type { MixedMoments } from '../average/moments.ts'
import { isPlainAveraging, type OuterSettings } from '../average/outer.ts'
import { momentsPass, outerPass } from '../average/passes.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, MomentMix, Moments, Normaliser } from '../ports/learner.ts'
import type { Compute } from '../ports/workers.ts'
import type { Author, Authors } from './authors.ts'
import type { Consensus } from './consensus.ts'
import { MAX_NORMALISER_AUTHORS, MOMENT_REACH, NORMALISER_AGE_MS } from './limits.ts'
import type { OwnMoves } from './own-moves.ts'
import type { Rate } from './rate.ts'
import type { TakenSnapshot } from './snapshots.ts'

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
  /** Of the optimiser, with the weight of its parameters; absent: none travel. */
  readonly moments?: MixedMoments
}

/** The moments of a frame as they are mixed. `draw`: its round; `weight`: of its parameters. */
export function weighted(moments: Moments | null, draw: number, weight: number): Pick<Mixed, 'moments'> {
  return moments === null ? {} : { moments: { ...moments, draw, weight } }
}

export interface MixingOptions {
  readonly strategy: string
  readonly codec: Codec
  readonly codecModel: CodecModel
  readonly robust: RobustRule
  readonly clock: Clock
  readonly learner: Learner
  readonly authors: Authors
  readonly moves: OwnMoves
  readonly compute: Compute
  readonly outer: OuterSettings
  readonly consensus: Consensus
  readonly rate: Rate
  /** Peers of the swarm, ourselves included. */
  readonly peers: () => number
  readonly emit: (event: PeerEvent) => void
}

export class Mixing {
  readonly #options: MixingOptions
  #velocity: Float32Array | null = null

  constructor(options: MixingOptions) {
    this.#options = options
  }

  /** `own`: the snapshot that the delta was made of. */
  async apply(delta: Float32Array, own: TakenSnapshot, mixed: readonly Mixed[]): Promise<void> {
    const { clock, learner, moves, consensus, rate, peers, strategy, emit } = this.#options
    const whole = await this.#withOuterStep(delta, own)
    await learner.mix(whole, await this.#momentMix(own, mixed))
    await moves.mixed(own, whole)
    consensus.mixed(
      mixed.flatMap(({ distance }) => distance ?? []),
      peers(),
    )
    await this.#mergeNormalisers(own.ownNormalisers, mixed)
    await rate.mixed(mixed.map(({ author }) => author.id))
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

  /** undefined: no moments travel, or nobody else's came along. */
  async #momentMix({ moments: own }: TakenSnapshot, mixed: readonly Mixed[]): Promise<MomentMix | undefined> {
    const others = mixed.flatMap(({ moments }) => moments ?? [])
    if (own === undefined || others.length === 0) return undefined
    const { codec, codecModel, compute, robust } = this.#options
    const reach = robust === 'none' ? Number.POSITIVE_INFINITY : MOMENT_REACH
    const input = { codec: { name: codec.name, model: codecModel }, own: own.values, others, reach }
    const delta = await compute.pass(momentsPass, input, own.values.byteLength)
    return { delta, others: others.map(({ weight, steps }) => ({ weight, steps })) }
  }

  /** A delta that comes late belongs to a round that is over, and is added as it is. */
  async #withOuterStep(delta: Float32Array, own: TakenSnapshot): Promise<Float32Array> {
    const { outer, moves, compute } = this.#options
    if (isPlainAveraging(outer)) return delta
    const before = await moves.before(own)
    if (before === null) return delta
    const velocity = this.#velocity ?? new Float32Array(delta.length)
    const input = { settings: outer, before: before.parameters, replica: own.parameters, velocity, delta }
    const next = await compute.pass(outerPass, input, delta.byteLength)
    this.#velocity = next.velocity
    return next.delta
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
