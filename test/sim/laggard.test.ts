import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SimulatedNode } from '../../src/sim/node.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const [FAST, LAGGARD, ATTACKER] = [[0, 2, 3, 4], 1, 5]
const ROUNDS = 300

/** Five learn, one of them 20 times slower, and one attacks: mixes after which each muted another, by "who>whom", and updates of each. */
async function besieged(kind: string) {
  const flags = { nodes: '6', rounds: String(ROUNDS), algo: 'a2c', env: 'CartPole-v1', strategy: 'broadcast', period: '10', seed: '1' }
  const settings = resolveSimulation({ ...flags, slow: '1:20', hostile: `1:${kind}` })
  const mixes = new Map<string, number>()
  const mutedAfter = new Map<string, number>()
  let nodes: readonly SimulatedNode[] = []
  let updates: readonly number[] = []
  const pair = (from: number, whom: string) => `${from}>${nodes.findIndex(({ id }) => whom.includes(id))}`
  await runSimulation(settings, {
    onSwarm(swarm) {
      nodes = swarm
    },
    onRound() {
      updates = nodes.map(({ core }) => core!.progress(false, null).updates)
    },
    onEvent(event) {
      if (event.event === 'mix') mixes.set(pair(event.node, event.with), (mixes.get(pair(event.node, event.with)) ?? 0) + 1)
      if (event.event !== 'warning' || event.code !== 'muted') return
      const muted = pair(event.node, event.message)
      mutedAfter.set(muted, mixes.get(muted) ?? 0)
    },
  })
  return { mixes, mutedAfter, updates }
}

describe('a peer that learns twenty times slower than all others', () => {
  for (const [kind, most] of [
    ['sign-flip', 8],
    ['stale-replay', 12],
  ] as const) {
    test(`is never muted over ${ROUNDS} of their rounds, while a ${kind} beside it is within ${most} mixes of the first`, async () => {
      const { mixes, mutedAfter, updates } = await besieged(kind)
      for (const node of FAST) {
        assert.ok(updates[node]! >= 10 * (ROUNDS - 1) && updates[LAGGARD]! <= updates[node]! / 19, updates.join())
        const after = mutedAfter.get(`${node}>${ATTACKER}`)
        // The first mix may come before a radius and three others are known, and then tells nothing.
        assert.ok(after !== undefined && after <= 1 + most, `${node} muted the attacker after ${after} mixes`)
        assert.ok(mixes.get(`${node}>${LAGGARD}`)! >= 10)
      }
      for (const pair of mutedAfter.keys()) assert.match(pair, new RegExp(`>${ATTACKER}$`))
    })
  }
})
