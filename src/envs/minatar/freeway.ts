/**
 * MinAtar Freeway: lead a chicken from row 9 across eight lanes to row 0, 1 point each time; a car sends it back. Over after 2,501 frames.
 * Channels: chicken, car, then one for each speed (1, the fastest, to 5) with the cell behind a car. Never gets harder.
 */
import { DOWN, GridRows, type GridSettings, SIZE, UP } from './grid-rows.ts'

const Y = 0
const MOVE_TIMER = 1
const TIME_LEFT = 2
/** Three numbers for each of rows 1 to 8: x, timer, speed (frames between moves, negative to the left). */
const CARS = 3
const LANES = 8
const NUMBERS = CARS + 3 * LANES

const COLUMN = 4
const HOME = SIZE - 1
/** The chicken moves once in three frames. */
const MOVE_INTERVAL = 3
const TIME = 2500
const SPEEDS = 5

export class FreewayRows extends GridRows {
  constructor(count: number, settings: GridSettings) {
    super(count, 2 + SPEEDS, NUMBERS, settings)
  }

  protected start(row: number, at: number): void {
    const s = this.state
    s[at + Y] = HOME
    s[at + MOVE_TIMER] = MOVE_INTERVAL
    s[at + TIME_LEFT] = TIME
    this.#hurry(row, at)
  }

  /** New speeds and directions for all cars, where they stand. */
  #hurry(row: number, at: number): void {
    const s = this.state
    for (let car = at + CARS; car < at + NUMBERS; car += 3) {
      const speed = this.streams.below(row, SPEEDS) + 1
      s[car + 1] = speed
      s[car + 2] = this.streams.random(row) < 0.5 ? -speed : speed
    }
  }

  protected act(row: number, at: number, action: number): number {
    const s = this.state
    let reward = 0
    if (s[at + MOVE_TIMER] === 0 && (action === UP || action === DOWN)) {
      s[at + MOVE_TIMER] = MOVE_INTERVAL
      s[at + Y] = action === UP ? Math.max(0, s[at + Y]! - 1) : Math.min(HOME, s[at + Y]! + 1)
    }
    if (s[at + Y] === 0) {
      reward = 1
      this.#hurry(row, at)
      s[at + Y] = HOME
    }
    for (let lane = 1; lane <= LANES; lane++) {
      const car = at + CARS + 3 * (lane - 1)
      if (s[car] === COLUMN && s[at + Y] === lane) s[at + Y] = HOME
      if (s[car + 1]! > 0) {
        s[car + 1]! -= 1
        continue
      }
      const speed = s[car + 2]!
      s[car + 1] = Math.abs(speed)
      s[car] = (s[car]! + (speed > 0 ? 1 : SIZE - 1)) % SIZE
      if (s[car] === COLUMN && s[at + Y] === lane) s[at + Y] = HOME
    }
    if (s[at + MOVE_TIMER]! > 0) s[at + MOVE_TIMER]! -= 1
    s[at + TIME_LEFT]! -= 1
    this.over = s[at + TIME_LEFT]! < 0
    return reward
  }

  protected draw(at: number, out: Float32Array, to: number): void {
    const s = this.state
    out[to + this.cell(COLUMN, s[at + Y]!, 0)] = 1
    for (let lane = 1; lane <= LANES; lane++) {
      const car = at + CARS + 3 * (lane - 1)
      const x = s[car]!
      const speed = s[car + 2]!
      out[to + this.cell(x, lane, 1)] = 1
      out[to + this.cell((x + (speed > 0 ? SIZE - 1 : 1)) % SIZE, lane, 1 + Math.abs(speed))] = 1
    }
  }
}
