/**
 * What a page needs to know of the time before it was opened: curves of the whole run in constant memory, and the latest events.
 */
import type { PeerEvent } from '../events.ts'
import { MAX_EVENTS_KEPT, MAX_NOTABLE_EVENTS_KEPT, MAX_POINTS } from '../limits.ts'

/** One instant of the curves; unknown numbers are null. */
export interface Point {
  /** Seconds since the daemon began. */
  readonly seconds: number
  readonly steps: number
  readonly stepsPerSecond: number | null
  readonly returnMean: number | null
  readonly consensusDistance: number | null
  /** Means over what was mixed since the point before. */
  readonly staleness: number | null
  readonly stalenessMs: number | null
  readonly peers: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Named training statistics. */
  readonly statistics: Readonly<Record<string, number>>
}

export interface TimedEvent {
  readonly number: number
  /** Seconds since the daemon began. */
  readonly seconds: number
  readonly event: PeerEvent
}

type Stats = Extract<PeerEvent, { event: 'stats' }>

/** Every second point goes and later ones are taken half as often, so that what is kept always covers the whole run evenly. */
export class Curves {
  readonly #limit: number
  #points: Point[] = []
  #stride = 1
  #seen = 0

  /** `limit`: points at most; an even number. */
  constructor(limit: number = MAX_POINTS) {
    this.#limit = limit
  }

  get points(): readonly Point[] {
    return this.#points
  }

  add(point: Point): void {
    if (this.#seen++ % this.#stride !== 0) return
    if (this.#points.length === this.#limit) {
      this.#points = this.#points.filter((_, i) => i % 2 === 0)
      this.#stride *= 2
    }
    this.#points.push(point)
  }
}

/** Mixes come by the hundred and would drive everything else out, so they are kept apart. */
export class Journal {
  readonly #mixes: TimedEvent[] = []
  readonly #notable: TimedEvent[] = []
  #next = 0

  /** `stats` are not kept: the curves hold them. */
  add(event: PeerEvent, seconds: number): TimedEvent | null {
    if (event.event === 'stats') return null
    const timed = { number: this.#next++, seconds, event }
    if (event.event === 'mix') keep(this.#mixes, timed, MAX_EVENTS_KEPT)
    else keep(this.#notable, timed, MAX_NOTABLE_EVENTS_KEPT)
    return timed
  }

  /** In the order in which they happened. */
  latest(): readonly TimedEvent[] {
    return [...this.#mixes, ...this.#notable].sort((a, b) => a.number - b.number)
  }
}

/** The latest `limit` items. */
export function keep<T>(list: T[], item: T, limit: number): void {
  list.push(item)
  if (list.length > limit) list.shift()
}

/** Means over the mixes since they were last taken. */
export class MixMeans {
  #updates = new Mean()
  #milliseconds = new Mean()

  add({ staleness, stalenessMs }: Extract<PeerEvent, { event: 'mix' }>): void {
    this.#updates.add(staleness)
    this.#milliseconds.add(stalenessMs)
  }

  take(): Pick<Point, 'staleness' | 'stalenessMs'> {
    const taken = { staleness: this.#updates.value, stalenessMs: this.#milliseconds.value }
    this.#updates = new Mean()
    this.#milliseconds = new Mean()
    return taken
  }
}

export class Mean {
  #sum = 0
  #count = 0

  add(value: number | null): void {
    if (value === null) return
    this.#sum += value
    this.#count++
  }

  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

export function pointOf(
  stats: Stats,
  seconds: number,
  mixes: Pick<Point, 'staleness' | 'stalenessMs'>,
  statistics: Point['statistics'],
): Point {
  const { steps, stepsPerSecond, returnMean, consensusDistance, peers, bytesIn, bytesOut } = stats
  return { seconds, steps, stepsPerSecond, returnMean, consensusDistance, ...mixes, peers, bytesIn, bytesOut, statistics }
}
