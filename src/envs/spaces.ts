/** Spaces: how they are built, how large they are, and what lies in them. */
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import type { BoxSpace, Space } from './types.ts'

/** A box with one bound each for all of its elements, or one for each element. */
export function boxSpace(shape: readonly number[], low: number | readonly number[], high: number | readonly number[]): BoxSpace {
  const size = shape.reduce((product, length) => product * length, 1)
  const bound = (value: number | readonly number[]): Float32Array =>
    typeof value === 'number' ? new Float32Array(size).fill(value) : Float32Array.from(value)
  return { kind: 'box', shape, low: bound(low), high: bound(high) }
}

/** Floats of one element of a box; 1 for a discrete space. */
export function sizeOf(space: Space): number {
  return space.kind === 'discrete' ? 1 : space.shape.reduce((product, length) => product * length, 1)
}

/** One action as a row of actions; a number in `place`. Throws `action` for a number that would be another one there. */
export function asRow(space: Space, action: number | Float32Array, place: Int32Array): Int32Array | Float32Array {
  if (typeof action !== 'number') return action
  place[0] = action
  if (space.kind === 'discrete' && place[0] !== action) throw noSuchAction(action, 0, space.n)
  return place
}

function noSuchAction(action: number, row: number, n: number): GrapevineError {
  return new GrapevineError('action', 'local', `Action ${action} of row ${row} is not one of 0 to ${n - 1}; check what chose it.`, {
    row,
    action,
  })
}

/** Throws `action` unless every row of `actions` is one of a discrete space, or finite for a box. Box bounds are the environment's to apply. */
export function checkActions(space: Space, actions: Int32Array | Float32Array, count: number): void {
  if (space.kind === 'discrete') {
    if (!(actions instanceof Int32Array) || actions.length !== count) throw wrongShape('Int32Array', count, actions)
    const { n } = space
    for (let i = 0; i < count; i++) {
      if (actions[i]! >>> 0 >= n) throw noSuchAction(actions[i]!, i, n)
    }
    return
  }
  const length = count * sizeOf(space)
  if (!(actions instanceof Float32Array) || actions.length !== length) throw wrongShape('Float32Array', length, actions)
  for (let i = 0; i < length; i++) {
    const value = actions[i]!
    if (value - value !== 0)
      throw new GrapevineError('action', 'local', `Element ${i} of the actions is ${value}, not a finite number; check what chose it.`, {
        element: i,
        action: value,
      })
  }
}

function wrongShape(type: string, length: number, actions: Int32Array | Float32Array): GrapevineError {
  return new GrapevineError(
    'shape',
    'local',
    `A step wants its actions as ${type} of length ${length}, but got ${actions.constructor.name} of length ${actions.length}.`,
    { expected: length, got: actions.length },
  )
}

/** Why `observation` is not an element of `space`, in words; null when it is. */
export function whyOutside(space: BoxSpace, observation: Float32Array): string | null {
  const size = sizeOf(space)
  if (observation.length !== size) return `it has ${observation.length} numbers where the space has ${size}`
  for (let i = 0; i < size; i++) {
    const value = observation[i]!
    if (!Number.isFinite(value)) return `element ${i} is ${value}`
    if (value < space.low[i]! || value > space.high[i]!) return `element ${i} is ${value}, outside ${space.low[i]} to ${space.high[i]}`
  }
  return null
}

/** A uniformly random action; where a bound is infinite, within 1 of the other one or of 0. */
export function sampleAction(space: Space, random: Random): number | Float32Array {
  if (space.kind === 'discrete') return Math.floor(random.uniform() * space.n)
  return space.low.map((bound, i) => {
    const low = Number.isFinite(bound) ? bound : Math.min(space.high[i]!, 1) - 2
    const high = Number.isFinite(space.high[i]!) ? space.high[i]! : Math.max(bound, -1) + 2
    return low + (high - low) * random.uniform()
  })
}
