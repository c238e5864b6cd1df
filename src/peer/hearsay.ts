/**
 * What the swarm's beacons say while we join it, before we take part: where its replicas stand, by their sketches. With that a donor whose
 * snapshot lies far from what all others tell is noticed. Bounded: the newest beacon of at most MAX_HEARSAY_AUTHORS authors.
 */
import { isFarFrom, Sketcher } from '../average/sketch.ts'
import type { PeerId, Verdict } from '../ports/network.ts'
import { type Beacon, decodeBeacon } from '../wire/beacon.ts'
import { MAX_BEACON_BYTES } from '../wire/limits.ts'
import { beaconTopic } from '../wire/protocol.ts'
import { isNewer } from './authors.ts'
import { MAX_ADDRESSES_PER_AUTHOR, MAX_HEARSAY_AUTHORS } from './limits.ts'
import type { PeerPorts, Run } from './run.ts'

/** A donor's snapshot, as far as the swarm's beacons can speak of it. */
export interface Standing {
  readonly from: PeerId
  readonly version: number
  readonly sketch: Float32Array
}

/** `unknown`: nobody but the donor was heard, or nobody who has trained. */
export type StandingVerdict = 'near' | 'far' | 'unknown'

export class Hearsay {
  readonly #beacons = new Map<PeerId, Beacon>()
  readonly #bytes = new Map<PeerId, Uint8Array>()
  readonly #sketcher: Sketcher
  readonly #initial: Float32Array

  /** Listens from now on, until the peer itself takes the topic over. */
  constructor(run: Run, { network }: PeerPorts) {
    this.#sketcher = new Sketcher(run.id, run.initial)
    this.#initial = run.initial
    network.subscribe(beaconTopic(run.id), MAX_BEACON_BYTES, (author, bytes) =>
      author === network.id ? 'ignore' : this.#receive(author, bytes),
    )
  }

  /** The newest beacon of each author, as it came: the peer need not wait for the next. */
  heard(): ReadonlyMap<PeerId, Uint8Array> {
    return this.#bytes
  }

  /** Where the others say that they can be reached, without those of `asked`. */
  addresses(asked: ReadonlySet<PeerId>): readonly string[] {
    const others = [...this.#beacons].filter(([id, { leaving }]) => !asked.has(id) && !leaving)
    return others.flatMap(([, { addresses }]) => addresses.slice(0, MAX_ADDRESSES_PER_AUTHOR))
  }

  standing(from: PeerId, version: number, parameters: Float32Array): Standing {
    return { from, version, sketch: this.#sketcher.sketch(parameters) }
  }

  judge(standing: Standing): StandingVerdict {
    return judgeStanding(standing, this.#beacons, this.#initial)
  }

  #receive(author: PeerId, bytes: Uint8Array): Verdict {
    let beacon: Beacon
    try {
      beacon = decodeBeacon(bytes)
    } catch {
      return 'reject'
    }
    const before = this.#beacons.get(author) ?? null
    if (!isNewer(beacon, before) || (before === null && this.#beacons.size >= MAX_HEARSAY_AUTHORS)) return 'ignore'
    this.#beacons.set(author, beacon)
    this.#bytes.set(author, bytes.slice())
    return 'accept'
  }
}

/** Against the beacons of all others: its own donor's word counts for nothing. */
export function judgeStanding(
  { from, version, sketch }: Standing,
  beacons: ReadonlyMap<PeerId, Pick<Beacon, 'sketch' | 'version' | 'leaving' | 'observing'>>,
  initial: Float32Array,
): StandingVerdict {
  // Who has not trained yet, or only watches, has nothing to say of where the swarm is.
  const others = [...beacons]
    .filter(([id, beacon]) => id !== from && beacon.version > 0 && !beacon.leaving && !beacon.observing)
    .map(([, beacon]) => beacon)
  if (others.length === 0) return 'unknown'
  return isFarFrom({ sketch, version }, others, initial) ? 'far' : 'near'
}

/** The code of the warning. */
export const FAR_DONOR = 'far_donor'

/** `then`: what was done about it, or what to do. */
export function farDonor(from: PeerId, then: string): string {
  return `The weights of peer ${from} are far from where the beacons of all others say that the swarm is: that peer lies, or has gone astray (${then}).`
}
