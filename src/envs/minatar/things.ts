/**
 * Lists of moving things inside a game's integers: how many, then each as x, y, step (-1 or 1), frames to its next move, frames to its next
 * shot. `list` is the index of the count; the caller sees to it that there is room.
 */
import { SIZE } from './grid-rows.ts'

/** Integers of one thing, and where they are after x and y. */
export const THING = 5
export const STEP = 2
export const TIMER = 3
export const SHOT = 4

/** Appends a thing. */
export function add(s: Int32Array, list: number, x: number, y: number, step: number, timer: number, shot: number): void {
  const thing = list + 1 + s[list]! * THING
  s[list]! += 1
  s[thing] = x
  s[thing + 1] = y
  s[thing + STEP] = step
  s[thing + TIMER] = timer
  s[thing + SHOT] = shot
}

/** Takes out the thing at position `i`; the later ones move up. */
export function remove(s: Int32Array, list: number, i: number): void {
  const thing = list + 1 + i * THING
  s.copyWithin(thing, thing + THING, list + 1 + s[list]! * THING)
  s[list]! -= 1
}

/** Position of the first thing in a cell, or -1. */
export function find(s: Int32Array, list: number, x: number, y: number): number {
  for (let i = 0, thing = list + 1; i < s[list]!; i++, thing += THING) if (s[thing] === x && s[thing + 1] === y) return i
  return -1
}

/** Moves the thing that starts at index `thing` by its step; true when it left the board. */
export function advance(s: Int32Array, thing: number): boolean {
  const x = s[thing]! + s[thing + STEP]!
  s[thing] = x
  return x < 0 || x >= SIZE
}
