/**
 * Rollouts of one actor on their way to the learner: a ring of ROLLOUTS_AHEAD in shared memory with one writer and one reader. A full ring holds
 * its actor back. All rings of one learner share two words: numbers of arrival given out, and rollouts that can be read, at which the learner wakes.
 *
 * Words of a ring: rollouts written, rollouts read, then for each place the number at which its rollout arrived.
 */
import { Experience, type ExperienceShape, experienceBytes } from '../experience.ts'
import { ROLLOUTS_AHEAD } from '../limits.ts'
import { waitWhile } from './waiting.ts'

/** Of the words that all rings share. */
const NUMBERS = 0
export const ARRIVALS = 1
export const SHARED_WORDS = 2

const WRITTEN = 0
const READ = 1
const ARRIVED = 2
const HEAD_BYTES = Math.ceil(((ARRIVED + ROLLOUTS_AHEAD) * Int32Array.BYTES_PER_ELEMENT) / 8) * 8

export function ringBytes(shape: ExperienceShape): number {
  return HEAD_BYTES + ROLLOUTS_AHEAD * experienceBytes(shape)
}

export class ExperienceRing {
  readonly #words: Int32Array
  readonly #arrivals: Int32Array
  readonly #places: readonly Experience[]

  /** `buffer`: ringBytes(shape); `arrivals`: SHARED_WORDS words; `firstRow`: the number of the actor's first environment. */
  constructor(shape: ExperienceShape, firstRow: number, buffer: SharedArrayBuffer, arrivals: Int32Array) {
    const bytes = experienceBytes(shape)
    this.#words = new Int32Array(buffer, 0, ARRIVED + ROLLOUTS_AHEAD)
    this.#arrivals = arrivals
    this.#places = Array.from({ length: ROLLOUTS_AHEAD }, (_, i) => new Experience(shape, firstRow, buffer, HEAD_BYTES + i * bytes))
  }

  /** The actor's: the place to write the next rollout to; null: all are full, after a wait. */
  next(): Experience | null {
    const written = Atomics.load(this.#words, WRITTEN)
    const read = Atomics.load(this.#words, READ)
    if (((written - read) | 0) < ROLLOUTS_AHEAD) return this.#places[place(written)]!
    waitWhile(this.#words, READ, read)
    return null
  }

  /** The actor's: the rollout that `next` gave a place to is complete. */
  commit(): void {
    const written = Atomics.load(this.#words, WRITTEN)
    this.#words[ARRIVED + place(written)] = Atomics.add(this.#arrivals, NUMBERS, 1)
    Atomics.store(this.#words, WRITTEN, (written + 1) | 0)
    Atomics.add(this.#arrivals, ARRIVALS, 1)
    Atomics.notify(this.#arrivals, ARRIVALS)
  }

  /** The learner's: the number at which the oldest rollout arrived; null where there is none. */
  get oldest(): number | null {
    const read = Atomics.load(this.#words, READ)
    if (Atomics.load(this.#words, WRITTEN) === read) return null
    return this.#words[ARRIVED + place(read)]!
  }

  /** The learner's: the oldest rollout, where there is one; it stays as it is until `release`. */
  peek(): Experience {
    return this.#places[place(Atomics.load(this.#words, READ))]!
  }

  /** The learner's: the oldest rollout was used, its place may be written again. */
  release(): void {
    Atomics.add(this.#words, READ, 1)
    Atomics.notify(this.#words, READ)
  }
}

/** Counters wrap at 32 bits; ROLLOUTS_AHEAD divides 2^32. */
function place(count: number): number {
  return (count >>> 0) % ROLLOUTS_AHEAD
}
