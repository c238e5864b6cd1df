/**
 * Which coordinates of a model travel in one payload. Both sides of a difference must mean the same ones, and so must all peers of a round for
 * the swarm's mean to stay: they follow from the run id and a number, the draw, that a frame carries as its epoch. With the author's epoch
 * as draw, peers whose rounds have the same number choose alike; the two frames of an exchange carry the initiator's.
 */
import { seededRandom } from '../util/random.ts'
import type { CodecChoice } from '../wire/codec-names.ts'

export interface Coordinates {
  /** How many of `count` travel: always the same number. */
  chosen(count: number): number
  /** Their indices [chosen(count)], ascending; null: all. The array is the caller's to read until the next call. */
  indices(count: number, draw: number): Uint32Array | null
}

export function coordinatesOf(choice: CodecChoice['coordinates'], run: string): Coordinates {
  if (choice.kind === 'subset') return new Subset(choice.fraction, run)
  if (choice.kind === 'fragment') return new Fragments(choice.fragments)
  return { chosen: (count) => count, indices: () => null }
}

/**
 * A random fraction: the model is cut into as many blocks as coordinates travel, and each gives one. Where a block begins is drawn from the
 * run id, then it moves on by one each draw, and after a pass through the longest block is drawn anew: within a pass every coordinate travels.
 */
class Subset implements Coordinates {
  readonly #fraction: number
  readonly #run: string
  #pass = -1
  #offsets = new Uint32Array(0)
  #indices = new Uint32Array(0)
  #draw = -1

  constructor(fraction: number, run: string) {
    this.#fraction = fraction
    this.#run = run
  }

  chosen(count: number): number {
    return Math.min(count, Math.max(1, Math.round(this.#fraction * count)))
  }

  indices(count: number, draw: number): Uint32Array {
    const blocks = this.chosen(count)
    if (this.#indices.length !== blocks) this.#reset(blocks)
    if (draw === this.#draw) return this.#indices
    const longest = Math.ceil(count / blocks)
    this.#drawOffsets(Math.floor(draw / longest))
    for (let block = 0, from = 0; block < blocks; block++) {
      const to = Math.floor(((block + 1) * count) / blocks)
      const size = to - from
      this.#indices[block] = from + (((this.#offsets[block]! % size) + (draw % size)) % size)
      from = to
    }
    this.#draw = draw
    return this.#indices
  }

  #drawOffsets(pass: number): void {
    if (pass === this.#pass) return
    const random = seededRandom('subset', this.#run, pass)
    for (let block = 0; block < this.#offsets.length; block++) this.#offsets[block] = random.uint32()
    this.#pass = pass
  }

  #reset(blocks: number): void {
    this.#indices = new Uint32Array(blocks)
    this.#offsets = new Uint32Array(blocks)
    this.#draw = -1
    this.#pass = -1
  }
}

/** One stretch of the model after the other, all of one length: where they do not divide the model, the last overlaps the one before. */
class Fragments implements Coordinates {
  readonly #fragments: number
  #indices = new Uint32Array(0)

  constructor(fragments: number) {
    this.#fragments = fragments
  }

  chosen(count: number): number {
    return Math.ceil(count / this.#fragments)
  }

  indices(count: number, draw: number): Uint32Array {
    const length = this.chosen(count)
    const from = Math.min((draw % Math.ceil(count / length)) * length, count - length)
    if (this.#indices.length !== length) this.#indices = new Uint32Array(length)
    for (let i = 0; i < length; i++) this.#indices[i] = from + i
    return this.#indices
  }
}
