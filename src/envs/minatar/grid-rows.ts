/**
 * What MinAtar's games (Young and Tian 2019) share: a board of 10 x 10 cells seen as [y][x][channel] of zeros and ones, y down; six actions;
 * sticky actions; a state of a few integers. Written from a description of the rules.
 *
 * With probability `stickyProbability` the action that was executed last is executed again; it is noop at first and outlives the episode.
 */
import type { StateArray } from '../memory.ts'
import { box, type Picture, type Shape } from '../picture.ts'
import type { Rows } from '../rows.ts'
import { boxSpace } from '../spaces.ts'
import type { BoxSpace, Space } from '../types.ts'

export const SIZE = 10
const CELLS = SIZE * SIZE

export const NOOP = 0
export const LEFT = 1
export const UP = 2
export const RIGHT = 3
export const DOWN = 4
export const FIRE = 5
export const ALL_ACTIONS: readonly number[] = [NOOP, LEFT, UP, RIGHT, DOWN, FIRE]

/** One random stream a row. */
export interface Streams {
  seed(row: number, seed: number): void
  /** Uniform in [0, 1). */
  random(row: number): number
  /** Uniform integer in [0, n). */
  below(row: number, n: number): number
  readonly words: Uint32Array
}

export interface GridOptions {
  readonly stickyProbability: number
  /** Whether the game gets harder as it goes on. */
  readonly ramping: boolean
}

/** How a game is built: in this form the registry and the tests share it. */
export interface GridSettings extends GridOptions {
  readonly streams: Streams
  /** What the action numbers of the action space mean. */
  readonly actions: readonly number[]
}

/** One colour a channel. */
const COLOURS = [0xffffff, 0x4cc9f0, 0x4361ee, 0xf72585, 0xf9c74f, 0x90be6d, 0xf8961e, 0x577590, 0xb5179e, 0x43aa8b]

export abstract class GridRows implements Rows {
  readonly count: number
  readonly agents = 1
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly memory: readonly StateArray[]
  /** [count, numbers of one state] */
  readonly state: Int32Array
  protected readonly streams: Streams
  protected readonly ramping: boolean
  /** Set by `act` when the episode is over. */
  protected over = false
  readonly #numbers: number
  readonly #channels: number
  readonly #actions: readonly number[]
  readonly #sticky: number
  /** What each row executed last. */
  readonly #executed: Int32Array

  constructor(count: number, channels: number, numbers: number, settings: GridSettings) {
    this.count = count
    this.observationSpace = boxSpace([SIZE, SIZE, channels], 0, 1)
    this.actionSpace = { kind: 'discrete', n: settings.actions.length }
    this.state = new Int32Array(count * numbers)
    this.streams = settings.streams
    this.ramping = settings.ramping
    this.#numbers = numbers
    this.#channels = channels
    this.#actions = settings.actions
    this.#sticky = settings.stickyProbability
    this.#executed = new Int32Array(count)
    this.memory = [this.state, this.#executed, this.streams.words]
  }

  /** Puts the beginning of a game into the numbers of `row`, which start at `at` and are all zero. */
  protected abstract start(row: number, at: number): void
  /** Plays one frame and returns the reward; sets `over` at the end of the game. */
  protected abstract act(row: number, at: number, action: number): number
  /** Sets the cells of the game to 1 with `cell`; `out` is all zero from `to` on. */
  protected abstract draw(at: number, out: Float32Array, to: number): void

  seed(row: number, seed: number): void {
    this.streams.seed(row, seed)
    this.#executed[row] = NOOP
  }

  begin(row: number): void {
    const at = row * this.#numbers
    this.state.fill(0, at, at + this.#numbers)
    this.start(row, at)
  }

  observe(row: number, out: Float32Array, at: number): void {
    out.fill(0, at, at + CELLS * this.#channels)
    this.draw(row * this.#numbers, out, at)
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const width = CELLS * this.#channels
    for (let row = 0; row < this.count; row++) {
      let action = this.#actions[actions[row]!]!
      if (this.#sticky > 0 && this.streams.random(row) < this.#sticky) action = this.#executed[row]!
      this.#executed[row] = action
      this.over = false
      rewards[row] = this.act(row, row * this.#numbers, action)
      terminated[row] = this.over ? 1 : 0
      this.observe(row, observations, row * width)
    }
  }

  /** Index of a cell within one observation. */
  protected cell(x: number, y: number, channel: number): number {
    return (y * SIZE + x) * this.#channels + channel
  }

  /** Sets the cells of row `y` whose bits are set in `mask` (bit x is column x). */
  protected drawMask(mask: number, y: number, channel: number, out: Float32Array, to: number): void {
    for (let x = 0, bits = mask; bits !== 0; x++, bits >>>= 1) if ((bits & 1) === 1) out[to + this.cell(x, y, channel)] = 1
  }

  render(row: number): Picture {
    const channels = this.#channels
    const cells = new Float32Array(CELLS * channels)
    this.draw(row * this.#numbers, cells, 0)
    const shapes: Shape[] = []
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        for (let channel = channels - 1; channel >= 0; channel--) {
          if (cells[this.cell(x, y, channel)] !== 1) continue
          shapes.push(box(x, SIZE - 1 - y, x + 1, SIZE - y, COLOURS[channel]!))
        }
      }
    }
    return { left: 0, right: SIZE, bottom: 0, top: SIZE, background: 0x101020, shapes }
  }
}
