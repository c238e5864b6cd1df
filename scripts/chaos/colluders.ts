/**
 * Cases of peers that send valid frames and mean ill, in simulations of the very core that daemons run: what the honest peers' returns are beside
 * those of a clean swarm of the same seed. Attackers know the honest replicas and each other.
 */
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'
import type { Case } from './case.ts'
import type { Lab } from './lab.ts'

const NODES = 10
const ROUNDS = 60
const SEEDS = 5

interface Outcome {
  /** Of the honest peers. */
  readonly returnMean: number
  readonly finite: boolean
  /** Relative to the size of the parameters, at the end. */
  readonly consensusDistance: number
  /** What honest peers mixed of attackers, and refused of them. */
  readonly mixed: number
  readonly refused: number
  readonly muted: number
}

async function attacked(seed: number, attackers: number, kind: string): Promise<Outcome> {
  const honest = NODES - attackers
  const hostile = attackers === 0 ? {} : { hostile: `${attackers}:${kind}` }
  const settings = resolveSimulation({ nodes: String(NODES), rounds: String(ROUNDS), seed: String(seed), ...hostile })
  const enemies = new Set<string>()
  let [mixed, refused, muted] = [0, 0, 0]
  let finite = true
  const { summary } = await runSimulation(settings, {
    onSwarm: (nodes) => {
      for (const { id } of nodes.slice(honest)) enemies.add(id)
    },
    onEvent: (event) => {
      if (event.node >= honest) return
      if (event.event === 'mix' && enemies.has(event.with)) mixed++
      if (event.event === 'refused' && enemies.has(event.peer)) refused++
      if (event.event === 'warning' && event.code === 'muted') muted++
    },
    onRound: (_round, _curves, replicas) => {
      finite &&= replicas.slice(0, honest).every((replica) => replica.every(Number.isFinite))
    },
  })
  const returns = summary.returns.slice(0, honest).map((value) => value ?? 0)
  const returnMean = returns.reduce((sum, value) => sum + value, 0) / honest
  return { returnMean, finite, consensusDistance: summary.consensusDistance.at(-1) ?? Number.NaN, mixed, refused, muted }
}

/** Shares of the clean runs' return by seed. `least`: asked of each; null: told only. */
async function compare(lab: Lab, kind: string, attackers: number, least: number | null): Promise<void> {
  const runs: Outcome[] = []
  const shares: number[] = []
  for (let seed = lab.seed; seed < lab.seed + SEEDS; seed++) {
    clean.set(seed, clean.get(seed) ?? (await attacked(seed, 0, '')))
    const run = await attacked(seed, attackers, kind)
    runs.push(run)
    shares.push(Math.round((1_000 * run.returnMean) / clean.get(seed)!.returnMean) / 1_000)
    lab.injected += run.mixed + run.refused
  }
  const name = `${kind}, ${attackers} of ${NODES}`
  const told = { shares, mixed: sum(runs, 'mixed'), refused: sum(runs, 'refused'), muted: sum(runs, 'muted') }
  const what =
    least === null ? 'return beside the clean swarm (told, not promised)' : `every seed keeps ${least} of the clean swarm's return`
  lab.check(`${name}: ${what}`, least === null || Math.min(...shares) >= least, told)
  lab.check(
    `${name}: I2: all honest replicas are finite, all the while`,
    runs.every(({ finite }) => finite),
  )
  lab.check(
    `${name}: I5: their frames arrived in every run`,
    runs.every(({ mixed, refused }) => mixed + refused > 0),
  )
  const drifts = runs.map(({ consensusDistance }) => consensusDistance)
  lab.check(`${name}: honest replicas stay together`, Math.max(...drifts) <= 1, drifts.map((drift) => drift.toPrecision(2)).join(' '))
}

const clean = new Map<number, Outcome>()

function sum(runs: readonly Outcome[], what: 'mixed' | 'refused' | 'muted'): number {
  return runs.reduce((total, run) => total + run[what], 0)
}

export const COLLUDERS: readonly Case[] = [
  {
    number: 3,
    title: 'parameters with their sign turned, by 2 and by 4 of 10 peers',
    run: async (lab) => {
      await compare(lab, 'sign-flip', 2, 0.95)
      await compare(lab, 'sign-flip', 4, null)
    },
  },
  {
    number: 4,
    title: 'colluders who see the honest replicas: inner product, a little is enough, one direction; 2 of 10 peers',
    run: async (lab) => {
      for (const kind of ['inner-product', 'alie', 'sybil']) await compare(lab, kind, 2, null)
    },
  },
]
