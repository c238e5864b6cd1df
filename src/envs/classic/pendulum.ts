/**
 * Pendulum-v1 as in Gymnasium: swing a pendulum up and hold it there with a torque of at most 2. Reward -(angle^2 + 0.1 speed^2 +
 * 0.001 torque^2) from the state before the step; never terminates. float64, but the torque and what is computed of it alone is float32.
 */
import { cos, sin } from '../../util/maths.ts'
import type { Picture } from '../picture.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'
import { ClassicRows } from './classic-rows.ts'

const SPEED_LIMIT = 8
const TORQUE_LIMIT = 2
const TAU = 0.05
/** 3 g / (2 l) with g = 10, l = 1. */
const PULL = 15
/** 3 / (m l^2) with m = l = 1. */
const LEVER = 3
const TWO_PI = 2 * Math.PI
const f32 = Math.fround
const TORQUE_COST = f32(0.001)

/** State: angle from upright (not wrapped), angular velocity. */
export class PendulumRows extends ClassicRows {
  readonly observationSpace = boxSpace([3], [-1, -1, -SPEED_LIMIT], [1, 1, SPEED_LIMIT])
  readonly actionSpace: Space = boxSpace([1], -TORQUE_LIMIT, TORQUE_LIMIT)
  readonly #rewards: Float64Array

  constructor(count: number) {
    super(count, 2)
    this.#rewards = new Float64Array(count)
  }

  begin(row: number): void {
    this.state[row * 2] = this.streams.uniform(row, -Math.PI, Math.PI)
    this.state[row * 2 + 1] = this.streams.uniform(row, -1, 1)
  }

  observe(row: number, out: Float32Array, at: number): void {
    const angle = this.state[row * 2]!
    out[at] = cos(angle)
    out[at + 1] = sin(angle)
    out[at + 2] = this.state[row * 2 + 1]!
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    for (let row = 0, at = 0; row < count; row++, at += 2) {
      const angle = state[at]!
      const speed = state[at + 1]!
      const torque = Math.max(-TORQUE_LIMIT, Math.min(TORQUE_LIMIT, actions[row]!))
      const turned = (angle + Math.PI) % TWO_PI
      const wrapped = (turned < 0 ? turned + TWO_PI : turned) - Math.PI
      rewards[row] = this.#rewards[row] = -(wrapped * wrapped + 0.1 * (speed * speed) + f32(TORQUE_COST * f32(torque * torque)))
      let faster = speed + (PULL * sin(angle) + f32(LEVER * torque)) * TAU
      if (faster > SPEED_LIMIT) faster = SPEED_LIMIT
      else if (faster < -SPEED_LIMIT) faster = -SPEED_LIMIT
      state[at] = angle + faster * TAU
      state[at + 1] = faster
      this.observe(row, observations, row * 3)
      terminated[row] = 0
    }
  }

  reward(row: number): number {
    return this.#rewards[row]!
  }

  render(row: number): Picture {
    const angle = this.state[row * 2]!
    return {
      left: -1.2,
      right: 1.2,
      bottom: -1.2,
      top: 1.2,
      background: 0xffffff,
      shapes: [
        {
          kind: 'line',
          points: [
            [0, 0],
            [sin(angle), cos(angle)],
          ],
          width: 0.2,
          colour: 0xcc4d4d,
        },
        { kind: 'circle', x: 0, y: 0, radius: 0.05, colour: 0x000000 },
      ],
    }
  }
}
