/**
 * The scalar form of Spread-v0: all agents of one world as a single player, whose observation is theirs one after another, whose action
 * number has one base-5 digit for each agent (the first agent's the lowest), and whose reward is the shared one.
 */
import type { Rows } from '../rows.ts'
import { boxSpace, sizeOf } from '../spaces.ts'
import type { BoxSpace, Space } from '../types.ts'

/** `rows` with the agents of each world joined into one row. */
export function joined(rows: Rows): Rows {
  const { agents, memory } = rows
  const width = sizeOf(rows.observationSpace)
  const count = rows.count / agents
  const { low, high } = rows.observationSpace
  const repeat = (bound: Float32Array): number[] => Array.from({ length: agents }, () => [...bound]).flat()
  const observationSpace: BoxSpace = boxSpace([agents * width], repeat(low), repeat(high))
  const base = rows.actionSpace.kind === 'discrete' ? rows.actionSpace.n : 1
  const actionSpace: Space = { kind: 'discrete', n: new Array<number>(agents).fill(base).reduce((a, b) => a * b) }
  const actions = new Int32Array(rows.count)
  const rewards = new Float32Array(rows.count)
  const terminated = new Uint8Array(rows.count)
  return {
    count,
    agents: 1,
    observationSpace,
    actionSpace,
    memory,
    seed: (row, seed) => rows.seed(row * agents, seed),
    begin: (row) => rows.begin(row * agents),
    observe(row, out, at) {
      for (let agent = 0; agent < agents; agent++) rows.observe(row * agents + agent, out, at + agent * width)
    },
    step(given, observations, rewardsOut, terminatedOut) {
      for (let row = 0; row < count; row++) {
        for (let agent = 0, rest = given[row]!; agent < agents; agent++, rest = Math.floor(rest / base))
          actions[row * agents + agent] = rest % base
      }
      rows.step(actions, observations, rewards, terminated)
      for (let row = 0; row < count; row++) {
        rewardsOut[row] = rewards[row * agents]!
        terminatedOut[row] = terminated[row * agents]!
      }
    },
    render: (row) => rows.render(row * agents),
  }
}
