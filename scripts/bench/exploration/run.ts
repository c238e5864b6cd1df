/** One swarm of one arm and seed, simulated in lock step until most of its peers solve the task, or its steps are over. */
import { findEnvironment, makeVectorEnv, registerEnv } from '../../../src/envs/registry.ts'
import type { EnvironmentSpec, VectorBuffers } from '../../../src/envs/types.ts'
import { wrapVector } from '../../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../../src/learn/engines/create.ts'
import { Evaluator } from '../../../src/learn/evaluate.ts'
import { preset, presetNetwork } from '../../../src/learn/presets.ts'
import type { SimulatedNode } from '../../../src/sim/node.ts'
import { resolveSimulation, type SimulateFlags } from '../../../src/sim/options.ts'
import { runSimulation } from '../../../src/sim/simulate.ts'

/** How the peers of a swarm help each other. */
export interface Arm {
  readonly name: string
  readonly nodes: number
  readonly flags: SimulateFlags
}

export interface Task {
  readonly env: string
  /** Has this row of a step found what there is to find? */
  readonly found: (out: VectorBuffers, row: number) => boolean
  /** Options that change from seed to seed. */
  readonly options: (seed: number) => Readonly<Record<string, unknown>>
  /** Of a greedy evaluation. */
  readonly episodes: number
  /** Steps of each peer at most. */
  readonly steps: number
}

/** Steps of each peer; null: not within the steps allowed. */
export interface Outcome {
  readonly algo: string
  readonly env: string
  readonly arm: string
  readonly seed: number
  /** When any environment of any peer first found it. */
  readonly discovery: number | null
  /** When one peer's greedy policy, and when half of the peers' at once, began to reach the threshold in four evaluations in a row. */
  readonly solvedByOne: number | null
  readonly solvedByHalf: number | null
  /** Sent by each peer until the end. */
  readonly bytes: number
}

const EVALUATE_EVERY = 400
const IN_A_ROW = 4
const EVALUATION_SEED = 1_000_000

export async function explore(task: Task, algo: string, arm: Arm, seed: number): Promise<Outcome> {
  const spec = findEnvironment(task.env)
  const evaluator = await makeEvaluator(task, algo, seed)
  const watched = watch(spec, task, seed)
  const threshold = spec.threshold ?? Number.NaN
  const settings = resolveSimulation({ algo, env: task.env, nodes: arm.nodes, seed, rounds: 1_000_000, ...arm.flags })
  const over = new AbortController()
  const one = new InARow()
  const half = new InARow()
  let evaluations = 0
  let updatesToGo = 1
  const look = (peers: readonly SimulatedNode[]) => {
    if (over.signal.aborted) return
    const { steps, updates } = peers[0]!.core!.progress(false, null)
    if (steps >= evaluations * EVALUATE_EVERY) {
      evaluations++
      const solved = peers.filter((node) => {
        const parameters = node.replica(new Float32Array(node.core!.description.parameterCount))
        const options = { episodes: task.episodes, deterministic: true, seed: EVALUATION_SEED + seed }
        return evaluator.evaluate({ parameters, normalisers: [] }, options).mean >= threshold
      }).length
      one.add(steps, solved > 0)
      half.add(steps, 2 * solved >= peers.length)
    }
    updatesToGo = Math.max(1, Math.ceil(((evaluations * EVALUATE_EVERY - steps) * Math.max(1, updates)) / Math.max(1, steps)))
    if (half.since === null && steps < task.steps) return
    over.abort()
    updatesToGo = Number.POSITIVE_INFINITY
  }
  try {
    const { summary } = await runSimulation(settings, { signal: over.signal, between: { updates: () => updatesToGo, look } })
    const bytes = Math.round(summary.bytes / arm.nodes)
    return { algo, env: task.env, arm: arm.name, seed, discovery: watched(), solvedByOne: one.since, solvedByHalf: half.since, bytes }
  } finally {
    registerEnv(task.env, spec)
    evaluator.dispose()
  }
}

/** Since when the last evaluations were all good, where they are IN_A_ROW. */
class InARow {
  since: number | null = null
  #first = 0
  #count = 0

  add(steps: number, good: boolean): void {
    if (this.since !== null) return
    if (!good) this.#count = 0
    else if (this.#count++ === 0) this.#first = steps
    if (this.#count === IN_A_ROW) this.since = this.#first
  }
}

async function makeEvaluator({ env, options, episodes }: Task, algo: string, seed: number): Promise<Evaluator> {
  const network = presetNetwork(algo, preset(algo, env).network, env, {}, [])
  const environment = wrapVector(makeVectorEnv(env, episodes, options(seed)), [])
  return new Evaluator(environment, network, await createEngine('wasm', { deterministic: true }))
}

/** Registers the environment anew, in a form that notices what is found; the result tells after how many steps of its peer that was first. */
function watch(spec: EnvironmentSpec, { found, options }: Task, seed: number): () => number | null {
  let first: number | null = null
  registerEnv(spec.id, {
    ...spec,
    makeVector(count, given, limit) {
      const made = spec.makeVector!(count, { ...options(seed), ...given }, limit)
      let steps = 0
      return Object.assign(Object.create(made), {
        step(actions: Int32Array | Float32Array, out: VectorBuffers) {
          made.step(actions, out)
          steps += count
          if (first !== null && steps >= first) return
          for (let row = 0; row < count; row++) if (found(out, row)) first = steps
        },
        // They use private members.
        reset: made.reset.bind(made),
        restart: made.restart?.bind(made),
        close: made.close.bind(made),
      })
    },
  })
  return () => first
}
