/**
 * Partner rules: with whom a peer proposes to average in its round `epoch`. Pure functions of a sorted membership view that holds the peer
 * itself; every rule but `random` gives all peers with one view and one epoch the same pairs. null: nobody this round.
 *
 * [`exponential`: one-peer exponential graphs, arXiv 2110.13363]
 */
import type { PeerId } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'
import { seededRandom } from '../util/random.ts'
import { FAR_SHIFT } from './limits.ts'

/** Rules of strategies that average pair by pair. */
export const PAIR_RULES = ['random', 'matching', 'exponential', 'ring'] as const

/** All rules: `all` is broadcast's, which hears everybody. */
export const PARTNER_RULES: readonly string[] = ['all', ...PAIR_RULES]

export type PairRule = (typeof PAIR_RULES)[number]

/** The pair rule of this name; another name (a rule that is no pair's, a peer) leaves the choice to chance. */
export function pairRuleNamed(name: string): PairRule {
  return PAIR_RULES.find((rule) => rule === name) ?? 'random'
}

export interface PartnerContext {
  readonly self: PeerId
  /** Sorted, without repetition, `self` among them. */
  readonly view: readonly PeerId[]
  /** Run id. */
  readonly run: string
  readonly epoch: number
  readonly random: Random
}

export function partnerBy(rule: PairRule, context: PartnerContext): PeerId | null {
  switch (rule) {
    case 'random':
      return randomPartner(context.view, context.self, context.random)
    case 'matching':
      return matchedPartner(context)
    case 'exponential':
      return exponentialPartner(context)
    case 'ring':
      return ringPartner(context)
  }
}

/** Does the partner that `rule` names have this peer for its own, with one view and one epoch? */
export function isMutual(rule: PairRule, view: readonly PeerId[], self: PeerId): boolean {
  if (rule === 'random') return false
  return rule !== 'exponential' || view.indexOf(self) < 1 << (31 - Math.clz32(view.length))
}

/** Uniform among the others. */
export function randomPartner(view: readonly PeerId[], self: PeerId, random: Random): PeerId | null {
  const others = view.filter((id) => id !== self)
  return others[Math.floor(random.uniform() * others.length)] ?? null
}

/** The same pseudo-random pairs for everybody, from run id, epoch and view; of an odd number one stays alone. */
export function matching(view: readonly PeerId[], run: string, epoch: number): readonly (readonly [PeerId, PeerId])[] {
  const shuffled = [...view]
  const random = seededRandom('matching', run, epoch)
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = shuffled[i]!
    shuffled[i] = shuffled[j]!
    shuffled[j] = swapped
  }
  return Array.from({ length: shuffled.length >>> 1 }, (_, i) => [shuffled[2 * i]!, shuffled[2 * i + 1]!])
}

function matchedPartner({ view, run, epoch, self }: PartnerContext): PeerId | null {
  const pair = matching(view, run, epoch).find((candidates) => candidates.includes(self))
  if (pair === undefined) return null
  return pair[0] === self ? pair[1] : pair[0]
}

/** rank XOR 2^(epoch mod k), 2^k the largest power of two within the view; who ranks above draws at random. */
function exponentialPartner({ view, self, epoch, random }: PartnerContext): PeerId | null {
  const rank = view.indexOf(self)
  const k = 31 - Math.clz32(view.length)
  if (k === 0 || rank < 0) return null
  if (rank >= 1 << k) return randomPartner(view, self, random)
  return view[rank ^ (1 << (epoch % k))]!
}

/** Even and odd edges of the ring in turn; of an odd number one stays alone. */
function ringPartner({ view, self, epoch }: PartnerContext): PeerId | null {
  const n = view.length
  const rank = view.indexOf(self)
  if (n < 2 || rank < 0) return null
  // Edge e joins ranks e and e + 1; in odd rounds the edges begin one further.
  const place = (rank - (epoch % 2) + n) % n
  if (n % 2 === 1 && place === n - 1) return null
  return view[(rank + (place % 2 === 0 ? 1 : n - 1)) % n]!
}

/** Both neighbours on the ring, one where there are two peers: whom `broadcast` hears under `ring`. */
export function ringNeighbours(view: readonly PeerId[], self: PeerId): readonly PeerId[] {
  const n = view.length
  const rank = view.indexOf(self)
  if (n < 2 || rank < 0) return []
  return [...new Set([view[(rank + n - 1) % n]!, view[(rank + 1) % n]!])]
}

/**
 * Epoch = own rounds + shift. The shift moves by at most one per own round towards the median of the others' (each measured when it was heard:
 * its epoch less our own rounds then); without others it stays. `arriving`: who has just come goes to a median that is far in one step, or would
 * find its partners only after as many rounds as the swarm is old.
 */
export function nextShift(shift: number, others: readonly number[], arriving = false): number {
  if (others.length === 0) return shift
  const sorted = [...others].sort((a, b) => a - b)
  const away = sorted[sorted.length >>> 1]! - shift
  return arriving && Math.abs(away) > FAR_SHIFT ? shift + away : shift + Math.sign(away)
}
