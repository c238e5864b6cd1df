/**
 * LunarLander-v3 and LunarLanderContinuous-v3: land between the flags. The rules are Gymnasium's; the physics is planck's, so returns have
 * the same distribution but episodes differ. Reward: the gain in shaping (nearer, slower, more upright, legs down) minus fuel; -100 for a
 * crash or for leaving sideways, +100 at rest. Discrete actions: nothing, left engine, main engine, right engine; continuous: main
 * (fires above 0) and sides (fire beyond +-0.5). Observations are clipped to their space, which Gymnasium's can leave.
 */
import { Pcg64Rows } from '../pcg64.ts'
import { box, type Picture } from '../picture.ts'
import type { Rows } from '../rows.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'
import { HEIGHT, LanderWorld, PAD_HEIGHT, WIDTH } from './lander-world.ts'

const BOUNDS = [2.5, 2.5, 10, 10, 2 * Math.PI, 10, 1, 1]
const NUMBERS = 8
const MAIN_COST = 0.3
const SIDE_COST = 0.03
const CRASH_REWARD = -100
const REST_REWARD = 100

export class LanderRows implements Rows {
  readonly count: number
  readonly agents = 1
  readonly observationSpace = boxSpace(
    [NUMBERS],
    BOUNDS.map((bound, i) => (i < 6 ? -bound : 0)),
    BOUNDS,
  )
  readonly actionSpace: Space
  /** The worlds live in the physics engine, which cannot be saved. */
  readonly memory = null
  readonly #streams: Pcg64Rows
  readonly #worlds: readonly LanderWorld[]
  /** [count, 8] */
  readonly #state: Float64Array
  readonly #shaping: Float64Array
  #ignored: Uint8Array | null = null

  constructor(count: number, continuous: boolean) {
    this.count = count
    this.actionSpace = continuous ? boxSpace([2], -1, 1) : { kind: 'discrete', n: 4 }
    const streams = new Pcg64Rows(count)
    this.#streams = streams
    this.#worlds = Array.from({ length: count }, (_, row) => new LanderWorld((low, high) => streams.uniform(row, low, high)))
    this.#state = new Float64Array(count * NUMBERS)
    this.#shaping = new Float64Array(count)
  }

  seed(row: number, seed: number): void {
    this.#streams.seed(row, seed)
  }

  ignore(flags: Uint8Array | null): void {
    this.#ignored = flags
  }

  /** As in Gymnasium an episode begins with one step of no action. */
  begin(row: number): void {
    const world = this.#worlds[row]!
    world.build()
    world.step(0, 0)
    this.#shaping[row] = this.#look(row)
  }

  /** Reads the state and returns its shaping. */
  #look(row: number): number {
    const state = this.#state.subarray(row * NUMBERS, (row + 1) * NUMBERS)
    this.#worlds[row]!.read(state)
    const [x, y, vx, vy, angle, , left, right] = state
    return -100 * Math.sqrt(x! * x! + y! * y!) - 100 * Math.sqrt(vx! * vx! + vy! * vy!) - 100 * Math.abs(angle!) + 10 * left! + 10 * right!
  }

  observe(row: number, out: Float32Array, at: number): void {
    for (let i = 0; i < NUMBERS; i++) {
      const bound = BOUNDS[i]!
      out[at + i] = Math.max(-bound, Math.min(bound, this.#state[row * NUMBERS + i]!))
    }
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    const discrete = this.actionSpace.kind === 'discrete'
    for (let row = 0; row < this.count; row++) {
      if (this.#ignored?.[row] === 1) {
        rewards[row] = 0
        terminated[row] = 0
        continue
      }
      const world = this.#worlds[row]!
      const action = actions[row]!
      const main = discrete ? (action === 2 ? 1 : 0) : mainPower(actions[2 * row]!)
      const side = discrete ? (action === 1 ? -1 : action === 3 ? 1 : 0) : sidePower(actions[2 * row + 1]!)
      world.step(main, side)
      const shaping = this.#look(row)
      let reward = shaping - this.#shaping[row]! - MAIN_COST * main - SIDE_COST * Math.abs(side)
      this.#shaping[row] = shaping
      const lost = world.crashed || Math.abs(this.#state[row * NUMBERS]!) >= 1
      if (lost) reward = CRASH_REWARD
      if (world.asleep) reward = REST_REWARD
      rewards[row] = reward
      terminated[row] = lost || world.asleep ? 1 : 0
      this.observe(row, observations, row * NUMBERS)
    }
  }

  render(row: number): Picture {
    const world = this.#worlds[row]!
    const flag = (x: number): Picture['shapes'] => [
      {
        kind: 'line',
        points: [
          [x, PAD_HEIGHT],
          [x, PAD_HEIGHT + 1.6],
        ],
        width: 0.06,
        colour: 0xffffff,
      },
      box(x, PAD_HEIGHT + 1.2, x + 0.8, PAD_HEIGHT + 1.6, 0xcccc00),
    ]
    return {
      left: 0,
      right: WIDTH,
      bottom: 0,
      top: HEIGHT,
      background: 0x000000,
      shapes: [
        { kind: 'polygon', points: [[0, 0], ...world.terrain, [WIDTH, 0]], colour: 0xe0e0e0 },
        ...flag(WIDTH / 2 - 2),
        ...flag(WIDTH / 2 + 2),
        ...world.outlines().map((points) => ({ kind: 'polygon' as const, points, colour: 0x8066e6 })),
      ],
    }
  }
}

/** Continuous main engine: off at 0 and below, then from half to full power. */
function mainPower(action: number): number {
  return action > 0 ? (Math.min(action, 1) + 1) / 2 : 0
}

/** Continuous side engines: off up to half, then as given. */
function sidePower(action: number): number {
  return Math.abs(action) > 0.5 ? Math.max(-1, Math.min(1, action)) : 0
}
