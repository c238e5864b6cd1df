/**
 * MinAtar Asterix: gather gold, 1 point each, and touch no enemy. Things cross rows 1 to 8, at most one a row. They come and move faster as
 * the game goes on. Channels: player, enemy, trail (the cell behind a thing), gold.
 */
import { DOWN, GridRows, type GridSettings, LEFT, RIGHT, SIZE, UP } from './grid-rows.ts'

const X = 0
const Y = 1
const SPAWN_TIMER = 2
const SPAWN_SPEED = 3
const MOVE_TIMER = 4
const MOVE_SPEED = 5
const RAMP_TIMER = 6
const RAMP_INDEX = 7
/** Three numbers for each of rows 1 to 8: kind (0 none, 1 enemy, 2 gold), x, step (-1 or 1). */
const THINGS = 8
const LANES = 8
const NUMBERS = THINGS + 3 * LANES

const ENEMY = 1
const GOLD = 2
const FIRST_SPAWN_SPEED = 10
const FIRST_MOVE_SPEED = 5
const RAMP_INTERVAL = 100

export class AsterixRows extends GridRows {
  constructor(count: number, settings: GridSettings) {
    super(count, 4, NUMBERS, settings)
  }

  protected start(_row: number, at: number): void {
    const s = this.state
    s[at + X] = s[at + Y] = 5
    s[at + SPAWN_TIMER] = s[at + SPAWN_SPEED] = FIRST_SPAWN_SPEED
    s[at + MOVE_TIMER] = s[at + MOVE_SPEED] = FIRST_MOVE_SPEED
    s[at + RAMP_TIMER] = RAMP_INTERVAL
  }

  protected act(row: number, at: number, action: number): number {
    const s = this.state
    if (s[at + SPAWN_TIMER] === 0) {
      this.#spawn(row, at)
      s[at + SPAWN_TIMER] = s[at + SPAWN_SPEED]!
    }
    if (action === LEFT) s[at + X] = Math.max(0, s[at + X]! - 1)
    else if (action === RIGHT) s[at + X] = Math.min(SIZE - 1, s[at + X]! + 1)
    else if (action === UP) s[at + Y] = Math.max(1, s[at + Y]! - 1)
    else if (action === DOWN) s[at + Y] = Math.min(LANES, s[at + Y]! + 1)
    let reward = this.#touch(at)
    if (s[at + MOVE_TIMER] === 0) {
      s[at + MOVE_TIMER] = s[at + MOVE_SPEED]!
      for (let thing = at + THINGS; thing < at + NUMBERS; thing += 3) {
        if (s[thing] === 0) continue
        const x = s[thing + 1]! + s[thing + 2]!
        s[thing + 1] = x
        if (x < 0 || x >= SIZE) s[thing] = 0
      }
      reward += this.#touch(at)
    }
    s[at + SPAWN_TIMER]! -= 1
    s[at + MOVE_TIMER]! -= 1
    if (this.ramping) this.#ramp(at)
    return reward
  }

  /** Direction and gold are drawn even if no row is free. */
  #spawn(row: number, at: number): void {
    const s = this.state
    const right = this.streams.random(row) < 0.5
    const gold = this.streams.random(row) < 1 / 3
    let free = 0
    for (let thing = at + THINGS; thing < at + NUMBERS; thing += 3) if (s[thing] === 0) free += 1
    if (free === 0) return
    let skip = this.streams.below(row, free)
    let thing = at + THINGS
    while (s[thing] !== 0 || skip-- > 0) thing += 3
    s[thing] = gold ? GOLD : ENEMY
    s[thing + 1] = right ? 0 : SIZE - 1
    s[thing + 2] = right ? 1 : -1
  }

  /** What the player touches where he stands. */
  #touch(at: number): number {
    const s = this.state
    const thing = at + THINGS + 3 * (s[at + Y]! - 1)
    if (s[thing] === 0 || s[thing + 1] !== s[at + X]) return 0
    if (s[thing] === GOLD) {
      s[thing] = 0
      return 1
    }
    this.over = true
    return 0
  }

  #ramp(at: number): void {
    const s = this.state
    if (s[at + SPAWN_SPEED]! <= 1 && s[at + MOVE_SPEED]! <= 1) return
    if (s[at + RAMP_TIMER]! >= 0) {
      s[at + RAMP_TIMER]! -= 1
      return
    }
    if (s[at + MOVE_SPEED]! > 1 && s[at + RAMP_INDEX]! % 2 === 1) s[at + MOVE_SPEED]! -= 1
    if (s[at + SPAWN_SPEED]! > 1) s[at + SPAWN_SPEED]! -= 1
    s[at + RAMP_INDEX]! += 1
    s[at + RAMP_TIMER] = RAMP_INTERVAL
  }

  protected draw(at: number, out: Float32Array, to: number): void {
    const s = this.state
    out[to + this.cell(s[at + X]!, s[at + Y]!, 0)] = 1
    for (let lane = 0; lane < LANES; lane++) {
      const thing = at + THINGS + 3 * lane
      if (s[thing] === 0) continue
      const x = s[thing + 1]!
      out[to + this.cell(x, lane + 1, s[thing] === GOLD ? 3 : 1)] = 1
      const behind = x - s[thing + 2]!
      if (behind >= 0 && behind < SIZE) out[to + this.cell(behind, lane + 1, 2)] = 1
    }
  }
}
