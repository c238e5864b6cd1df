/**
 * Self-centred clipping: how far a stranger may move us. A difference from our own parameters is scaled so that its norm is at most a
 * radius that we learn from how far we move by ourselves between mixes, never from what peers claim: one author moves us by at most
 * weight times radius a round, whatever he sends. A far but honest swarm (a healed partition) keeps being clipped whole, and then the
 * radius doubles, so that it is reached in the end. [Clipped gossip, arXiv 2202.01545]
 *
 * Where several others are known, what is several times farther than their median counts for less again (crowdFactor): what they send can only
 * shorten. That is what holds in the first rounds, in which we move farthest.
 *
 * States are values: every function returns the next one.
 */
import {
  CLIP_FACTOR,
  CLIP_MEMORY,
  CLIP_PATIENCE_AUTHORS,
  CLIP_PATIENCE_MIXES,
  CROWD_FACTOR,
  CROWD_LEAST,
  FAR_FACTOR,
  MAX_CLIP_BOOST,
} from './limits.ts'
import { median } from './sketch.ts'

export interface ClipState {
  /** Norms of our own updates between two mixes, of the last CLIP_MEMORY, the latest last. */
  readonly moves: readonly number[]
  /** Power of two by which patience has widened the radius. */
  readonly boost: number
  /** Mixes in a row of which every difference was clipped, and whose they were. */
  readonly clippedMixes: number
  readonly authors: readonly string[]
}

export const NEW_CLIP_STATE: ClipState = { moves: [], boost: 1, clippedMixes: 0, authors: [] }

/** In [0, 1]: what a difference of this norm is multiplied by. 0 when the norm is not finite. */
export function clipFactor(norm: number, radius: number): number {
  if (!Number.isFinite(norm)) return 0
  return norm <= radius ? 1 : radius / norm
}

/** The radius; infinite before we moved at all, when nothing is known of what is far. */
export function clipRadius(state: ClipState): number {
  const latest = state.moves.at(-1)
  return latest === undefined ? Number.POSITIVE_INFINITY : CLIP_FACTOR * state.boost * Math.max(latest, median(state.moves))
}

/**
 * In [0, 1]: what a difference of this norm is multiplied by beside others of these norms; 1 where they are too few to be a crowd. `moved`: our
 * own last move. What is farther than CROWD_FACTOR medians, and than that move, counts the less the farther it is, so that a lie pays best where
 * it hardly differs from the truth. Two halves that meet again are not told apart: one of them is the median.
 */
export function crowdFactor(norm: number, others: readonly number[], moved: number): number {
  const limit = crowdLimit(others, moved)
  return norm <= limit ? 1 : (limit * limit) / (norm * norm)
}

/** The norm beyond which a difference is shortened to FAR_FACTOR or less, by the radius or beside others of these norms. */
export function farReach(radius: number, others: readonly number[], moved: number): number {
  return Math.min(radius / FAR_FACTOR, crowdLimit(others, moved) / Math.sqrt(FAR_FACTOR))
}

/** Infinite where the others are too few. */
function crowdLimit(others: readonly number[], moved: number): number {
  const finite = others.filter(Number.isFinite)
  return finite.length < CROWD_LEAST ? Number.POSITIVE_INFINITY : Math.max(moved, CROWD_FACTOR * median(finite))
}

/** Takes in how far our own updates moved us since the last mix. A peer that did not move (it holds) learns nothing of distances. */
export function afterUpdates(state: ClipState, norm: number): ClipState {
  if (!Number.isFinite(norm) || norm <= 0) return state
  return { ...state, moves: [...state.moves, norm].slice(-CLIP_MEMORY) }
}

/** Takes in one mix: whose differences it mixed, and by which factors. */
export function afterMix(state: ClipState, authors: readonly string[], factors: readonly number[]): ClipState {
  // What is within reach again needs no wide radius any more.
  if (factors.some((factor) => factor === 1)) return { ...state, boost: Math.max(1, state.boost / 2), clippedMixes: 0, authors: [] }
  const next = { ...state, clippedMixes: state.clippedMixes + 1, authors: distinct([...state.authors, ...authors]) }
  if (next.clippedMixes < CLIP_PATIENCE_MIXES || next.authors.length < CLIP_PATIENCE_AUTHORS) return next
  return { ...state, boost: Math.min(MAX_CLIP_BOOST, 2 * state.boost), clippedMixes: 0, authors: [] }
}

/** The first distinct ones, as many as patience asks for: more need not be remembered. */
function distinct(authors: readonly string[]): readonly string[] {
  return [...new Set(authors)].slice(0, CLIP_PATIENCE_AUTHORS)
}
