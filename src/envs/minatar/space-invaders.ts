/**
 * MinAtar Space Invaders: shoot a block of 24 aliens, 1 point each, that marches sideways and down and shoots back. Over when a bullet or an
 * alien hits the cannon or an alien should leave the board below. A cleared wave returns, faster. Channels: cannon, alien, alien marching
 * left, alien marching right, own bullet, alien's bullet. Everything follows from the actions.
 */
import { FIRE, GridRows, type GridSettings, LEFT, RIGHT, SIZE } from './grid-rows.ts'

const X = 0
/** -1 or 1. */
const DIRECTION = 1
const MOVE_TIMER = 2
const MOVE_INTERVAL = 3
const SHOT_TIMER = 4
const COOLDOWN = 5
const RAMP_INDEX = 6
/** Ten row masks each; bit x is column x. */
const ALIENS = 7
const SHOTS = ALIENS + SIZE
const BOMBS = SHOTS + SIZE
const NUMBERS = BOMBS + SIZE

const BOTTOM = SIZE - 1
const FIRST_INTERVAL = 12
const SHORTEST_INTERVAL = 6
const SHOT_INTERVAL = 10
const COOLDOWN_FRAMES = 5
/** Columns 2 to 7. */
const WAVE_ROW = 0b0011111100
const WAVE_ROWS = 4
const LEFT_EDGE = 1
const RIGHT_EDGE = 1 << (SIZE - 1)
const FULL_ROW = (1 << SIZE) - 1

export class SpaceInvadersRows extends GridRows {
  constructor(count: number, settings: GridSettings) {
    super(count, 6, NUMBERS, settings)
  }

  protected start(_row: number, at: number): void {
    const s = this.state
    s[at + X] = 5
    s[at + DIRECTION] = -1
    s[at + MOVE_TIMER] = s[at + MOVE_INTERVAL] = FIRST_INTERVAL
    s[at + SHOT_TIMER] = SHOT_INTERVAL
    s.fill(WAVE_ROW, at + ALIENS, at + ALIENS + WAVE_ROWS)
  }

  protected act(_row: number, at: number, action: number): number {
    const s = this.state
    if (action === FIRE && s[at + COOLDOWN] === 0) {
      s[at + SHOTS + BOTTOM]! |= 1 << s[at + X]!
      s[at + COOLDOWN] = COOLDOWN_FRAMES
    } else if (action === LEFT) s[at + X] = Math.max(0, s[at + X]! - 1)
    else if (action === RIGHT) s[at + X] = Math.min(SIZE - 1, s[at + X]! + 1)
    const cannon = 1 << s[at + X]!

    s.copyWithin(at + SHOTS, at + SHOTS + 1, at + SHOTS + SIZE)
    s[at + SHOTS + BOTTOM] = 0
    s.copyWithin(at + BOMBS + 1, at + BOMBS, at + BOMBS + BOTTOM)
    s[at + BOMBS] = 0
    if (((s[at + BOMBS + BOTTOM]! | s[at + ALIENS + BOTTOM]!) & cannon) !== 0) this.over = true

    if (s[at + MOVE_TIMER] === 0) this.#march(at, cannon)
    if (s[at + SHOT_TIMER] === 0) {
      s[at + SHOT_TIMER] = SHOT_INTERVAL
      this.#bomb(at)
    }
    let reward = 0
    let left = 0
    for (let y = 0; y < SIZE; y++) {
      const hit = s[at + ALIENS + y]! & s[at + SHOTS + y]!
      if (hit !== 0) {
        reward += bitCount(hit)
        s[at + ALIENS + y]! ^= hit
        s[at + SHOTS + y]! ^= hit
      }
      left |= s[at + ALIENS + y]!
    }
    if (s[at + COOLDOWN]! > 0) s[at + COOLDOWN]! -= 1
    s[at + MOVE_TIMER]! -= 1
    s[at + SHOT_TIMER]! -= 1
    if (left === 0) {
      if (this.ramping && s[at + MOVE_INTERVAL]! > SHORTEST_INTERVAL) {
        s[at + MOVE_INTERVAL]! -= 1
        s[at + RAMP_INDEX]! += 1
      }
      s.fill(WAVE_ROW, at + ALIENS, at + ALIENS + WAVE_ROWS)
    }
    return reward
  }

  /** One step of all aliens: sideways, or down and about at an edge. The fewer are left, the sooner the next. */
  #march(at: number, cannon: number): void {
    const s = this.state
    let columns = 0
    let alive = 0
    for (let y = 0; y < SIZE; y++) {
      columns |= s[at + ALIENS + y]!
      alive += bitCount(s[at + ALIENS + y]!)
    }
    s[at + MOVE_TIMER] = Math.min(alive, s[at + MOVE_INTERVAL]!)
    const toLeft = s[at + DIRECTION]! < 0
    if ((columns & (toLeft ? LEFT_EDGE : RIGHT_EDGE)) !== 0) {
      s[at + DIRECTION] = toLeft ? 1 : -1
      if (s[at + ALIENS + BOTTOM] !== 0) this.over = true
      s.copyWithin(at + ALIENS + 1, at + ALIENS, at + ALIENS + BOTTOM)
      s[at + ALIENS] = 0
    } else {
      for (let y = 0; y < SIZE; y++) {
        const row = s[at + ALIENS + y]!
        s[at + ALIENS + y] = toLeft ? row >> 1 : (row << 1) & FULL_ROW
      }
    }
    if ((s[at + ALIENS + BOTTOM]! & cannon) !== 0) this.over = true
  }

  /** The lowest alien of the column nearest to the cannon (of two, the left one) drops a bullet where it is. */
  #bomb(at: number): void {
    const s = this.state
    let columns = 0
    for (let y = 0; y < SIZE; y++) columns |= s[at + ALIENS + y]!
    let nearest = 0
    let distance = SIZE
    for (let x = 0; x < SIZE; x++) {
      const apart = Math.abs(x - s[at + X]!)
      if (((columns >> x) & 1) === 1 && apart < distance) {
        nearest = 1 << x
        distance = apart
      }
    }
    for (let y = BOTTOM; y >= 0; y--) {
      if ((s[at + ALIENS + y]! & nearest) === 0) continue
      s[at + BOMBS + y]! |= nearest
      return
    }
  }

  protected draw(at: number, out: Float32Array, to: number): void {
    const s = this.state
    out[to + this.cell(s[at + X]!, BOTTOM, 0)] = 1
    const marching = s[at + DIRECTION]! < 0 ? 2 : 3
    for (let y = 0; y < SIZE; y++) {
      this.drawMask(s[at + ALIENS + y]!, y, 1, out, to)
      this.drawMask(s[at + ALIENS + y]!, y, marching, out, to)
      this.drawMask(s[at + SHOTS + y]!, y, 4, out, to)
      this.drawMask(s[at + BOMBS + y]!, y, 5, out, to)
    }
  }
}

function bitCount(mask: number): number {
  let count = 0
  for (let bits = mask; bits !== 0; bits &= bits - 1) count += 1
  return count
}
