/**
 * Tells who lags from who lies, of those that stand far from us. An honest peer that learns many times slower than we do is seldom heard, and
 * stands where we stood a while ago and moves on, or comes nearer from wherever it was left behind. Turned signs, steps backwards and huge values
 * lie beside our way and stay as far, and what is replayed stays where it is. Who lies as seldom does as little harm.
 *
 * Our way is kept as sketches of earlier places, the denser the younger they are. Their key must be secret: who knew it could make a replica that
 * looks near one of them and is not. To be late excuses from distrust and from nothing else: what is late is shortened as before, and moves us
 * less than one that is just not far, which may lie for as long as it likes.
 */
import { squaredDistance } from '../average/distance.ts'
import { FAR_AUTHORS, LATE_MIXES, LATE_PACE, LATE_WAY, MAX_PLACE_STRIDE, NEARER, PLACE_DENSITY } from '../average/limits.ts'
import type { PeerId } from '../ports/network.ts'
import { setLatest } from '../util/latest.ts'

interface Place {
  /** Of the mix, from 1. */
  readonly mix: number
  readonly sketch: Float32Array
  /** Norm of a difference beyond which its author was far there. */
  readonly reach: number
}

/** At this mix of ours an author stood so far away, near where we had stood at `place` (null: nowhere), in the `frames`th of its mixes with us. */
interface Sighting {
  readonly mix: number
  readonly place: number | null
  readonly norm: number
  readonly frames: number
}

/** What the first sighting is compared with. */
const START: Sighting = { mix: 0, place: 0, norm: 0, frames: 0 }

export class Places {
  readonly #sketch: (parameters: Float32Array) => Float32Array
  /** The oldest first. */
  #places: readonly Place[] = []
  #mixes = 0
  /** By author, the longest ago mixed first. */
  readonly #frames = new Map<PeerId, number>()
  /** By author, the longest ago seen first: what the next sighting is compared with, and what later ones will be. */
  readonly #sightings = new Map<PeerId, { readonly reference: Sighting; readonly next: Sighting }>()

  /** `sketch` keeps distances, and nobody else knows how. */
  constructor(sketch: (parameters: Float32Array) => Float32Array) {
    this.#sketch = sketch
  }

  /** Mixes behind the places that are kept, the oldest first. */
  get kept(): readonly number[] {
    return this.#places.map(({ mix }) => mix)
  }

  /** We stand at `mine` now and mix what these sent. An infinite reach tells nothing. */
  stood(mine: Float32Array, reach: number, authors: readonly PeerId[]): void {
    const mix = ++this.#mixes
    const here = Number.isFinite(reach) ? [{ mix, sketch: this.#sketch(mine), reach }] : []
    this.#places = [...this.#places.filter((place) => mix - place.mix < PLACE_DENSITY * strideOf(place.mix)), ...here]
    for (const author of authors) setLatest(this.#frames, author, (this.#frames.get(author) ?? 0) + 1, FAR_AUTHORS)
  }

  /** Of an author of this mix that stands far from us, by `norm`: whether it only lags. */
  isLate(author: PeerId, theirs: Float32Array, norm: number): boolean {
    const now: Sighting = { mix: this.#mixes, place: this.#nearest(theirs, norm), norm, frames: this.#frames.get(author) ?? 0 }
    const { reference, next } = this.#sightings.get(author) ?? { reference: START, next: START }
    const isOld = next === START || now.mix - next.mix >= LATE_MIXES
    setLatest(this.#sightings, author, isOld ? { reference: next, next: now } : { reference, next }, FAR_AUTHORS)
    return comesNearer(now, next) || movesOn(now, isOld ? next : reference)
  }

  /** Of the places nearer to `theirs` than ours is, and where it would not have been far, the nearest; null: none. */
  #nearest(theirs: Float32Array, norm: number): number | null {
    const sketch = this.#sketch(theirs)
    let least = norm
    let nearest: number | null = null
    for (const place of this.#places) {
      const distance = Math.sqrt(squaredDistance(sketch, place.sketch))
      if (place.mix === this.#mixes || distance >= least || distance > place.reach) continue
      least = distance
      nearest = place.mix
    }
    return nearest
  }
}

function comesNearer(now: Sighting, before: Sighting): boolean {
  return isSeldom(now, before) && now.norm <= NEARER * before.norm
}

function movesOn(now: Sighting, before: Sighting): boolean {
  if (now.place === null || before.place === null) return false
  return isSeldom(now, before) && now.place - before.place >= LATE_WAY * (now.mix - before.mix)
}

function isSeldom(now: Sighting, before: Sighting): boolean {
  return now.frames - before.frames <= LATE_PACE * (now.mix - before.mix)
}

/** The largest power of two that divides `mix`, MAX_PLACE_STRIDE at most. */
function strideOf(mix: number): number {
  return Math.min(MAX_PLACE_STRIDE, mix & -mix)
}
