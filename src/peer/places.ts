/**
 * Tells who lags from who lies, of those that stand far from us. An honest peer that learns many times slower than we do says that it makes fewer
 * updates, and stands where we stood a while ago and moves on, or comes nearer from wherever it was left behind. Turned signs, steps backwards and
 * huge values lie beside our way and stay as far, and what is replayed stays where it is.
 *
 * Our way is kept as sketches of earlier places, the denser the younger they are. Their key must be secret: who knew it could make a replica that
 * looks near one of them and is not. To be late excuses from distrust and from nothing else: what is late is shortened as before, and moves us
 * less than one that is just not far, which may lie for as long as it likes.
 */
import { squaredDistance } from '../average/distance.ts'
import { FAR_AUTHORS, LATE_MIXES, LATE_PACE, LATE_WAY, MAX_PLACE_STRIDE, NEARER, PLACE_DENSITY } from '../average/limits.ts'
import type { PeerId } from '../ports/network.ts'

/** A replica, and the updates behind it. */
export interface Stand {
  readonly parameters: Float32Array
  readonly version: number
}

interface Place {
  /** Of the mix, from 1. */
  readonly mix: number
  readonly sketch: Float32Array
  /** Norm of a difference beyond which its author was far there. */
  readonly reach: number
}

/** At this mix of ours, and at these versions of both, an author stood so far away, near where we had stood at `place`; null: nowhere. */
interface Sighting {
  readonly mix: number
  readonly place: number | null
  readonly norm: number
  readonly ours: number
  readonly theirs: number
}

/** Who is seen late for the first time is taken to have learned from the start, as slowly as it says. */
const START: Sighting = { mix: 0, place: 0, norm: 0, ours: 0, theirs: 0 }

export class Places {
  readonly #sketch: (parameters: Float32Array) => Float32Array
  /** The oldest first. */
  #places: readonly Place[] = []
  #mixes = 0
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

  /** We were here at the next mix. An infinite reach tells nothing. */
  stood(mine: Float32Array, reach: number): void {
    const mix = ++this.#mixes
    const here = Number.isFinite(reach) ? [{ mix, sketch: this.#sketch(mine), reach }] : []
    this.#places = [...this.#places.filter((place) => mix - place.mix < PLACE_DENSITY * strideOf(place.mix)), ...here]
  }

  /** Of an author that stands far from ours, by `norm`: whether it only lags. */
  isLate(author: PeerId, theirs: Stand, ours: Stand, norm: number): boolean {
    const place = this.#nearest(theirs.parameters, norm)
    const now: Sighting = { mix: this.#mixes, place, norm, ours: ours.version, theirs: theirs.version }
    const { reference, next } = this.#sightings.get(author) ?? { reference: START, next: START }
    const isOld = next === START || now.mix - next.mix >= LATE_MIXES
    this.#sightings.delete(author)
    this.#sightings.set(author, isOld ? { reference: next, next: now } : { reference, next })
    for (const forgotten of [...this.#sightings.keys()].slice(0, -FAR_AUTHORS)) this.#sightings.delete(forgotten)
    return comesNearer(now, next) || movesOn(now, isOld ? next : reference)
  }

  /** Of the places nearer to `theirs` than ours is, and where it would not have been far, the nearest; null: none. */
  #nearest(theirs: Float32Array, norm: number): number | null {
    const sketch = this.#sketch(theirs)
    let least = norm
    let nearest: number | null = null
    for (const place of this.#places) {
      const distance = Math.sqrt(squaredDistance(sketch, place.sketch))
      if (distance >= least || distance > place.reach) continue
      least = distance
      nearest = place.mix
    }
    return nearest
  }
}

function comesNearer(now: Sighting, before: Sighting): boolean {
  return isSlower(now, before) && now.norm <= NEARER * before.norm
}

function movesOn(now: Sighting, before: Sighting): boolean {
  if (now.place === null || before.place === null) return false
  return isSlower(now, before) && now.place - before.place >= LATE_WAY * (now.mix - before.mix)
}

/** It learned, and less than we did. */
function isSlower(now: Sighting, before: Sighting): boolean {
  const updates = now.theirs - before.theirs
  return updates > 0 && updates <= LATE_PACE * (now.ours - before.ours)
}

/** The largest power of two that divides `mix`, MAX_PLACE_STRIDE at most. */
function strideOf(mix: number): number {
  return Math.min(MAX_PLACE_STRIDE, mix & -mix)
}
