/**
 * Acrobot-v1 as in Gymnasium (Sutton 1996, dynamics of the book): two links, torque -1, 0 or +1 on the joint between them. -1 a step, 0 on
 * the one that lifts the tip a link above the pivot. One Runge-Kutta step of 0.2 s, float64 (the first state of an episode is float32).
 */
import { cos, sin } from '../../util/maths.ts'
import type { Picture } from '../picture.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'
import { ClassicRows } from './classic-rows.ts'

const TAU = 0.2
const GRAVITY = 9.8
/** Both links: mass 1, length 1, centre of mass at 0.5, moment of inertia 1. */
const CENTRE = 0.5
const SPEED_1 = 4 * Math.PI
const SPEED_2 = 9 * Math.PI
const HALF_PI = Math.PI / 2
const TWO_PI = 2 * Math.PI
const BOUNDS = [1, 1, 1, 1, SPEED_1, SPEED_2]

/** State: both angles (the second relative to the first, 0 hanging), both angular velocities. */
export class AcrobotRows extends ClassicRows {
  readonly observationSpace = boxSpace(
    [6],
    BOUNDS.map((bound) => -bound),
    BOUNDS,
  )
  readonly actionSpace: Space = { kind: 'discrete', n: 3 }
  /** Accelerations of the last call of `#accelerate`. */
  #acceleration1 = 0
  #acceleration2 = 0

  constructor(count: number) {
    super(count, 4)
  }

  begin(row: number): void {
    for (let i = 0; i < 4; i++) this.state[row * 4 + i] = Math.fround(this.streams.uniform(row, -0.1, 0.1))
  }

  observe(row: number, out: Float32Array, at: number): void {
    const from = row * 4
    const angle1 = this.state[from]!
    const angle2 = this.state[from + 1]!
    out[at] = cos(angle1)
    out[at + 1] = sin(angle1)
    out[at + 2] = cos(angle2)
    out[at + 3] = sin(angle2)
    out[at + 4] = this.state[from + 2]!
    out[at + 5] = this.state[from + 3]!
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const torque = actions[row]! - 1
      const a = state[at]!
      const b = state[at + 1]!
      const v = state[at + 2]!
      const w = state[at + 3]!
      // Runge-Kutta: v1..v4 and w1..w4 are the slopes of the angles, p1..p4 and q1..q4 those of the velocities.
      this.#accelerate(a, b, v, w, torque)
      const p1 = this.#acceleration1
      const q1 = this.#acceleration2
      const half = TAU / 2
      const v2 = v + half * p1
      const w2 = w + half * q1
      this.#accelerate(a + half * v, b + half * w, v2, w2, torque)
      const p2 = this.#acceleration1
      const q2 = this.#acceleration2
      const v3 = v + half * p2
      const w3 = w + half * q2
      this.#accelerate(a + half * v2, b + half * w2, v3, w3, torque)
      const p3 = this.#acceleration1
      const q3 = this.#acceleration2
      const v4 = v + TAU * p3
      const w4 = w + TAU * q3
      this.#accelerate(a + TAU * v3, b + TAU * w3, v4, w4, torque)
      const sixth = TAU / 6
      const angle1 = wrap(a + sixth * (v + 2 * v2 + 2 * v3 + v4))
      const angle2 = wrap(b + sixth * (w + 2 * w2 + 2 * w3 + w4))
      state[at] = angle1
      state[at + 1] = angle2
      state[at + 2] = clamp(v + sixth * (p1 + 2 * p2 + 2 * p3 + this.#acceleration1), SPEED_1)
      state[at + 3] = clamp(w + sixth * (q1 + 2 * q2 + 2 * q3 + this.#acceleration2), SPEED_2)
      this.observe(row, observations, row * 6)
      const up = -cos(angle1) - cos(angle2 + angle1) > 1
      rewards[row] = up ? 0 : -1
      terminated[row] = up ? 1 : 0
    }
  }

  #accelerate(angle1: number, angle2: number, speed1: number, speed2: number, torque: number): void {
    const cosine = cos(angle2)
    const sine = sin(angle2)
    const d1 = CENTRE * CENTRE + (1 + CENTRE * CENTRE + 2 * CENTRE * cosine) + 2
    const d2 = CENTRE * CENTRE + CENTRE * cosine + 1
    const phi2 = CENTRE * GRAVITY * cos(angle1 + angle2 - HALF_PI)
    const phi1 =
      -CENTRE * (speed2 * speed2) * sine - 2 * CENTRE * speed2 * speed1 * sine + (CENTRE + 1) * GRAVITY * cos(angle1 - HALF_PI) + phi2
    const acceleration2 = (torque + (d2 / d1) * phi1 - CENTRE * (speed1 * speed1) * sine - phi2) / (CENTRE * CENTRE + 1 - (d2 * d2) / d1)
    this.#acceleration2 = acceleration2
    this.#acceleration1 = -(d2 * acceleration2 + phi1) / d1
  }

  render(row: number): Picture {
    const angle1 = this.state[row * 4]!
    const angle2 = angle1 + this.state[row * 4 + 1]!
    const elbow: [number, number] = [sin(angle1), -cos(angle1)]
    const tip: [number, number] = [elbow[0] + sin(angle2), elbow[1] - cos(angle2)]
    return {
      left: -2.2,
      right: 2.2,
      bottom: -2.2,
      top: 2.2,
      background: 0xffffff,
      shapes: [
        {
          kind: 'line',
          points: [
            [-2.2, 1],
            [2.2, 1],
          ],
          width: 0.02,
          colour: 0x000000,
        },
        { kind: 'line', points: [[0, 0], elbow], width: 0.2, colour: 0x00cccc },
        { kind: 'line', points: [elbow, tip], width: 0.2, colour: 0x00cccc },
        { kind: 'circle', x: 0, y: 0, radius: 0.1, colour: 0xcccc00 },
        { kind: 'circle', x: elbow[0], y: elbow[1], radius: 0.1, colour: 0xcccc00 },
      ],
    }
  }
}

function wrap(angle: number): number {
  let wrapped = angle
  while (wrapped > Math.PI) wrapped -= TWO_PI
  while (wrapped < -Math.PI) wrapped += TWO_PI
  return wrapped
}

function clamp(value: number, bound: number): number {
  return Math.max(-bound, Math.min(bound, value))
}
