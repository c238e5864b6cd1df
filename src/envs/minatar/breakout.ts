/**
 * MinAtar Breakout: keep a ball in play with a paddle on row 9 and break the bricks of rows 1 to 3, 1 point each; a cleared wall is rebuilt
 * when the ball next reaches the paddle's row. Over when the ball is missed. Channels: paddle, ball, trail, brick. Never gets harder.
 */
import { GridRows, type GridSettings, LEFT, RIGHT, SIZE } from './grid-rows.ts'

const PADDLE = 0
const BALL_X = 1
const BALL_Y = 2
const LAST_X = 3
const LAST_Y = 4
/** 0 up left, 1 up right, 2 down right, 3 down left. */
const DIRECTION = 5
/** 1 while the ball passes through bricks after it broke one. */
const STRIKE = 6
/** Row masks of rows 1 to 3. */
const BRICKS = 7
const NUMBERS = 10

const FULL_ROW = (1 << SIZE) - 1
const BOTTOM = SIZE - 1
const DX = [-1, 1, 1, -1]
const DY = [-1, -1, 1, 1]
const FLIP_SIDEWAYS = [1, 0, 3, 2]
const FLIP_UPRIGHT = [3, 2, 1, 0]
const REVERSE = [2, 3, 0, 1]

export class BreakoutRows extends GridRows {
  constructor(count: number, settings: GridSettings) {
    super(count, 4, NUMBERS, settings)
  }

  protected start(row: number, at: number): void {
    const s = this.state
    const right = this.streams.below(row, 2) === 1
    s[at + PADDLE] = 4
    s[at + BALL_X] = s[at + LAST_X] = right ? 9 : 0
    s[at + BALL_Y] = s[at + LAST_Y] = 3
    s[at + DIRECTION] = right ? 3 : 2
    s.fill(FULL_ROW, at + BRICKS, at + BRICKS + 3)
  }

  protected act(_row: number, at: number, action: number): number {
    const s = this.state
    if (action === LEFT) s[at + PADDLE] = Math.max(0, s[at + PADDLE]! - 1)
    else if (action === RIGHT) s[at + PADDLE] = Math.min(SIZE - 1, s[at + PADDLE]! + 1)
    const paddle = s[at + PADDLE]!
    const lastX = s[at + BALL_X]!
    const lastY = s[at + BALL_Y]!
    let direction = s[at + DIRECTION]!
    let x = lastX + DX[direction]!
    let y = lastY + DY[direction]!
    let reward = 0
    let strike = 0
    if (x < 0 || x >= SIZE) {
      x = x < 0 ? 0 : SIZE - 1
      direction = FLIP_SIDEWAYS[direction]!
    }
    if (y < 0) {
      y = 0
      direction = FLIP_UPRIGHT[direction]!
    } else if (y >= 1 && y <= 3 && ((s[at + BRICKS + y - 1]! >> x) & 1) === 1) {
      if (s[at + STRIKE] === 0) {
        reward = 1
        s[at + BRICKS + y - 1]! ^= 1 << x
        y = lastY
        direction = FLIP_UPRIGHT[direction]!
      }
      strike = 1
    } else if (y === BOTTOM) {
      if ((s[at + BRICKS]! | s[at + BRICKS + 1]! | s[at + BRICKS + 2]!) === 0) s.fill(FULL_ROW, at + BRICKS, at + BRICKS + 3)
      if (lastX === paddle) {
        direction = FLIP_UPRIGHT[direction]!
        y = lastY
      } else if (x === paddle) {
        direction = REVERSE[direction]!
        y = lastY
      } else {
        this.over = true
      }
    }
    s[at + STRIKE] = strike
    s[at + LAST_X] = lastX
    s[at + LAST_Y] = lastY
    s[at + BALL_X] = x
    s[at + BALL_Y] = y
    s[at + DIRECTION] = direction
    return reward
  }

  protected draw(at: number, out: Float32Array, to: number): void {
    const s = this.state
    out[to + this.cell(s[at + PADDLE]!, BOTTOM, 0)] = 1
    out[to + this.cell(s[at + BALL_X]!, s[at + BALL_Y]!, 1)] = 1
    out[to + this.cell(s[at + LAST_X]!, s[at + LAST_Y]!, 2)] = 1
    for (let i = 0; i < 3; i++) this.drawMask(s[at + BRICKS + i]!, i + 1, 3, out, to)
  }
}
