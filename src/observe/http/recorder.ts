/** Follows one peer for the pages that are open and those that will be: curves, journal, metrics, and messages to the open ones. */
import type { PeerStatus } from '../events.ts'
import { STATUS_EVERY_PERIODS, STREAM_PERIOD_MS } from '../limits.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { Curves, Journal, MixMeans, type Point, pointOf, type TimedEvent } from './history.ts'
import type { Link, Observed } from './source.ts'
import type { Streams } from './streams.ts'

/** A status with the lines between peers. */
export interface Standing extends PeerStatus {
  readonly links: readonly Link[]
}

export class Recorder {
  readonly curves = new Curves()
  readonly journal = new Journal()
  readonly metrics: Metrics
  readonly #observed: Observed
  readonly #streams: Streams
  readonly #mixes = new MixMeans()
  readonly #startedAtMs = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #points: Point[] = []
  #events: TimedEvent[] = []
  #periods = 0

  constructor(observed: Observed, streams: Streams) {
    this.#observed = observed
    this.#streams = streams
    this.metrics = createMetrics(observed)
    this.#unsubscribe = observed.on((event) => {
      this.metrics.count(event)
      const seconds = (performance.now() - this.#startedAtMs) / 1_000
      if (event.event === 'mix') this.#mixes.add(event)
      if (event.event === 'stats') {
        const point = pointOf(event, seconds, this.#mixes.take(), observed.statistics())
        this.curves.add(point)
        if (streams.size > 0) this.#points.push(point)
      }
      const timed = this.journal.add(event, seconds)
      if (timed !== null && streams.size > 0) this.#events.push(timed)
    })
    this.#timer = setInterval(() => this.#tell(), STREAM_PERIOD_MS)
    this.#timer.unref()
  }

  /** Throws a GrapevineError while the peer does not run. */
  standing(): Standing {
    const status = this.#observed.status()
    const own = status.peers.filter((peer) => peer.connected).map((peer) => ({ a: status.peer, b: peer.id }))
    return { ...status, links: this.#observed.links?.() ?? own }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
    this.metrics.close()
  }

  #tell(): void {
    const points = this.#points
    const events = this.#events
    this.#points = []
    this.#events = []
    if (this.#streams.size === 0) return
    if (points.length > 0) this.#streams.send('points', points)
    if (events.length > 0) this.#streams.send('events', events)
    if (this.#periods++ % STATUS_EVERY_PERIODS === 0) this.#sendStanding()
  }

  #sendStanding(): void {
    try {
      this.#streams.send('status', this.standing())
    } catch {
      // It is stopping; the connection ends in a moment.
    }
  }
}
