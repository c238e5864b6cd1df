/**
 * `npm run bench -- partition [--seeds N] [--nodes N] [--rounds N] [--algo A] [--strategy S]`: eight free-running peers learn CartPole-v1; after 100
 * rounds they fall into two halves for 500 rounds, then the network is whole again. A line of JSON for each seed: consensus distance before, at the
 * end of the partition and 25 rounds after it, and the returns of both halves at its end and of all 100 rounds later.
 */
import { parseArgs } from 'node:util'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

const BEFORE = 100
const HEALING = 25
const AFTER = 100
/** Rounds over which a distance is averaged: that of one moment is noise. */
const WINDOW = 10
/** Virtual milliseconds of a round. */
const ROUND_MS = 20

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '3' },
      nodes: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '500' },
      algo: { type: 'string', default: 'a2c' },
      strategy: { type: 'string', default: 'auto' },
    },
  })
  const { algo, strategy } = values
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    console.log(
      JSON.stringify({ algo, strategy, ...(await healed(Number(values.nodes), Number(values.rounds), { algo, strategy, seed })) }),
    )
  }
}

async function healed(nodes: number, apart: number, flags: Readonly<Record<string, unknown>>): Promise<object> {
  const half = nodes / 2
  const healedAt = BEFORE + apart
  const period = 10
  const scenario = [{ at: `${BEFORE * ROUND_MS}ms`, do: 'partition', peers: `0-${half - 1}`, for: `${apart * ROUND_MS}ms` }]
  const settings = { ...flags, nodes, rounds: healedAt + AFTER, period, 'update-time': `${ROUND_MS / period}ms`, latency: '2ms', scenario }
  const latest: (number | null)[] = Array.from({ length: nodes }, () => null)
  let halves: readonly number[] = []
  const { curves } = await runSimulation(resolveSimulation(settings), {
    onEvent: (event) => {
      if (event.event === 'stats') latest[event.node] = event.returnMean
    },
    onRound: (round) => {
      if (round === healedAt) halves = [meanReturn(latest.slice(0, half)), meanReturn(latest.slice(half))]
    },
  })
  const distances = curves.consensusDistance
  const around = (round: number) => distances.slice(round - WINDOW, round).reduce((sum, distance) => sum + distance, 0) / WINDOW
  const merged = curves.returnMean.at(-1) ?? null
  return {
    seed: flags.seed,
    nodes,
    distanceBefore: around(BEFORE),
    distanceApart: around(healedAt),
    farthestApart: Math.max(...distances.slice(BEFORE, healedAt)),
    distanceHealed: around(healedAt + HEALING + WINDOW),
    distanceOverBefore: around(healedAt + HEALING + WINDOW) / around(BEFORE),
    returnsOfHalves: halves,
    returnMerged: merged,
    returnOverBetterHalf: merged === null ? null : merged / Math.max(...halves),
  }
}

function meanReturn(returns: readonly (number | null)[]): number {
  const known = returns.filter((value) => value !== null)
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
