/**
 * DeepSea-v0 [Osband et al. 2020, "Behaviour Suite for RL", arXiv 1908.03568, A.6]: a diver sinks one row a step through a grid of size x size
 * cells and moves one column left or right. Every move right costs 0.01 / size; only who goes right in every single step stands on the last
 * column at the bottom and earns 1 there, so that a random policy is lucky once in 2^size episodes while every other path looks better.
 *
 * Which of the two actions means right is drawn for each cell from the option `mapping` and is the same in every episode. The cell where the
 * diver is shows as a single 1 among zeros [size * size]; below the last row nothing does. Nothing is random: seeds change nothing.
 */
import { seededRandom } from '../../util/random.ts'
import { MAX_DEEP_SEA_MAPPING, MAX_DEEP_SEA_SIZE } from '../limits.ts'
import type { StateArray } from '../memory.ts'
import type { NumberOption } from '../options.ts'
import { box, type Picture, type Shape } from '../picture.ts'
import type { Rows } from '../rows.ts'
import { boxSpace } from '../spaces.ts'
import type { BoxSpace, Space } from '../types.ts'

const TREASURE = 1
/** Of moving right all the way. */
const MOVE_COST = 0.01

export const DEEP_SEA_OPTIONS = {
  size: { initial: 10, min: 2, max: MAX_DEEP_SEA_SIZE, whole: true, meaning: 'rows and columns, and steps of an episode' },
  mapping: { initial: 0, min: 0, max: MAX_DEEP_SEA_MAPPING, whole: true, meaning: 'seed of what the actions mean' },
} as const satisfies Readonly<Record<string, NumberOption>>

type DeepSeaOptions = Readonly<Record<keyof typeof DEEP_SEA_OPTIONS, number>>

export class DeepSeaRows implements Rows {
  readonly count: number
  readonly agents = 1
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space = { kind: 'discrete', n: 2 }
  readonly memory: readonly StateArray[]
  /** For each cell, row by row, the action that goes right [size * size]. */
  readonly rightActions: Uint8Array
  readonly #size: number
  /** Row and column of each diver [count, 2]. */
  readonly #at: Int32Array
  readonly #rewards: Float64Array

  constructor(count: number, { size, mapping }: DeepSeaOptions) {
    this.count = count
    this.#size = size
    this.observationSpace = boxSpace([size * size], 0, 1)
    this.#at = new Int32Array(count * 2)
    this.#rewards = new Float64Array(count)
    this.memory = [this.#at]
    const random = seededRandom('deep sea', mapping)
    this.rightActions = Uint8Array.from({ length: size * size }, () => random.below(2))
  }

  seed(): void {}

  begin(row: number): void {
    this.#at.fill(0, 2 * row, 2 * row + 2)
  }

  observe(row: number, out: Float32Array, at: number): void {
    const size = this.#size
    const depth = this.#at[2 * row]!
    out.fill(0, at, at + size * size)
    if (depth < size) out[at + depth * size + this.#at[2 * row + 1]!] = 1
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const size = this.#size
    const places = this.#at
    for (let row = 0; row < this.count; row++) {
      const depth = places[2 * row]!
      const column = places[2 * row + 1]!
      const right = actions[row] === this.rightActions[depth * size + column]
      const found = right && column === size - 1
      rewards[row] = this.#rewards[row] = (found ? TREASURE : 0) - (right ? MOVE_COST / size : 0)
      places[2 * row] = depth + 1
      places[2 * row + 1] = right ? Math.min(column + 1, size - 1) : Math.max(column - 1, 0)
      terminated[row] = depth + 1 === size ? 1 : 0
      this.observe(row, observations, row * size * size)
    }
  }

  reward(row: number): number {
    return this.#rewards[row]!
  }

  render(row: number): Picture {
    const size = this.#size
    const [depth, column] = [this.#at[2 * row]!, this.#at[2 * row + 1]!]
    const shapes: Shape[] = [box(size - 1, 0, size, 1, 0xf9c74f)]
    if (depth < size) shapes.push({ kind: 'circle', x: column + 0.5, y: size - depth - 0.5, radius: 0.4, colour: 0xffffff })
    return { left: 0, right: size, bottom: 0, top: size, background: 0x1d3557, shapes }
  }
}
