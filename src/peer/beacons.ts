/**
 * The beacon of one peer: what it publishes so that others know it is there and how it stands, and what it makes of theirs.
 * Every max(2 s, 50 ms per peer) with jitter, soon after a new connection, and once when leaving.
 */
import { consensusDistance, type Sketcher } from '../average/sketch.ts'
import type { PeerState } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner } from '../ports/learner.ts'
import type { Network, PeerId, Verdict } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import type { Compute } from '../ports/workers.ts'
import { follow } from '../util/abort.ts'
import { GrapevineError } from '../util/errors.ts'
import { Gcra, KeyedGcra } from '../util/gcra.ts'
import { type Beacon, decodeBeacon, encodeBeacon } from '../wire/beacon.ts'
import { SKETCH_BUCKETS } from '../wire/limits.ts'
import { type Author, type Authors, isNewer, isSame } from './authors.ts'
import {
  BEACON_BURST,
  BEACON_PERIOD_MS,
  BEACON_PERIOD_PER_PEER_MS,
  BEACON_RATE_PER_SECOND,
  GREETING_DELAY_MS,
  MAX_AUTHORS,
  MAX_EPOCH,
  OWN_BEACON_BURST,
  RECENT_MIX_MS,
  SILENT_AFTER_PERIODS,
  SKETCH_PERIOD_MS,
  TOTAL_BEACON_RATE,
} from './limits.ts'
import type { Snapshots } from './snapshots.ts'

export interface BeaconsOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly learner: Learner
  readonly compute: Compute
  readonly snapshots: Snapshots
  readonly authors: Authors
  readonly sketcher: Sketcher
  /** Epoch of the last own round. */
  readonly epoch: () => number
  /** Without what followed the others'. */
  readonly ownRounds: () => number
  readonly topic: string
  readonly incarnation: number
  /** Whether this peer follows without learning. */
  readonly observing: boolean
  readonly onState: (author: Author, state: PeerState) => void
  readonly onRefused: (peer: PeerId, code: string) => void
  readonly onFailure: (error: unknown) => void
  /** Another speaks with our identity, and is the one that is heard. */
  readonly onUsurped: () => void
  /** A beacon of our own that went out. */
  readonly onPublished: (bytes: Uint8Array) => void
}

