/**
 * The scalar form of Spread-v0: the world as the first agent's own, its two companions following the heuristic. So its spaces are those of
 * a row of the vector form, and a policy trained there plays here.
 */
import type { Rows } from '../rows.ts'
import { sizeOf } from '../spaces.ts'
import { coverLandmark } from './heuristic.ts'
import { AGENTS, SpreadRows } from './spread.ts'

export function withCompanions(): Rows {
  const rows = new SpreadRows(1)
  const width = sizeOf(rows.observationSpace)
  const observations = new Float32Array(AGENTS * width)
  const rewards = new Float32Array(AGENTS)
  const terminated = new Uint8Array(AGENTS)
  const actions = new Int32Array(AGENTS)
  return {
    count: 1,
    agents: 1,
    observationSpace: rows.observationSpace,
    actionSpace: rows.actionSpace,
    memory: rows.memory,
    seed: (_row, seed) => rows.seed(0, seed),
    begin: () => rows.begin(0),
    observe: (_row, out, at) => rows.observe(0, out, at),
    step(given, out, reward, over) {
      actions[0] = given[0]!
      for (let agent = 1; agent < AGENTS; agent++) {
        rows.observe(agent, observations, agent * width)
        actions[agent] = coverLandmark(observations, agent * width)
      }
      rows.step(actions, observations, rewards, terminated)
      rows.observe(0, out, 0)
      reward[0] = rewards[0]!
      over[0] = terminated[0]!
    },
    render: () => rows.render(0),
  }
}
