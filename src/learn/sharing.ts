/**
 * Learning from what other peers experienced: which algorithms can, how much of it, and what an algorithm offers for it. A share of `x` means
 * that at most `x` of what it learns from is others', and at most MAX_AUTHOR_SHARE (or `x`, where that is less) of any one author.
 */
import type { RunningMoments } from '../envs/wrappers/moments.ts'
import type { ExperienceFormat, HyperValue, SharedExperience } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { MAX_AUTHOR_SHARE, MAX_FOREIGN_AUTHORS, MAX_FOREIGN_SHARE } from './limits.ts'

export interface Sharing {
  readonly format: ExperienceFormat
  /** As of the learner port. */
  offer(most: number): SharedExperience | null
  take(author: string, experience: SharedExperience): boolean
  describe(statistics: Record<string, number>): void
}

/** Keeps at most MAX_FOREIGN_AUTHORS; first in the map is who was heard least recently. */
export function forgetOldest(byAuthor: Map<string, unknown>): void {
  if (byAuthor.size <= MAX_FOREIGN_AUTHORS) return
  const [oldest] = byAuthor.keys()
  if (oldest !== undefined) byAuthor.delete(oldest)
}

/** Algorithms that correct for experience which others made: by importance weights, or by priorities. */
const SHARING_ALGORITHMS: readonly string[] = ['apex', 'impala']

/** Rows of a batch that may be others', and any one author's. */
export function foreignRows(share: number, batchSize: number): { readonly all: number; readonly ofOne: number } {
  // A share of 0.05 of 20 rows is one, whatever floating point makes of it.
  const rows = (part: number) => Math.floor(part * batchSize + 1e-9)
  return { all: rows(Math.min(share, MAX_FOREIGN_SHARE)), ofOne: rows(Math.min(share, MAX_AUTHOR_SHARE)) }
}

/** Why such a share cannot be had, as a sentence; null: it can. `hyperparameters` are valid ones. */
export function sharingFault(algorithm: string, hyperparameters: Readonly<Record<string, HyperValue>>, share: number): string | null {
  if (!SHARING_ALGORITHMS.includes(algorithm)) {
    return `Experience is shared (--share-experience) with the algorithms ${SHARING_ALGORITHMS.join(' and ')} only; ${algorithm} learns from nothing but what its own policy just did.`
  }
  if (algorithm !== 'apex') return null
  const { batchSize } = hyperparameters
  if (typeof batchSize !== 'number' || foreignRows(share, batchSize).ofOne >= 1) return null
  return `A share of ${share} (--share-experience), of which one peer may have ${Math.min(share, MAX_AUTHOR_SHARE)}, is less than one row of a batch of ${batchSize}; make batchSize (--set) larger${share < MAX_AUTHOR_SHARE ? ', or the share' : ''}.`
}

/** Throws GrapevineError `experience` with what `sharingFault` says. */
export function requireSharing(algorithm: string, hyperparameters: Readonly<Record<string, HyperValue>>, share: number): void {
  const fault = sharingFault(algorithm, hyperparameters, share)
  if (fault !== null) throw new GrapevineError('experience', 'local', fault)
}

/** Throws GrapevineError `experience` where wrappers normalise by what only this peer has seen: others' numbers mean something else. */
export function requireSharedScale(moments: readonly RunningMoments[]): void {
  if (moments.length === 0) return
  throw new GrapevineError(
    'experience',
    'local',
    'Experience cannot be shared under normalising wrappers, because each peer scales observations by what it saw itself; leave --share-experience out, or use a preset without them.',
  )
}
