/**
 * Spread-v0: three agents must cover three landmarks between them, without bumping into each other; a small version of the cooperative
 * navigation of Lowe et al. 2017. One shared policy: every agent is a row, sees the world from where it is, and gets the same reward:
 * minus the sum over landmarks of the distance to the nearest agent, minus 1 for each pair of agents that overlaps. Episodes last 25 steps.
 *
 * Actions: nothing, left, right, down, up. A push changes the velocity by 0.5, after a quarter of it is lost; 0.1 s a step; walls at 1.5.
 * An agent observes its velocity, its position, the landmarks and then the other agents relative to itself, both in a fixed order.
 * Yardsticks over 1,280 episodes: a random policy -56.2, the heuristic (heuristic.ts) -17.3, both +- 0.5.
 */
import type { StateArray } from '../memory.ts'
import { Pcg64Rows } from '../pcg64.ts'
import type { Picture, Shape } from '../picture.ts'
import type { Rows } from '../rows.ts'
import { boxSpace } from '../spaces.ts'
import type { Space } from '../types.ts'

export const AGENTS = 3
const LANDMARKS = 3
/** Position and velocity of each agent, position of each landmark. */
const NUMBERS = 4 * AGENTS + 2 * LANDMARKS
const WIDTH = 4 + 2 * LANDMARKS + 2 * (AGENTS - 1)

const TAU = 0.1
const KEPT_SPEED = 0.75
const PUSH = 0.5
/** Where speed settles under a constant push: 0.5 / (1 - 0.75). */
const SPEED_LIMIT = 2
const WALL = 1.5
/** Landmarks and first positions are uniform in the square of this half side. */
const FIELD = 1
const RADIUS = 0.15
const BUMP_COST = 1
const PUSH_X = [0, -PUSH, PUSH, 0, 0]
const PUSH_Y = [0, 0, 0, -PUSH, PUSH]

const BOUNDS = Array.from({ length: WIDTH }, (_, i) => {
  if (i < 2) return SPEED_LIMIT
  if (i < 4) return WALL
  return i < 4 + 2 * LANDMARKS ? WALL + FIELD : 2 * WALL
})

/** Rows of `worlds` worlds, three each. */
export class SpreadRows implements Rows {
  readonly count: number
  readonly agents = AGENTS
  readonly observationSpace = boxSpace(
    [WIDTH],
    BOUNDS.map((bound) => -bound),
    BOUNDS,
  )
  readonly actionSpace: Space = { kind: 'discrete', n: PUSH_X.length }
  readonly memory: readonly StateArray[]
  /** [worlds, NUMBERS]: x, y, velocity x and y of each agent, then x, y of each landmark. */
  readonly state: Float64Array
  readonly #worlds: number
  readonly #streams: Pcg64Rows

  constructor(worlds: number) {
    this.count = worlds * AGENTS
    this.#worlds = worlds
    this.state = new Float64Array(worlds * NUMBERS)
    this.#streams = new Pcg64Rows(worlds)
    this.memory = [this.state, this.#streams.words]
  }

  seed(row: number, seed: number): void {
    this.#streams.seed(row / AGENTS, seed)
  }

  begin(row: number): void {
    const world = row / AGENTS
    const at = world * NUMBERS
    for (let i = 0; i < NUMBERS; i++) {
      const velocity = i < 4 * AGENTS && i % 4 >= 2
      this.state[at + i] = velocity ? 0 : this.#streams.uniform(world, -FIELD, FIELD)
    }
  }

  observe(row: number, out: Float32Array, to: number): void {
    const s = this.state
    const own = row % AGENTS
    const at = ((row - own) / AGENTS) * NUMBERS
    const me = at + 4 * own
    const x = s[me]!
    const y = s[me + 1]!
    out[to] = s[me + 2]!
    out[to + 1] = s[me + 3]!
    out[to + 2] = x
    out[to + 3] = y
    let next = to + 4
    for (let i = at + 4 * AGENTS; i < at + NUMBERS; i += 2) {
      out[next++] = s[i]! - x
      out[next++] = s[i + 1]! - y
    }
    for (let other = 0; other < AGENTS; other++) {
      if (other === own) continue
      out[next++] = s[at + 4 * other]! - x
      out[next++] = s[at + 4 * other + 1]! - y
    }
  }

  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void {
    for (let world = 0; world < this.#worlds; world++) {
      const first = world * AGENTS
      for (let agent = 0; agent < AGENTS; agent++) this.#move(world * NUMBERS + 4 * agent, actions[first + agent]!)
      const reward = this.#reward(world * NUMBERS)
      for (let row = first; row < first + AGENTS; row++) {
        rewards[row] = reward
        terminated[row] = 0
        this.observe(row, observations, row * WIDTH)
      }
    }
  }

  #move(agent: number, action: number): void {
    const s = this.state
    for (const [axis, push] of [PUSH_X[action]!, PUSH_Y[action]!].entries()) {
      let speed = s[agent + 2 + axis]! * KEPT_SPEED + push
      let place = s[agent + axis]! + speed * TAU
      if (place < -WALL || place > WALL) {
        place = place < 0 ? -WALL : WALL
        speed = 0
      }
      s[agent + axis] = place
      s[agent + 2 + axis] = speed
    }
  }

  #reward(at: number): number {
    let reward = 0
    for (let landmark = at + 4 * AGENTS; landmark < at + NUMBERS; landmark += 2) {
      let nearest = Number.POSITIVE_INFINITY
      for (let agent = at; agent < at + 4 * AGENTS; agent += 4) nearest = Math.min(nearest, this.#distance(agent, landmark))
      reward -= nearest
    }
    for (let one = at; one < at + 4 * AGENTS; one += 4) {
      for (let two = one + 4; two < at + 4 * AGENTS; two += 4) if (this.#distance(one, two) < 2 * RADIUS) reward -= BUMP_COST
    }
    return reward
  }

  #distance(a: number, b: number): number {
    const dx = this.state[a]! - this.state[b]!
    const dy = this.state[a + 1]! - this.state[b + 1]!
    return Math.sqrt(dx * dx + dy * dy)
  }

  render(row: number): Picture {
    const at = Math.floor(row / AGENTS) * NUMBERS
    const s = this.state
    const shapes: Shape[] = []
    for (let i = at; i < at + 4 * AGENTS; i += 4) shapes.push({ kind: 'circle', x: s[i]!, y: s[i + 1]!, radius: RADIUS, colour: 0x5a7fd6 })
    for (let i = at + 4 * AGENTS; i < at + NUMBERS; i += 2)
      shapes.push({ kind: 'circle', x: s[i]!, y: s[i + 1]!, radius: 0.05, colour: 0x404040 })
    return { left: -WALL, right: WALL, bottom: -WALL, top: WALL, background: 0xffffff, shapes }
  }
}
