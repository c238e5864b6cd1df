/**
 * Attackers for simulations: real peers that lie. A lie replaces the parameters that the peer shows to others, whatever the strategy; a forgery
 * replaces the frames that it publishes. Attackers know everything: the replicas of all honest peers, and each other.
 */
import type { Random } from '../../ports/random.ts'

export interface Knowledge {
  /** Which of the attackers this one is, from 0, and how many they are. */
  readonly index: number
  readonly attackers: number
  /** Replicas of the honest peers, as they are now: at least one, each [n], not to be kept. */
  honest(): readonly Float32Array[]
  readonly random: Random
}

export interface Attack {
  /** What to show instead of the own parameters `own` [n]: a new array. */
  readonly lie?: (own: Float32Array, knowledge: Knowledge) => Float32Array
  /** Frames to publish instead of `frame`. */
  readonly forge?: (frame: Uint8Array, knowledge: Knowledge) => readonly Uint8Array[]
}

/** Mean of the honest replicas and, coordinate by coordinate, their standard deviation. */
export function honestMoments(knowledge: Knowledge): { readonly mean: Float32Array; readonly deviation: Float32Array } {
  const replicas = knowledge.honest()
  const n = replicas[0]!.length
  const mean = new Float32Array(n)
  const deviation = new Float32Array(n)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (const replica of replicas) sum += replica[i]!
    const centre = sum / replicas.length
    let squares = 0
    for (const replica of replicas) squares += (replica[i]! - centre) ** 2
    mean[i] = centre
    deviation[i] = Math.sqrt(squares / replicas.length)
  }
  return { mean, deviation }
}
