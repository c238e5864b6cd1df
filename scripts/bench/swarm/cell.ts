/** One cell of a swarm study: simulates one swarm until it holds the threshold, or its steps are over. */
import { findEnvironment, makeVectorEnv } from '../../../src/envs/registry.ts'
import { wrapVector } from '../../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../../src/learn/engines/create.ts'
import { Evaluator } from '../../../src/learn/evaluate.ts'
import { preset, presetNetwork } from '../../../src/learn/presets.ts'
import type { Progress } from '../../../src/ports/learner.ts'
import type { SimulatedNode } from '../../../src/sim/node.ts'
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
  /** Those of them that one peer and several have in common, where they are compared with flags of their own. */
  readonly study?: Readonly<Record<string, string>>
  /** Environment steps of each peer at most. */
  readonly steps: number
  /** Environment steps of a peer between evaluations, to the next update. */
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
  /** [environment steps of each peer, mean return] of every evaluation, whole numbers of steps and hundredths. */
  readonly curve: readonly (readonly [number, number])[]
  readonly rounds: number
}

/** Seeds of evaluations: far from those of training. */
const EVALUATION_SEED = 1_000_000

/** NAME=VALUE, as --vary, --alone and --together take it. */
export function assignment(text: string): readonly [string, string] {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new Error(`--vary, --alone and --together take NAME=VALUE, not ${text}`)
  return [name, value]
}

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
  const threshold = cell.threshold ?? settings.peer.threshold ?? makeThreshold(env)
  const evaluator = new Evaluator(
    wrapVector(makeVectorEnv(env, SUSTAINED_EPISODES), wrappers),
    presetNetwork(run.found.algorithm, network, env, {}, wrappers),
    await createEngine('wasm', { deterministic: true }),
  )
  const returns = new Sustained(threshold)
  const over = new AbortController()
  let sustained: number | null = null
  const evaluate = (own: number, node: SimulatedNode, index: number) => {
    const core = node.core!
    const replica = { parameters: node.replica(new Float32Array(core.description.parameterCount)), normalisers: core.normalisers().all }
    const options = { episodes: SUSTAINED_EPISODES, deterministic: false, seed: EVALUATION_SEED * (seed + 1) + 1_000 * index }
    if (returns.add(own, evaluator.evaluate(replica, options).mean)) sustained = own
  }
  let updatesToGo = 1
  const look = (peers: readonly SimulatedNode[]) => {
    if (over.signal.aborted) return
    const own = meanOf(peers, ({ steps }) => steps)
    const index = returns.evaluations.length
    if (own >= (index + 1) * evalEvery) evaluate(own, peers[index % nodes]!, index)
    const stepsToGo = (returns.evaluations.length + 1) * evalEvery - own
    updatesToGo = Math.ceil((stepsToGo * meanOf(peers, ({ updates }) => updates)) / Math.max(1, own))
    if (sustained === null && own < steps) return
    over.abort()
    updatesToGo = Number.POSITIVE_INFINITY
  }
  const { summary, curves } = await runSimulation(settings, { signal: over.signal, between: { updates: () => updatesToGo, look } })
  const last = returns.evaluations.slice(-8).map(([, value]) => value)
  return {
    cell,
    sustained,
    steps: curves.steps.at(-1)! / nodes,
    bytes: summary.bytes,
    finalReturn: last.reduce((sum, value) => sum + value, 0) / last.length,
    curve: returns.evaluations.map(([own, value]) => [Math.round(own), Math.round(100 * value) / 100]),
    rounds: summary.rounds,
  }
}

function meanOf(peers: readonly SimulatedNode[], value: (progress: Progress) => number): number {
  return peers.reduce((sum, { core }) => sum + value(core!.progress(false, null)), 0) / peers.length
}

/** The environment's. Throws where it has none. */
export function makeThreshold(env: string): number {
  const { threshold } = findEnvironment(env)
  if (threshold === null) throw new Error(`${env} has no threshold of its own; give --threshold.`)
  return threshold
}