export class Beacons {
  readonly #options: BeaconsOptions
  readonly #own = new Gcra({ perSecond: BEACON_RATE_PER_SECOND, burst: OWN_BEACON_BURST })
  readonly #perAuthor = new KeyedGcra({ perSecond: BEACON_RATE_PER_SECOND, burst: BEACON_BURST }, MAX_AUTHORS)
  readonly #total = new Gcra(TOTAL_BEACON_RATE)
  #sequence = 0
  #leaving = false
  #greeting: (() => void) | null = null
  #nap = new AbortController()
  #digest: Uint8Array = new Uint8Array(32)
  #sketch: Float32Array | null = null
  #sketchedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: BeaconsOptions) {
    this.#options = options
  }

  /** Until `signal` aborts; a beacon that fails costs no other. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onFailure } = this.#options
    while (!signal.aborted) {
      await this.#publish().catch(onFailure)
      this.#markSilent()
      const pauseMs = this.#periodMs() * (0.9 + 0.2 * random.uniform())
      this.#nap = new AbortController()
      const unlink = follow(signal, this.#nap)
      await clock.sleep(pauseMs, this.#nap.signal).catch(() => undefined)
      unlink()
    }
    this.#greeting?.()
  }

  /** A new connection: the next beacon goes out soon, but not sooner than others accept it. */
  greet(): void {
    const { clock } = this.#options
    const delayMs = Math.max(GREETING_DELAY_MS, this.#own.waitMs(clock.now()))
    this.#greeting ??= clock.after(delayMs, () => {
      this.#greeting = null
      this.#nap.abort()
    })
  }

  /** The last beacon of this incarnation: others need not wait for our silence. */
  async leave(): Promise<void> {
    this.#leaving = true
    await this.#publish()
  }

  /** Validates and takes in one beacon; the topic's validator. `overRelay`: it did not come through gossip, which may bring it as well. */
  receive(id: PeerId, bytes: Uint8Array, overRelay = false): Verdict {
    const { authors, clock, network } = this.#options
    if (id === network.id) return this.#ofOurKey(bytes)
    const nowMs = clock.now()
    const author = authors.hear(id, nowMs)
    // Honest authors pace themselves below this rate.
    if (this.#perAuthor.take(id, nowMs) > 0) return this.#refuse(author, 'rate_limited', 'excess')
    if (this.#total.take(nowMs) > 0) return this.#refuse(author, 'rate_limited_total', 'ignore')
    let beacon: Beacon
    try {
      beacon = decodeBeacon(bytes)
    } catch (error) {
      return this.#refuse(author, error instanceof GrapevineError ? error.code : 'undecodable', 'reject')
    }
    const twice = isSame(beacon, author.beacon)
    if (twice && (overRelay || isSame(beacon, author.relayed))) return 'ignore'
    if (overRelay) author.relayed = { incarnation: beacon.incarnation, sequence: beacon.sequence }
    if (twice) return this.#refuse(author, 'stale_beacon', 'ignore')
    if (!isNewer(beacon, author.beacon)) {
      authors.late++
      return 'ignore'
    }
    author.beacon = beacon
    author.ahead = Math.min(beacon.epoch, MAX_EPOCH) - this.#options.ownRounds()
    if (beacon.leaving) author.pending = null
    this.setState(author, beacon.leaving ? 'left' : 'alive')
    return 'accept'
  }

  /** Signed with our key: sent back, or, where it is ahead of all that we said, of another who has the key and began later. */
  #ofOurKey(bytes: Uint8Array): Verdict {
    const { incarnation, onUsurped } = this.#options
    try {
      if (isNewer(decodeBeacon(bytes), { incarnation, sequence: this.#sequence })) onUsurped()
    } catch {
      // No beacon at all: whoever has the key may say what he likes.
    }
    return 'ignore'
  }

  /** Tells of a change only. */
  setState(author: Author, state: PeerState): void {
    if (author.state === state) return
    author.state = state
    this.#options.onState(author, state)
  }

  /** Estimated root mean square distance of the swarm's replicas from their mean; null until another peer's sketch is known. */
  consensusDistance(): number | null {
    const { authors, clock } = this.#options
    if (this.#sketch === null) return null
    const nowMs = clock.now()
    const others = authors
      .values()
      .filter((author) => author.lastMixMs !== null && nowMs - author.lastMixMs <= RECENT_MIX_MS && author.beacon !== null)
    const sketches = others.map((author) => author.beacon!.sketch)
    // Who only watches holds a copy of another's replica.
    if (!this.#options.observing) sketches.push(this.#sketch)
    return sketches.length < 2 ? null : consensusDistance(sketches, this.#options.sketcher.dimension)
  }

  #periodMs(): number {
    return Math.max(BEACON_PERIOD_MS, BEACON_PERIOD_PER_PEER_MS * (this.#options.authors.alive().length + 1))
  }

  async #publish(): Promise<void> {
    const { network, learner, topic, epoch, incarnation } = this.#options
    await this.#refresh()
    this.#own.spend(this.#options.clock.now())
    const progress = learner.progress()
    this.#sequence++
    const beacon: Beacon = {
      incarnation,
      sequence: this.#sequence,
      epoch: epoch(),
      version: this.#options.snapshots.latest?.version ?? 0,
      steps: progress.steps,
      returnMean: progress.returnMean,
      digest: this.#digest,
      sketch: this.#sketch ?? new Float32Array(SKETCH_BUCKETS),
      holding: progress.holding,
      leaving: this.#leaving,
      observing: this.#options.observing,
      addresses: network.addresses(),
    }
    const bytes = encodeBeacon(beacon)
    this.#options.onPublished(bytes)
    await network.publish(topic, bytes)
  }

  async #refresh(): Promise<void> {
    const { clock, snapshots, compute, sketcher } = this.#options
    if (this.#leaving || clock.now() - this.#sketchedAtMs < SKETCH_PERIOD_MS) return
    const snapshot = await snapshots.recent(SKETCH_PERIOD_MS)
    this.#sketchedAtMs = clock.now()
    this.#digest = await compute.digest(snapshot.parameters)
    this.#sketch = sketcher.sketch(snapshot.parameters)
  }

  #markSilent(): void {
    const { authors, clock } = this.#options
    const limitMs = SILENT_AFTER_PERIODS * this.#periodMs()
    for (const author of authors.alive()) {
      if (clock.now() - author.heardAtMs > limitMs) this.setState(author, 'silent')
    }
  }

  #refuse(author: Author, code: string, verdict: Verdict): Verdict {
    this.#options.authors.refuse(author, code, this.#options.clock.now())
    this.#options.onRefused(author.id, code)
    return verdict
  }
}
