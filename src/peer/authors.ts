/**
 * What a peer remembers of the others: who was heard when, how they stand, which of their frames waits to be mixed, and what they did wrong.
 * Bounded: the least recently heard author is forgotten first, pending frames beyond the limit push out the oldest.
 */
import type { PeerState } from '../observe/events.ts'
import type { Moments, Normaliser } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import type { Beacon } from '../wire/beacon.ts'
import type { ExchangeId } from '../wire/exchange.ts'
import { MAX_ADDRESSES_PER_AUTHOR, MAX_AUTHORS, MAX_PENDING_FRAMES } from './limits.ts'
import { distrusted, newTrust, type Trust, trustAt } from './trust.ts'

/** A frame that passed the gate, decoded, not yet mixed. */
export interface PendingFrame {
  readonly parameters: Float32Array
  /** null: none travel. */
  readonly moments: Moments | null
  readonly normalisers: readonly Normaliser[]
  readonly version: number
  /** The round it belongs to; draws its coordinates. */
  readonly epoch: number
  readonly bytes: number
  readonly receivedAtMs: number
}

export interface Author {
  readonly id: PeerId
  state: PeerState
  heardAtMs: number
  /** Order of the last accepted frame and beacon: (incarnation, sequence), never reused by their author. */
  frame: Order | null
  beacon: Beacon | null
  /** Of its last offer of experience that was taken. */
  experience: Order | null
  pending: PendingFrame | null
  /** The newest that its frames said of its normalisers; null before. */
  normalisers: readonly Normaliser[] | null
  lastMixMs: number | null
  mixes: number
  /** Whether it was given the weights. */
  served: boolean
  /** Order of its last beacon that came over a relay, which gossip may bring as well; null before. */
  relayed: Order | null
  /** The last exchange that it proposed; null before. */
  proposed: ExchangeId | null
  /** Own rounds that its beacon was ahead of ours when it came; null before. */
  ahead: number | null
  /** Refusals by code: the causes of distrust that a user can see. */
  readonly refusals: Map<string, number>
  trust: Trust
}

export class Authors {
  readonly #byId = new Map<PeerId, Author>()
  /** Frames pushed out before they were mixed. */
  dropped = 0
  /** Frames and beacons that came after a newer one of their author, or after its goodbye. */
  late = 0
  readonly #onMuted: (author: Author) => void

  /** `onMuted` is told of an author whose word counts no more for a while. */
  constructor(onMuted: (author: Author) => void = () => undefined) {
    this.#onMuted = onMuted
  }

  get(id: PeerId): Author | undefined {
    return this.#byId.get(id)
  }

  /** The author's record, now the most recently heard; made when new. */
  hear(id: PeerId, nowMs: number): Author {
    let author = this.#byId.get(id)
    if (author === undefined) {
      author = {
        id,
        state: 'connecting',
        heardAtMs: nowMs,
        frame: null,
        beacon: null,
        experience: null,
        pending: null,
        normalisers: null,
        lastMixMs: null,
        mixes: 0,
        served: false,
        relayed: null,
        proposed: null,
        ahead: null,
        refusals: new Map(),
        trust: newTrust(nowMs),
      }
    } else {
      this.#byId.delete(id)
    }
    author.heardAtMs = nowMs
    this.#byId.set(id, author)
    if (this.#byId.size > MAX_AUTHORS) {
      const [oldest] = this.#byId.keys()
      if (oldest !== undefined) this.#byId.delete(oldest)
    }
    return author
  }

  /** Keeps `frame` as the newest of its author; an older unmixed one is replaced. */
  hold(author: Author, frame: PendingFrame): void {
    author.pending = frame
    const waiting = this.#all().filter((other) => other.pending !== null)
    if (waiting.length <= MAX_PENDING_FRAMES) return
    const oldest = waiting.reduce((a, b) => (a.pending!.receivedAtMs <= b.pending!.receivedAtMs ? a : b))
    oldest.pending = null
    this.dropped++
  }

  /** Takes every waiting frame not older than `maxAgeMs`; afterwards none waits: each is used once. In order of author id. */
  takePending(nowMs: number, maxAgeMs: number): { readonly author: Author; readonly frame: PendingFrame }[] {
    const taken: { author: Author; frame: PendingFrame }[] = []
    for (const author of this.#byId.values()) {
      if (author.pending === null) continue
      if (nowMs - author.pending.receivedAtMs <= maxAgeMs) taken.push({ author, frame: author.pending })
      else this.dropped++
      author.pending = null
    }
    return taken.sort((a, b) => (a.author.id < b.author.id ? -1 : 1))
  }

  hasPending(): boolean {
    return this.#all().some((author) => author.pending !== null)
  }

  /** What the latest heard authors know of the normalisers, at most `limit` of them, none silent for longer than `maxAgeMs`. */
  normalisers(nowMs: number, maxAgeMs: number, limit: number): (readonly Normaliser[])[] {
    const fresh = this.#all().filter((author) => nowMs - author.heardAtMs <= maxAgeMs)
    return fresh.flatMap(({ normalisers }) => (normalisers === null ? [] : [normalisers])).slice(-limit)
  }

  /** Counts what the author did wrong, and trusts it less. */
  refuse(author: Author, code: string, nowMs: number): void {
    author.refusals.set(code, (author.refusals.get(code) ?? 0) + 1)
    const before = trustAt(author.trust, nowMs)
    author.trust = distrusted(author.trust, code, nowMs)
    if (!author.trust.muted || before.muted) return
    author.pending = null
    this.#onMuted(author)
  }

  /** Whether nothing of this author is looked at now. */
  isMuted(author: Author, nowMs: number): boolean {
    return author.trust.muted && trustAt(author.trust, nowMs).muted
  }

  values(): readonly Author[] {
    return this.#all()
  }

  alive(): readonly Author[] {
    return this.#all().filter((author) => author.state === 'alive')
  }

  /** Those that take part: who only watches is alive, too, and no partner. */
  partners(): readonly Author[] {
    return this.alive().filter((author) => author.beacon?.observing !== true)
  }

  /** The newest of each that is there. */
  beacons(): ReadonlyMap<PeerId, Beacon> {
    return new Map(this.alive().flatMap(({ id, beacon }) => (beacon === null ? [] : [[id, beacon]])))
  }

  /** Addresses that those announce who have neither left nor been banned. */
  announced(): readonly string[] {
    return this.#all()
      .filter((author) => author.state !== 'left' && author.state !== 'banned' && author.beacon !== null)
      .flatMap((author) => author.beacon!.addresses.slice(0, MAX_ADDRESSES_PER_AUTHOR))
  }

  /** Refusals by code, of all that are remembered. */
  refused(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const author of this.#all()) for (const [code, count] of author.refusals) counts[code] = (counts[code] ?? 0) + count
    return counts
  }

  #all(): Author[] {
    return [...this.#byId.values()]
  }
}

interface Order {
  readonly incarnation: number
  readonly sequence: number
}

/** The very number of what was last accepted: its author has used it twice. */
export function isSame(next: Order, last: Order | null): boolean {
  return last !== null && next.incarnation === last.incarnation && next.sequence === last.sequence
}

/** Is (incarnation, sequence) newer than what was last accepted? */
export function isNewer(next: Order, last: Order | null): boolean {
  if (last === null) return true
  return next.incarnation > last.incarnation || (next.incarnation === last.incarnation && next.sequence > last.sequence)
}
