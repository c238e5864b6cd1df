/**
 * CartPole-v1 as in Gymnasium (Barto, Sutton and Anderson 1983): push a cart left or right to keep a pole upright. Reward 1 for every step,
 * the last included; over when the cart leaves +-2.4 or the pole +-12 degrees. Explicit Euler, positions from the old velocities, float64.
 */
import { cos, cosSmall, sin, sinSmall } from '../../util/maths.ts'
import { box, type Picture } from '../picture.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'
import { ClassicRows } from './classic-rows.ts'

const GRAVITY = 9.8
const POLE_MASS = 0.1
const TOTAL_MASS = 1.1
/** Half the pole. */
const LENGTH = 0.5
const POLE_MASS_LENGTH = 0.05
const FORCE = 10
const TAU = 0.02
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360
const POSITION_LIMIT = 2.4
const FOUR_THIRDS = 4 / 3
/** The polynomials of sin and cos hold without reduction up to pi/4; a running pole is far below. */
const SMALL_ANGLE = 0.78
const BOUNDS = [2 * POSITION_LIMIT, Number.POSITIVE_INFINITY, 2 * ANGLE_LIMIT, Number.POSITIVE_INFINITY]

/** State: position, velocity, angle, angular velocity. */
export class CartPoleRows extends ClassicRows {
  readonly observationSpace = boxSpace(
    [4],
    BOUNDS.map((bound) => -bound),
    BOUNDS,
  )
  readonly actionSpace: Space = { kind: 'discrete', n: 2 }

  constructor(count: number) {
    super(count, 4)
  }

  begin(row: number): void {
    for (let i = 0; i < 4; i++) this.state[row * 4 + i] = this.streams.uniform(row, -0.05, 0.05)
  }

  observe(row: number, out: Float32Array, at: number): void {
    for (let i = 0; i < 4; i++) out[at + i] = this.state[row * 4 + i]!
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const position = state[at]!
      const velocity = state[at + 1]!
      const angle = state[at + 2]!
      const spin = state[at + 3]!
      const small = angle < SMALL_ANGLE && angle > -SMALL_ANGLE
      const sine = small ? sinSmall(angle) : sin(angle)
      const cosine = small ? cosSmall(angle) : cos(angle)
      const force = actions[row] === 1 ? FORCE : -FORCE
      const push = (force + POLE_MASS_LENGTH * (spin * spin) * sine) / TOTAL_MASS
      const spinUp = (GRAVITY * sine - cosine * push) / (LENGTH * (FOUR_THIRDS - (POLE_MASS * (cosine * cosine)) / TOTAL_MASS))
      const speedUp = push - (POLE_MASS_LENGTH * spinUp * cosine) / TOTAL_MASS
      const x = position + TAU * velocity
      const xDot = velocity + TAU * speedUp
      const theta = angle + TAU * spin
      const thetaDot = spin + TAU * spinUp
      observations[at] = state[at] = x
      observations[at + 1] = state[at + 1] = xDot
      observations[at + 2] = state[at + 2] = theta
      observations[at + 3] = state[at + 3] = thetaDot
      rewards[row] = 1
      terminated[row] = x < -POSITION_LIMIT || x > POSITION_LIMIT || theta < -ANGLE_LIMIT || theta > ANGLE_LIMIT ? 1 : 0
    }
  }

  render(row: number): Picture {
    const x = this.state[row * 4]!
    const angle = this.state[row * 4 + 2]!
    return {
      left: -2.4,
      right: 2.4,
      bottom: -0.6,
      top: 1.4,
      background: 0xffffff,
      shapes: [
        {
          kind: 'line',
          points: [
            [-2.4, 0],
            [2.4, 0],
          ],
          width: 0.02,
          colour: 0x000000,
        },
        box(x - 0.25, -0.15, x + 0.25, 0.15, 0x404040),
        {
          kind: 'line',
          points: [
            [x, 0.1],
            [x + 2 * LENGTH * sin(angle), 0.1 + 2 * LENGTH * cos(angle)],
          ],
          width: 0.08,
          colour: 0xca9865,
        },
        { kind: 'circle', x, y: 0.1, radius: 0.05, colour: 0x8184cb },
      ],
    }
  }
}
