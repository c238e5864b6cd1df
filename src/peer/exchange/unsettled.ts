/**
 * The initiator's open ends: exchanges that it committed and whose answer was lost, asked for with back-off until their outcome is known or
 * their responder's incarnation is gone; and those it applied, of which the responder is still to be told that it may forget them.
 */
import type { PeerId } from '../../ports/network.ts'
import type { ExchangeId } from '../../wire/exchange.ts'
import { MAX_SETTLED, MAX_SETTLED_WITH_OPEN } from '../../wire/limits.ts'
import {
  ASK_AGAIN_FIRST_MS,
  ASK_AGAIN_LAST_MS,
  GIVE_UP_MS,
  MAX_OUTCOMES,
  MAX_UNSETTLED_BYTES,
  SETTLED_DELAY_MS,
  SETTLED_MANY,
} from '../limits.ts'
import { type AskingPorts, ask } from './asking.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { exchangeName } from './outcomes.ts'

/** An exchange of which the initiator has sent its commit. */
export interface Committed {
  readonly partner: PeerId
  readonly id: ExchangeId
  /** Of the partner, when it accepted. */
  readonly incarnation: number
  /** The factor that we asked for. */
  readonly factor: number
  /** Norm and bytes of the difference. */
  readonly norm: number
  readonly bytes: number
  /** Adds our half, by this factor. */
  apply(factor: number): Promise<void>
}

export interface UnsettledOptions extends AskingPorts {
  readonly ledger: Ledger
  readonly self: PeerId
  /** Newest incarnation heard of a peer; `Infinity` once it said goodbye; null: unknown. */
  readonly incarnationOf: (peer: PeerId) => number | null
  readonly onFailure: (error: unknown) => void
}

export class Unsettled {
  readonly #options: UnsettledOptions
  readonly #open = new Set<Committed>()
  readonly #applied = new Map<PeerId, ExchangeId[]>()
  #appliedCount = 0
  #telling: (() => void) | null = null

  constructor(options: UnsettledOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** The answer to a commit was lost: asks until it is known. */
  add(committed: Committed): void {
    this.#open.add(committed)
    let bytes = 0
    for (const each of this.#open) bytes += each.bytes
    if (this.#open.size > 1 && (bytes > MAX_UNSETTLED_BYTES || this.#open.size > MAX_OUTCOMES)) {
      const [oldest] = this.#open
      this.#giveUp(oldest!)
    }
    this.#pursue(committed).catch((error: unknown) => {
      if (!this.#options.signal.aborted) this.#options.onFailure(error)
    })
  }

  /** Takes in what the responder answered: `applied` on both sides, `never` here, or `unknown`, as the answer does not say. */
  async conclude(committed: Committed, answer: Awaited<ReturnType<typeof ask>>): Promise<'applied' | 'never' | 'unknown'> {
    const { partner, id, factor, incarnation } = committed
    if (answer.kind === 'done') {
      await committed.apply(Math.min(answer.factor, factor))
      this.#tell(partner, id)
      return 'applied'
    }
    if (answer.kind !== 'error' || answer.code === 'busy') return 'unknown'
    const certain = answer.code !== 'forgotten' && answer.incarnation === incarnation
    if (!certain) this.#options.ledger.add(this.#entry(committed, false))
    return 'never'
  }

  /** Of exchanges with `partner` that an `open` to it may carry; `told` takes them off once it arrived. */
  settledWith(partner: PeerId): readonly ExchangeId[] {
    return this.#applied.get(partner)?.slice(0, MAX_SETTLED_WITH_OPEN) ?? NONE
  }

  told(partner: PeerId, ids: readonly ExchangeId[]): void {
    if (ids.length === 0) return
    const rest = (this.#applied.get(partner) ?? []).filter((id) => !ids.includes(id))
    this.#appliedCount -= ids.length
    if (rest.length > 0) this.#applied.set(partner, rest)
    else this.#applied.delete(partner)
  }

  entries(): readonly LedgerEntry[] {
    const { self } = this.#options
    const applied = [...this.#applied].flatMap(([partner, ids]) =>
      ids.map((id): LedgerEntry => ({ exchange: exchangeName(self, id), partner, role: 'initiator', applied: true, norm: 0, delta: null })),
    )
    return [...[...this.#open].map((committed) => this.#entry(committed, false)), ...applied]
  }

  async #pursue(committed: Committed): Promise<void> {
    const { clock, signal } = this.#options
    const untilMs = clock.now() + GIVE_UP_MS
    for (let pauseMs = ASK_AGAIN_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, ASK_AGAIN_LAST_MS)) {
      await clock.sleep(pauseMs, signal)
      if (!this.#open.has(committed)) return
      if ((this.#options.incarnationOf(committed.partner) ?? 0) > committed.incarnation || clock.now() > untilMs) {
        this.#giveUp(committed)
        return
      }
      let answer: Awaited<ReturnType<typeof ask>>
      try {
        answer = await ask(this.#options, committed.partner, { kind: 'outcome', id: committed.id })
      } catch {
        continue
      }
      if (!this.#open.has(committed)) return
      if (answer.kind === 'done') this.#open.delete(committed)
      const verdict = await this.conclude(committed, answer)
      if (verdict === 'unknown') continue
      this.#open.delete(committed)
      return
    }
  }

  #giveUp(committed: Committed): void {
    if (this.#open.delete(committed)) this.#options.ledger.add(this.#entry(committed, false))
  }

  #entry({ partner, id, norm, factor }: Committed, applied: boolean): LedgerEntry {
    return { exchange: exchangeName(this.#options.self, id), partner, role: 'initiator', applied, norm: (factor / 2) * norm, delta: null }
  }

  /** Later, with others, or with the next `open` to that peer: a message for each exchange would be a third of the traffic. */
  #tell(partner: PeerId, id: ExchangeId): void {
    const ids = this.#applied.get(partner)
    if (ids === undefined) this.#applied.set(partner, [id])
    else ids.push(id)
    this.#appliedCount++
    if (this.#appliedCount >= SETTLED_MANY) this.#tellSoon(0)
    else this.#tellSoon(SETTLED_DELAY_MS)
  }

  #tellSoon(delayMs: number): void {
    const { clock, signal, onFailure } = this.#options
    if (this.#telling !== null || signal.aborted) return
    this.#telling = clock.after(delayMs, () => {
      this.#tellAll()
        .catch(onFailure)
        .finally(() => {
          this.#telling = null
          if (this.#appliedCount > 0) this.#tellSoon(SETTLED_DELAY_MS)
        })
    })
  }

  async #tellAll(): Promise<void> {
    const { signal, ledger } = this.#options
    for (const [partner, ids] of [...this.#applied]) {
      if (signal.aborted) return
      const settled = ids.slice(0, MAX_SETTLED)
      try {
        await ask(this.#options, partner, { kind: 'settled', settled })
      } catch {
        // It asks for nothing: its log drops the oldest by itself. Only a simulation wants to know it to the end.
        if (ledger.keepsDeltas) continue
      }
      this.told(partner, settled)
    }
  }

  /** Ends the timer. */
  stop(): void {
    this.#telling?.()
  }
}

const NONE: readonly ExchangeId[] = []
