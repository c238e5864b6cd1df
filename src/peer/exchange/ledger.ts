/**
 * What exchanges left unsettled. The responder applies its half first and the initiator applies the same when it learns of it, so the mean of a
 * swarm drifts by exactly those halves that a responder applied and its initiator never did: the ledgers of all peers account for it.
 */
import type { PeerId } from '../../ports/network.ts'
import { MAX_LEDGER_ENTRIES } from '../limits.ts'

export interface LedgerEntry {
  /** Names the exchange in the whole swarm: initiator, its incarnation, its number. */
  readonly exchange: string
  readonly partner: PeerId
  readonly role: 'initiator' | 'responder'
  /** Did this side apply its half? */
  readonly applied: boolean
  /** Norm of this side's half. */
  readonly norm: number
  /** This side's half itself; kept for simulations only, and only where it was applied. */
  readonly delta: Float32Array | null
}

/** The latest MAX_LEDGER_ENTRIES, all of them in a simulation; and the count and norms of all. */
export class Ledger {
  readonly keepsDeltas: boolean
  readonly #entries: LedgerEntry[] = []
  count = 0
  norm = 0

  constructor(keepsDeltas: boolean) {
    this.keepsDeltas = keepsDeltas
  }

  get entries(): readonly LedgerEntry[] {
    return this.#entries
  }

  add(entry: LedgerEntry): void {
    this.count++
    this.norm += entry.norm
    this.#entries.push(entry)
    if (!this.keepsDeltas && this.#entries.length > MAX_LEDGER_ENTRIES) this.#entries.shift()
  }
}

/**
 * Drift of the sum of a swarm's replicas, [dimension], that the ledgers account for: of all peers there ever were, crashed incarnations
 * included, with their deltas kept.
 */
export function driftOf(entries: readonly LedgerEntry[], dimension: number): Float64Array {
  const applied = entries.filter((entry) => entry.applied)
  const byBoth = new Set(applied.filter(({ role }) => role === 'initiator').map(({ exchange }) => exchange))
  const drift = new Float64Array(dimension)
  for (const { role, exchange, delta } of applied) {
    if (role !== 'responder' || byBoth.has(exchange) || delta === null) continue
    for (let i = 0; i < dimension; i++) drift[i]! += delta[i]!
  }
  return drift
}
