/**
 * Wires with everything that goes wrong on them, all drawn from one seed. Messages from one peer to another arrive in the order in which they
 * were sent, except those that are made to be overtaken. A peer's messages leave it one after the other at its bandwidth.
 * Lost gossip is gone; a lost request or answer breaks off or stalls, one as often as the other.
 */
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { StreamFate, Wires } from './wires.ts'

/** What may be wrong with the wires of one peer; what passes between two peers suffers from the worse end. */
export interface WireState {
  /** Milliseconds, drawn uniformly for each message; null: the swarm's. */
  latencyMs: readonly [number, number] | null
  /** Of what leaves; null: without bound. */
  bytesPerMs: number | null
  loss: number
  duplication: number
  /** How probable it is that a gossip message is overtaken, and by how much it is late. */
  reordering: number
  reorderingMs: number
}

/** Nothing passes from one side to the other; `silent`: and nobody is told, so that connections seem to live. */
export interface Cut {
  readonly from: ReadonlySet<number>
  readonly to: ReadonlySet<number>
  readonly silent: boolean
}

export interface FaultyWiresOptions {
  readonly clock: Clock
  readonly random: Random
  readonly nodes: number
  readonly latencyMs: readonly [number, number]
  readonly bytesPerMs: number | null
  readonly loss: number
}

export class FaultyWires implements Wires {
  readonly peers: readonly WireState[]
  /** In force. */
  readonly cuts = new Set<Cut>()
  /** What the wires did, so that a test can see that a fault happened. */
  readonly counts = { lost: 0, duplicated: 0, reordered: 0, reset: 0, stalled: 0 }
  readonly #options: FaultyWiresOptions
  /** When the last message over each way arrives. */
  readonly #arrivals = new Map<number, number>()
  /** When each peer has sent what it was given. */
  readonly #busyUntil: Float64Array

  constructor(options: FaultyWiresOptions) {
    const { nodes, bytesPerMs, loss } = options
    this.#options = options
    this.#busyUntil = new Float64Array(nodes)
    this.peers = Array.from({ length: nodes }, () => ({
      latencyMs: null,
      bytesPerMs,
      loss,
      duplication: 0,
      reordering: 0,
      reorderingMs: 0,
    }))
  }

  gossip(from: number, to: number, bytes: number): readonly number[] {
    const worst = this.#worst(from, to)
    const afterMs = this.#travel(from, to, bytes)
    if (this.#isCut(from, to) || this.#happens(worst.loss)) {
      this.counts.lost++
      return []
    }
    const late = this.#happens(worst.reordering)
    if (late) this.counts.reordered++
    const first = late ? afterMs + worst.reorderingMs : afterMs
    if (!this.#happens(worst.duplication)) return [first]
    this.counts.duplicated++
    return [first, first + this.#latency(from, to)]
  }

  stream(from: number, to: number, bytes: number): StreamFate {
    const afterMs = this.#travel(from, to, bytes)
    if (this.#isCut(from, to)) {
      this.counts.stalled++
      return 'stall'
    }
    if (!this.#happens(this.#worst(from, to).loss)) return afterMs
    if (this.#happens(0.5)) {
      this.counts.reset++
      return 'reset'
    }
    this.counts.stalled++
    return 'stall'
  }

  severed(from: number, to: number): boolean {
    for (const cut of this.cuts) if (!cut.silent && cut.from.has(from) && cut.to.has(to)) return true
    return false
  }

  /** Milliseconds until what is sent now has arrived, after everything sent before it over the same way. */
  #travel(from: number, to: number, bytes: number): number {
    const nowMs = this.#options.clock.now()
    const { bytesPerMs } = this.peers[from]!
    let sentMs = nowMs
    if (bytesPerMs !== null) {
      sentMs = Math.max(nowMs, this.#busyUntil[from]!) + bytes / bytesPerMs
      this.#busyUntil[from] = sentMs
    }
    const way = from * this.peers.length + to
    const arrivalMs = Math.max(sentMs + this.#latency(from, to), this.#arrivals.get(way) ?? 0)
    this.#arrivals.set(way, arrivalMs)
    return arrivalMs - nowMs
  }

  #latency(from: number, to: number): number {
    const { latencyMs, random } = this.#options
    const [a, b] = [this.peers[from]!.latencyMs ?? latencyMs, this.peers[to]!.latencyMs ?? latencyMs]
    const [low, high] = a[1] >= b[1] ? a : b
    return low === high ? low : low + (high - low) * random.uniform()
  }

  #worst(from: number, to: number): WireState {
    const [a, b] = [this.peers[from]!, this.peers[to]!]
    return {
      ...a,
      loss: Math.max(a.loss, b.loss),
      duplication: Math.max(a.duplication, b.duplication),
      reordering: Math.max(a.reordering, b.reordering),
      reorderingMs: Math.max(a.reorderingMs, b.reorderingMs),
    }
  }

  #isCut(from: number, to: number): boolean {
    for (const cut of this.cuts) if (cut.from.has(from) && cut.to.has(to)) return true
    return false
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#options.random.uniform() < probability
  }
}
