/**
 * How many peers of one place may take part in our averages. Identities cost nothing, public addresses do: so of one public IPv4 address (of
 * one /64 of IPv6) MAX_AUTHORS_PER_ADDRESS authors are mixed, and MAX_AUTHORS_PER_SUBNET of one /24 (/48), first come, first served; a place
 * is free again when its author was not mixed for QUOTA_MEMORY_MS. Private and loopback addresses, which cost nothing either but whose owner
 * is nearby, are exempt unless `strict`. Authors without a connection to us share the places of one address wherever we have public neighbours.
 */
import type { PeerId } from '../ports/network.ts'
import { networkOf } from '../wire/address-range.ts'
import { MAX_AUTHORS_PER_ADDRESS, MAX_AUTHORS_PER_SUBNET, QUOTA_MEMORY_MS } from './limits.ts'

export interface QuotaOptions {
  readonly strict: boolean
  /** Where an author's connection comes from (multiaddr); null when it has none. */
  readonly observed: (author: PeerId) => string | null
  /** Does any connection come from a public address? */
  readonly anyPublic: () => boolean
}

const UNSEEN = { address: 'unseen', subnet: 'unseen' }

interface Place {
  readonly address: string
  readonly subnet: string
  mixedAtMs: number
}

export class MixQuota {
  readonly #options: QuotaOptions
  /** Authors that hold a place, with where it is. */
  readonly #places = new Map<PeerId, Place>()

  constructor(options: QuotaOptions) {
    this.#options = options
  }

  /** May what this author sent be mixed? If so it holds its place from now on. */
  admit(author: PeerId, nowMs: number): boolean {
    for (const [holder, { mixedAtMs }] of this.#places) if (nowMs - mixedAtMs > QUOTA_MEMORY_MS) this.#places.delete(holder)
    const where = this.#placeOf(author)
    if (where === null) {
      this.#places.delete(author)
      return true
    }
    const held = this.#places.get(author)
    if (held === undefined || held.address !== where.address) {
      const others = [...this.#places].flatMap(([holder, place]) => (holder === author ? [] : [place]))
      if (others.filter(({ address }) => address === where.address).length >= MAX_AUTHORS_PER_ADDRESS) return false
      if (others.filter(({ subnet }) => subnet === where.subnet).length >= MAX_AUTHORS_PER_SUBNET) return false
    }
    this.#places.set(author, { ...where, mixedAtMs: nowMs })
    return true
  }

  /** Null: exempt. */
  #placeOf(author: PeerId): { readonly address: string; readonly subnet: string } | null {
    const { strict, observed, anyPublic } = this.#options
    const from = observed(author)
    const range = from === null ? null : networkOf(from)
    if (range === null) return strict || anyPublic() ? UNSEEN : null
    return range.isPublic || strict ? range : null
  }
}
