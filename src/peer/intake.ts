/**
 * What bounds the work that others can make us do with their parameters, before anything of it is read: bytes per second of one author and of
 * all, and authors per place on the internet. Also how many refusals are told one by one: all are counted, a flood of them is not printed.
 */
import type { Network, PeerId } from '../ports/network.ts'
import { Gcra, KeyedGcra } from '../util/gcra.ts'
import { networkOf } from '../wire/address-range.ts'
import { FLOOD_BYTE_RATE, FRAME_BYTE_RATE, MAX_AUTHORS, MIN_FRAME_COST_BYTES, TOLD_REFUSALS, TOTAL_FRAME_BYTE_RATE } from './limits.ts'
import { MixQuota } from './quota.ts'

export class Intake {
  readonly #quota: MixQuota
  readonly #inTime: boolean
  readonly #perAuthor = new KeyedGcra(FRAME_BYTE_RATE, MAX_AUTHORS)
  readonly #floods = new KeyedGcra(FLOOD_BYTE_RATE, MAX_AUTHORS)
  readonly #total = new Gcra(TOTAL_FRAME_BYTE_RATE)
  readonly #told = new Gcra(TOLD_REFUSALS)

  /** `inTime`: false in lock step, where rounds take no time and bytes per second mean nothing. */
  constructor(network: Network, { strict, inTime }: { readonly strict: boolean; readonly inTime: boolean }) {
    this.#inTime = inTime
    const observed = (author: PeerId) => network.peers().find(({ id }) => id === author)?.observed ?? null
    const anyPublic = () => network.peers().some((peer) => peer.observed !== undefined && networkOf(peer.observed)?.isPublic === true)
    this.#quota = new MixQuota({ strict, observed, anyPublic })
  }

  /** Null: read it. Else how the network is to treat the frame, which is dropped. */
  overRate(author: PeerId, bytes: number, nowMs: number): 'ignore' | 'excess' | null {
    if (!this.#inTime) return null
    const cost = Math.max(bytes, MIN_FRAME_COST_BYTES)
    if (this.#floods.take(author, nowMs, cost) > 0) return 'excess'
    return this.#perAuthor.take(author, nowMs, cost) > 0 || this.#total.take(nowMs, cost) > 0 ? 'ignore' : null
  }

  /** May this author be mixed? */
  admits(author: PeerId, nowMs: number): boolean {
    return this.#quota.admit(author, nowMs)
  }

  /** Is this refusal to be told? */
  tells(nowMs: number): boolean {
    return this.#told.take(nowMs) === 0
  }
}
