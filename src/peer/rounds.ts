/**
 * The averaging loop of one peer: every `period` updates, and never more often than `minPeriodMs`, one round of the run's strategy.
 * Learning never waits for it: the learner hands out a copy and later adds a delta, both at an update boundary.
 * While the learner holds, rounds go on, paced by time.
 */
import { broadcastDelta } from '../average/broadcast.ts'
import type { Codec } from '../average/codecs.ts'
import { relativeDistance } from '../average/distance.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, Normaliser } from '../ports/learner.ts'
import type { Network } from '../ports/network.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { Author, Authors, PendingFrame } from './authors.ts'
import { HOLDING_PERIOD_MS, MAX_FRAME_AGE_MS, MAX_NORMALISER_AUTHORS, NORMALISER_AGE_MS } from './limits.ts'
import type { Snapshots, TakenSnapshot } from './snapshots.ts'

export interface RoundsOptions {
  readonly network: Network
  readonly clock: Clock
  readonly learner: Learner
  readonly snapshots: Snapshots
  readonly authors: Authors
  readonly codec: Codec
  readonly topic: string
  /** First bytes of the run id. */
  readonly runPrefix: Uint8Array
  readonly incarnation: number
  readonly period: number
  readonly minPeriodMs: number
  readonly emit: (event: PeerEvent) => void
  readonly onFailure: (error: unknown) => void
}

export class Rounds {
  readonly #options: RoundsOptions
  #sequence = 0
  #epoch = 0
  /** Publishes that reached nobody although others were subscribed. */
  undelivered = 0
  /** Rounds that ended in an error. */
  failed = 0

  constructor(options: RoundsOptions) {
    this.#options = options
  }

  /** Snapshots published in this incarnation. */
  get sequence(): number {
    return this.#sequence
  }

  /** Own rounds so far. */
  get epoch(): number {
    return this.#epoch
  }

  /** Runs until `signal` aborts; a failure of the network port ends no round but its own. */
  async run(signal: AbortSignal): Promise<void> {
    const { learner, clock, period, minPeriodMs } = this.#options
    while (!signal.aborted) {
      const startedAtMs = clock.now()
      const progress = await learner.reach(learner.progress().updates + period, signal)
      const paceMs = progress.holding ? Math.max(minPeriodMs, HOLDING_PERIOD_MS) : minPeriodMs
      await clock.sleep(Math.max(0, startedAtMs + paceMs - clock.now()), signal)
      try {
        await this.#round()
      } catch (error) {
        if (signal.aborted) return
        this.failed++
        this.#options.onFailure(error)
      }
    }
  }

  /** Publishes the own snapshot, then mixes the newest unused snapshot of each author heard against it. */
  async #round(): Promise<void> {
    const { network, authors, topic, snapshots } = this.#options
    const listeners = network.subscribers(topic).length
    if (listeners === 0 && !authors.hasPending()) return
    const snapshot = await snapshots.take()
    this.#epoch++
    const payload = new Uint8Array(this.#options.codec.bytesFor(snapshot.parameters.length))
    this.#options.codec.encode(snapshot.parameters, payload)
    if (listeners > 0) await this.#publish(snapshot, payload)
    await this.#mix(snapshot, payload)
  }

  async #publish(snapshot: TakenSnapshot, payload: Uint8Array): Promise<void> {
    const { network, topic, codec, runPrefix, incarnation } = this.#options
    this.#sequence++
    const frame = encodeFrame({
      runPrefix,
      author: network.id,
      incarnation,
      sequence: this.#sequence,
      version: snapshot.version,
      epoch: this.#epoch,
      codec: codec.id,
      count: snapshot.parameters.length,
      payload,
      normalisers: snapshot.ownNormalisers,
    })
    if ((await network.publish(topic, frame)) === 0) this.undelivered++
  }

  /** Each author's newest moments replace its earlier ones and are never added twice; no author's word counts for more than what we saw ourselves. */
  async #mergeNormalisers(
    snapshot: TakenSnapshot,
    received: readonly { readonly author: Author; readonly frame: PendingFrame }[],
  ): Promise<void> {
    if (snapshot.ownNormalisers.length === 0) return
    const { authors, clock, learner } = this.#options
    for (const { author, frame } of received)
      author.normalisers = frame.normalisers.map((theirs, i) => atMost(theirs, snapshot.ownNormalisers[i]!.count))
    await learner.mergeNormalisers(authors.normalisers(clock.now(), NORMALISER_AGE_MS, MAX_NORMALISER_AUTHORS))
  }

  async #mix(snapshot: TakenSnapshot, payload: Uint8Array): Promise<void> {
    const { authors, clock, codec, learner, emit } = this.#options
    const received = authors.takePending(clock.now(), MAX_FRAME_AGE_MS)
    if (received.length === 0) return
    const mine = new Float32Array(snapshot.parameters.length)
    codec.decode(payload, mine)
    const delta = new Float32Array(mine.length)
    broadcastDelta(
      received.map(({ frame }) => frame.parameters),
      mine,
      delta,
    )
    await learner.mix(delta)
    await this.#mergeNormalisers(snapshot, received)
    for (const { author, frame } of received) {
      author.mixes++
      author.lastMixMs = clock.now()
      emit({
        event: 'mix',
        with: author.id,
        strategy: 'broadcast',
        distance: relativeDistance(frame.parameters, mine),
        staleness: author.beacon === null ? null : Math.max(0, author.beacon.version - frame.version),
        stalenessMs: Math.round(clock.now() - frame.receivedAtMs),
        bytes: frame.bytes,
      })
    }
  }
}

/** The same mean and variance, as if of at most `count` samples. */
function atMost(moments: Normaliser, count: number): Normaliser {
  if (moments.count <= count) return moments
  const share = count / moments.count
  return { count, mean: moments.mean, m2: moments.m2.map((value) => value * share) }
}
