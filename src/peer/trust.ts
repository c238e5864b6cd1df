/**
 * Trust in one author: a score from 1 (nothing against him) to 0, lowered by every refusal with a cause that a user can see (authors.ts counts
 * them), and coming back by itself. Below MUTE_BELOW his frames are not looked at any more, until the score has come back to UNMUTE_AT.
 *
 * A pure function of values: every call returns the next state.
 */
import { pow } from '../util/maths.ts'
import { DEFAULT_PENALTY, MUTE_BELOW, PENALTIES, TRUST_HALF_LIFE_MS, UNMUTE_AT } from './limits.ts'

export interface Trust {
  readonly score: number
  readonly atMs: number
  readonly muted: boolean
}

export function newTrust(nowMs: number): Trust {
  return { score: 1, atMs: nowMs, muted: false }
}

/** As of now: what is missing halves every TRUST_HALF_LIFE_MS. */
export function trustAt(trust: Trust, nowMs: number): Trust {
  const elapsedMs = Math.max(0, nowMs - trust.atMs)
  const score = 1 - (1 - trust.score) * pow(0.5, elapsedMs / TRUST_HALF_LIFE_MS)
  return { score, atMs: nowMs, muted: trust.muted && score < UNMUTE_AT }
}

/** After an offence of this cause. */
export function distrusted(trust: Trust, cause: string, nowMs: number): Trust {
  const now = trustAt(trust, nowMs)
  const score = now.score * (Object.hasOwn(PENALTIES, cause) ? PENALTIES[cause]! : DEFAULT_PENALTY)
  return { score, atMs: nowMs, muted: now.muted || score < MUTE_BELOW }
}
