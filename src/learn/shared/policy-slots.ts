/**
 * Policies on their way from the learner to actors: `actors + 2` arenas and the number of the current one. The learner writes only a slot that is
 * neither current nor held; an actor takes hold of the current one, looks again whether it still is, and keeps it for a rollout. Each actor holds
 * at most one, so a free slot always exists, and what a dead actor held can be let go for it.
 *
 * Words: the current slot (-1: none yet), then for each actor the slot it holds (-1: none).
 */
import type { Arena } from '../engine.ts'
import { waitWhile } from './waiting.ts'

const CURRENT = 0
const HELD = 1
const NONE = -1

/** Slots for so many actors: one current, one to write, one for each actor. */
export function policySlotCount(actors: number): number {
  return actors + 2
}

/** The shared buffer for so many actors. */
export function policySlotBuffer(actors: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(versionsOffset(actors) + policySlotCount(actors) * Float64Array.BYTES_PER_ELEMENT)
  new Int32Array(buffer, 0, HELD + actors).fill(NONE)
  return buffer
}

export interface HeldPolicy {
  readonly arena: Arena
  /** Updates behind it. */
  version: number
}

export class PolicySlots {
  readonly #arenas: readonly Arena[]
  readonly #words: Int32Array
  readonly #versions: Float64Array
  readonly #held: readonly HeldPolicy[]

  /** `arenas`: policySlotCount of them, the same in every thread. */
  constructor(arenas: readonly Arena[], buffer: SharedArrayBuffer) {
    const actors = arenas.length - 2
    this.#arenas = arenas
    this.#words = new Int32Array(buffer, 0, HELD + actors)
    this.#versions = new Float64Array(buffer, versionsOffset(actors), arenas.length)
    this.#held = arenas.map((arena) => ({ arena, version: 0 }))
  }

  /** The learner's: copies `parameters` into a free slot and makes it current. */
  publish(parameters: Arena, version: number): void {
    const slot = this.#free()
    this.#arenas[slot]!.data.set(parameters.data)
    this.#versions[slot] = version
    Atomics.store(this.#words, CURRENT, slot)
    Atomics.notify(this.#words, CURRENT)
  }

  /** An actor's: the current policy, which stays as it is until `release`; null: there is none yet, after a wait. */
  hold(actor: number): HeldPolicy | null {
    for (;;) {
      const slot = Atomics.load(this.#words, CURRENT)
      if (slot === NONE) {
        waitWhile(this.#words, CURRENT, NONE)
        return null
      }
      Atomics.store(this.#words, HELD + actor, slot)
      // The learner may have moved on and be writing this slot already: then it is not current any more.
      if (Atomics.load(this.#words, CURRENT) !== slot) continue
      const held = this.#held[slot]!
      held.version = this.#versions[slot]!
      return held
    }
  }

  release(actor: number): void {
    Atomics.store(this.#words, HELD + actor, NONE)
  }

  #free(): number {
    const current = Atomics.load(this.#words, CURRENT)
    // An actor may take hold of a slot for the moment until it sees that it is not current: another round finds a free one.
    for (;;) {
      for (let slot = 0; slot < this.#arenas.length; slot++) if (slot !== current && !this.#isHeld(slot)) return slot
    }
  }

  #isHeld(slot: number): boolean {
    for (let i = HELD; i < this.#words.length; i++) if (Atomics.load(this.#words, i) === slot) return true
    return false
  }
}

/** Doubles lie at multiples of 8. */
function versionsOffset(actors: number): number {
  return Math.ceil(((HELD + actors) * Int32Array.BYTES_PER_ELEMENT) / 8) * 8
}
