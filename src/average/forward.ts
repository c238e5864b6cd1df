/**
 * Bringing what was sent a while ago to now. Peers that run freely publish at moments of their own, and a snapshot waits for its reader's next
 * round while both go on learning. Its difference from the reader's replica of that later moment holds the reader's own way of meanwhile with
 * its sign turned, and adding that would take the way back: where every peer mixes k others of an age of half a round, all of them advance by
 * 1 / (1 + k / (2 (k + 1))) of what they learn, 0.70 with seven others. Compared is therefore with where the reader was when the snapshot came,
 * on the straight line between its last mix and now; nothing is lost then, as with averages that arrive late elsewhere (delayed averaging). Time
 * tells that only where rounds come evenly: who makes all updates of an iteration in a burst, and several rounds within it, sends what is ahead
 * of its mean pace and reads where it is behind its own, and to bring that forward would overshoot.
 */
import { arrayMaths } from '../kernels/arrays.ts'
import { EVEN_FACTOR, EVEN_ROUNDS } from './limits.ts'

/** Whether these rounds [ms, the latest last], EVEN_ROUNDS or more, came at about the same distance from each other. */
export function cameEvenly(roundsAtMs: readonly number[]): boolean {
  if (roundsAtMs.length < EVEN_ROUNDS) return false
  const spans = roundsAtMs.slice(1).map((atMs, i) => atMs - roundsAtMs[i]!)
  return Math.max(...spans) <= EVEN_FACTOR * Math.min(...spans)
}

/** Of the time between `fromMs` and `toMs`, the share after `atMs`, in [0, 1]; 0 where they are not apart, or `fromMs` is not known (-Infinity). */
export function shareAfter(atMs: number, fromMs: number, toMs: number): number {
  const span = toMs - fromMs
  if (!Number.isFinite(span) || span <= 0) return 0
  return Math.min(1, Math.max(0, (toMs - atMs) / span))
}

/** theirs + share (to - from), all [n]: where `theirs` would be, had it moved for the last `share` of our way as we have. `theirs` itself for 0. */
export function broughtForward(theirs: Float32Array, share: number, from: Float32Array, to: Float32Array): Float32Array {
  if (share === 0) return theirs
  const there = theirs.slice()
  arrayMaths().axpy(there, share, to)
  arrayMaths().axpy(there, -share, from)
  return there
}
