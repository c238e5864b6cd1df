/**
 * MountainCar-v0 and MountainCarContinuous-v0 as in Gymnasium (Moore 1990): an underpowered car must rock out of a valley. Velocity first,
 * then position. Discrete: -1 a step until the flag at 0.5, float64. Continuous: 100 at the flag at 0.45, minus 0.1 a^2 for the action as it
 * was given; Gymnasium stores its state as float32, so everything after the first step is float32 arithmetic.
 */
import { cos, sin } from '../../util/maths.ts'
import type { Picture } from '../picture.ts'
import { boxSpace } from '../spaces.ts'
import type { BoxSpace, Space } from '../types.ts'
import { ClassicRows } from './classic-rows.ts'

const LEFT = -1.2
const RIGHT = 0.6
const SPEED_LIMIT = 0.07
const FORCE = 0.001
const GRAVITY = 0.0025
const GOAL = 0.5
const GOAL_CONTINUOUS = 0.45
const POWER = 0.0015
const GOAL_REWARD = 100

const f32 = Math.fround
const LEFT_32 = f32(LEFT)
const RIGHT_32 = f32(RIGHT)
const SPEED_LIMIT_32 = f32(SPEED_LIMIT)
const GOAL_CONTINUOUS_32 = f32(GOAL_CONTINUOUS)
const POWER_32 = f32(POWER)

/** State: position, velocity. */
abstract class MountainRows extends ClassicRows {
  readonly observationSpace: BoxSpace = boxSpace([2], [LEFT, -SPEED_LIMIT], [RIGHT, SPEED_LIMIT])

  begin(row: number): void {
    this.state[row * 2] = this.streams.uniform(row, -0.6, -0.4)
    this.state[row * 2 + 1] = 0
  }

  observe(row: number, out: Float32Array, at: number): void {
    out[at] = this.state[row * 2]!
    out[at + 1] = this.state[row * 2 + 1]!
  }

  protected picture(row: number, goal: number): Picture {
    const height = (x: number): number => 0.45 * sin(3 * x) + 0.55
    const x = this.state[row * 2]!
    const hill = Array.from({ length: 61 }, (_, i) => LEFT + (i * (RIGHT - LEFT)) / 60)
    return {
      left: LEFT,
      right: RIGHT,
      bottom: 0,
      top: 1.2,
      background: 0xffffff,
      shapes: [
        { kind: 'line', points: hill.map((at) => [at, height(at)] as const), width: 0.01, colour: 0x000000 },
        {
          kind: 'line',
          points: [
            [goal, height(goal)],
            [goal, height(goal) + 0.15],
          ],
          width: 0.008,
          colour: 0x000000,
        },
        {
          kind: 'polygon',
          points: [
            [goal, height(goal) + 0.15],
            [goal, height(goal) + 0.1],
            [goal + 0.08, height(goal) + 0.125],
          ],
          colour: 0xcccc00,
        },
        { kind: 'circle', x, y: height(x) + 0.04, radius: 0.04, colour: 0x404040 },
      ],
    }
  }
}

export class MountainCarRows extends MountainRows {
  readonly actionSpace: Space = { kind: 'discrete', n: 3 }

  constructor(count: number) {
    super(count, 2)
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    for (let row = 0, at = 0; row < count; row++, at += 2) {
      let position = state[at]!
      let velocity = state[at + 1]! + ((actions[row]! - 1) * FORCE + cos(3 * position) * -GRAVITY)
      if (velocity > SPEED_LIMIT) velocity = SPEED_LIMIT
      else if (velocity < -SPEED_LIMIT) velocity = -SPEED_LIMIT
      position += velocity
      if (position > RIGHT) position = RIGHT
      else if (position <= LEFT) {
        position = LEFT
        if (velocity < 0) velocity = 0
      }
      observations[at] = state[at] = position
      observations[at + 1] = state[at + 1] = velocity
      rewards[row] = -1
      terminated[row] = position >= GOAL && velocity >= 0 ? 1 : 0
    }
  }

  render(row: number): Picture {
    return this.picture(row, GOAL)
  }
}

export class MountainCarContinuousRows extends MountainRows {
  readonly actionSpace: Space = boxSpace([1], -1, 1)
  /** 1 before the first step of an episode, while the state is still float64. */
  readonly #fresh: Uint8Array
  readonly #rewards: Float64Array

  constructor(count: number) {
    const fresh = new Uint8Array(count)
    super(count, 2, [fresh])
    this.#fresh = fresh
    this.#rewards = new Float64Array(count)
  }

  override begin(row: number): void {
    super.begin(row)
    this.#fresh[row] = 1
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const { state, count } = this
    const fresh = this.#fresh
    for (let row = 0, at = 0; row < count; row++, at += 2) {
      let position = state[at]!
      let velocity = state[at + 1]!
      const action = actions[row]!
      const start = fresh[row] === 1
      const slope = GRAVITY * cos(start ? 3 * position : f32(3 * position))
      // A force inside the bounds is a float32 in NumPy, a clipped one a Python float.
      const change = action < -1 ? -POWER - slope : action > 1 ? POWER - slope : f32(f32(action * POWER_32) - f32(slope))
      velocity = start ? velocity + change : f32(velocity + f32(change))
      if (velocity > SPEED_LIMIT_32) velocity = SPEED_LIMIT_32
      else if (velocity < -SPEED_LIMIT_32) velocity = -SPEED_LIMIT_32
      position = start ? position + velocity : f32(position + velocity)
      if (position > RIGHT_32) position = RIGHT_32
      else if (position <= LEFT_32) {
        position = LEFT_32
        if (velocity < 0) velocity = 0
      }
      const goal = position >= GOAL_CONTINUOUS_32 && velocity >= 0
      fresh[row] = 0
      observations[at] = state[at] = f32(position)
      observations[at + 1] = state[at + 1] = f32(velocity)
      rewards[row] = this.#rewards[row] = (goal ? GOAL_REWARD : 0) - action * action * 0.1
      terminated[row] = goal ? 1 : 0
    }
  }

  reward(row: number): number {
    return this.#rewards[row]!
  }

  render(row: number): Picture {
    return this.picture(row, GOAL_CONTINUOUS)
  }
}
