/**
 * CartPole-v1 as in Gymnasium (Barto, Sutton and Anderson 1983): push a cart left or right to keep a pole upright. Reward 1 for every step,
 * the last included; over when the cart leaves +-2.4 or the pole +-12 degrees. Explicit Euler, positions from the old velocities, float64.
 */
import { cos, cosSmall, sin, sinSmall } from '../../util/maths.ts'
import { type NumberOption, readNumbers } from '../options.ts'
import { box, type Picture } from '../picture.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'
import { ClassicRows } from './classic-rows.ts'

/** The physics, which Gymnasium fixes to the initial numbers. */
export const CARTPOLE_OPTIONS = {
  gravity: { initial: 9.8, min: 0, max: 1_000, meaning: 'acceleration, m/s²' },
  cartMass: { initial: 1, min: 0.001, max: 1_000, meaning: 'of the cart, kg' },
  poleMass: { initial: 0.1, min: 0.001, max: 1_000, meaning: 'of the pole, kg' },
  length: { initial: 0.5, min: 0.01, max: 100, meaning: 'half of the pole, m' },
  force: { initial: 10, min: 0.01, max: 1_000, meaning: 'of a push, N' },
  tau: { initial: 0.02, min: 0.0001, max: 0.1, meaning: 'time of a step, s' },
} as const satisfies Readonly<Record<string, NumberOption>>

type Physics = Readonly<Record<keyof typeof CARTPOLE_OPTIONS, number>>

const PHYSICS: Physics = readNumbers('CartPole-v1', {}, CARTPOLE_OPTIONS)

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

  readonly #physics: Physics

  constructor(count: number, physics = PHYSICS) {
    super(count, 4)
    this.#physics = physics
  }

  begin(row: number): void {
    for (let i = 0; i < 4; i++) this.state[row * 4 + i] = this.streams.uniform(row, -0.05, 0.05)
  }

  observe(row: number, out: Float32Array, at: number): void {
    for (let i = 0; i < 4; i++) out[at + i] = this.state[row * 4 + i]!
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    const { gravity, cartMass, poleMass, length, force: strength, tau } = this.#physics
    const totalMass = poleMass + cartMass
    const poleMassLength = poleMass * length
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const position = state[at]!
      const velocity = state[at + 1]!
      const angle = state[at + 2]!
      const spin = state[at + 3]!
      const small = angle < SMALL_ANGLE && angle > -SMALL_ANGLE
      const sine = small ? sinSmall(angle) : sin(angle)
      const cosine = small ? cosSmall(angle) : cos(angle)
      const force = actions[row] === 1 ? strength : -strength
      const push = (force + poleMassLength * (spin * spin) * sine) / totalMass
      const spinUp = (gravity * sine - cosine * push) / (length * (FOUR_THIRDS - (poleMass * (cosine * cosine)) / totalMass))
      const speedUp = push - (poleMassLength * spinUp * cosine) / totalMass
      const x = position + tau * velocity
      const xDot = velocity + tau * speedUp
      const theta = angle + tau * spin
      const thetaDot = spin + tau * spinUp
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
    const { length } = this.#physics
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
            [x + 2 * length * sin(angle), 0.1 + 2 * length * cos(angle)],
          ],
          width: 0.08,
          colour: 0xca9865,
        },
        { kind: 'circle', x, y: 0.1, radius: 0.05, colour: 0x8184cb },
      ],
    }
  }
}
