/** One cell of a swarm study: simulates one swarm until it holds the threshold, or its steps are over. */
import { findEnvironment, makeVectorEnv } from '../../../src/envs/registry.ts'
import { wrapVector } from '../../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../../src/learn/engines/create.ts'
import { Evaluator } from '../../../src/learn/evaluate.ts'
import { preset, presetNetwork } from '../../../src/learn/presets.ts'
import { resolveSimulation } from '../../../src/sim/options.ts'
import { runSimulation } from '../../../src/sim/simulate.ts'
import { SUSTAINED_EPISODES, Sustained } from '../learn/sustained.ts'

export interface Cell {
  readonly algo: string
  readonly env: string
  readonly nodes: number
  readonly seed: number
  /** Flags of `simulate` beside these; those that begin with `set.` are assignments of --set. */
  readonly flags: Readonly<Record<string, string>>
  /** Environment steps of each peer at most. */
  readonly steps: number
  /** Environment steps of a peer between evaluations; never less than a round. */
  readonly evalEvery: number
  /** null: the environment's. */
  readonly threshold: number | null
}

export interface CellResult {
  readonly cell: Cell
  /** Environment steps of each peer when the threshold was held; null: never. */
  readonly sustained: number | null
  readonly steps: number
  /** Sent by all peers. */
  readonly bytes: number
  /** Mean of the last eight evaluations. */
  readonly finalReturn: number
  readonly rounds: number
}

/** Seeds of evaluations: far from those of training. */
const EVALUATION_SEED = 1_000_000

export function nameOf(cell: Cell): string {
  return JSON.stringify(cell)
}

export async function runCell(cell: Cell): Promise<CellResult> {
  const { algo, env, nodes, seed, steps, evalEvery } = cell
  const flags = Object.entries(cell.flags)
  const settings = resolveSimulation({
    algo,
    env,
    nodes,
    seed,
    rounds: 1_000_000,
    ...Object.fromEntries(flags.filter(([name]) => !name.startsWith('set.'))),
    set: flags.filter(([name]) => name.startsWith('set.')).map(([name, value]) => `${name.slice(4)}=${value}`),
  })
  const { run } = settings.peer
  if (!('found' in run)) throw new Error('a study founds its runs')
  const { wrappers = [], network } = preset(run.found.algorithm, env, run.found.preset)
  const environment = wrapVector(makeVectorEnv(env, SUSTAINED_EPISODES), wrappers)
  if (environment.moments.length > 0) throw new Error(`${env} normalises in this preset, which the study does not evaluate`)
  const threshold = cell.threshold ?? settings.peer.threshold ?? makeThreshold(env)
  const evaluator = new Evaluator(
    environment,
    presetNetwork(run.found.algorithm, network, env, {}, wrappers),
    await createEngine('wasm', { deterministic: true }),
  )
  const returns = new Sustained(threshold)
  const over = new AbortController()
  let sustained: number | null = null
  const { summary, curves } = await runSimulation(settings, {
    signal: over.signal,
    onRound(round, { steps: total }, replicas) {
      const own = total.at(-1)! / nodes
      if (round > 0 && own >= (returns.evaluations.length + 1) * evalEvery) {
        const index = returns.evaluations.length
        const replica = { parameters: replicas[index % nodes]!, normalisers: [] }
        const { mean } = evaluator.evaluate(replica, {
          episodes: SUSTAINED_EPISODES,
          deterministic: false,
          seed: EVALUATION_SEED * (seed + 1) + 1_000 * index,
        })
        if (returns.add(own, mean)) sustained = own
      }
      if (sustained !== null || own >= steps) over.abort()
    },
  })
  const last = returns.evaluations.slice(-8).map(([, value]) => value)
  return {
    cell,
    sustained,
    steps: curves.steps.at(-1)! / nodes,
    bytes: summary.bytes,
    finalReturn: last.reduce((sum, value) => sum + value, 0) / last.length,
    rounds: summary.rounds,
  }
}

function makeThreshold(env: string): number {
  const { threshold } = findEnvironment(env)
  if (threshold === null) throw new Error(`${env} has no threshold of its own; give --threshold.`)
  return threshold
}
