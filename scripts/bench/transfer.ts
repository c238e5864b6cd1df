/**
 * Does a policy of one CartPole help in another? For each seed PPO trains on CartPole-v1 as it is; then it trains on a CartPole with other physics
 * twice, with the same seed: from those parameters (what `start --init-from` does) and from scratch. Measured: environment steps until the
 * threshold is held (the mean of 8 evaluations in a row, 20 stochastic episodes each, every 256 steps).
 *
 *   npm run bench -- transfer --seeds 10 --set length=1.5 --set force=5
 *
 * --algo (ppo)  --seeds (10)  --seed (the first, 0)  --steps (100000, at most in each training)  --set (options of the other CartPole)
 *
 * Prints one JSON object: steps by seed, null where the threshold was not held, medians, and how many seeds were faster with transfer.
 */
import { parseArgs } from 'node:util'
import { findEnvironment } from '../../src/envs/registry.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import { median } from './learn/statistics.ts'
import { type Trained, train } from './learn/train.ts'

const ENVIRONMENT = 'CartPole-v1'
const EVAL_EVERY = 256
/** A pole three times as long and a cart that is pushed half as hard: what was learned balances it badly. */
const OTHER_PHYSICS = ['length=1.5', 'force=5']

const OPTIONS = {
  algo: { type: 'string', default: 'ppo' },
  seeds: { type: 'string', default: '10' },
  seed: { type: 'string', default: '0' },
  steps: { type: 'string', default: '100000' },
  set: { type: 'string', multiple: true, default: OTHER_PHYSICS },
} as const

/** Steps until the threshold was held; null: it was not. */
interface Row {
  readonly seed: number
  readonly source: number | null
  /** Mean return of the first evaluation with the other physics, after EVAL_EVERY steps. */
  readonly atFirst: number | null
  readonly fromScratch: number | null
  readonly transferred: number | null
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const options = Object.fromEntries(values.set.map((text) => text.split('=')).map(([name, value]) => [name, Number(value)]))
  const seeds: Row[] = []
  for (let i = 0; i < Number(values.seeds); i++) {
    const seed = Number(values.seed) + i
    const run = (physics: Readonly<Record<string, number>>, initial?: Float32Array): Promise<Trained> =>
      train({
        settings: settingsOf(values.algo, seed, physics),
        seed,
        steps: Number(values.steps),
        evalEvery: EVAL_EVERY,
        episodes: 20,
        untilSustained: true,
        ...(initial === undefined ? {} : { initial }),
      })
    const source = await run({})
    const fromScratch = await run(options)
    const transferred = await run(options, source.parameters)
    const row: Row = {
      seed,
      source: source.sustained?.steps ?? null,
      atFirst: transferred.evaluations[0]?.[1] ?? null,
      fromScratch: fromScratch.sustained?.steps ?? null,
      transferred: transferred.sustained?.steps ?? null,
    }
    seeds.push(row)
    console.error(JSON.stringify(row))
  }
  const stepsOf = (pick: (row: Row) => number | null) => median(seeds.map((row) => pick(row) ?? Number(values.steps)))
  const faster = seeds.filter((row) => row.transferred !== null && row.transferred < (row.fromScratch ?? Number.POSITIVE_INFINITY)).length
  const medians = { fromScratch: stepsOf((row) => row.fromScratch), transferred: stepsOf((row) => row.transferred) }
  console.log(JSON.stringify({ algorithm: values.algo, environment: ENVIRONMENT, options, medians, faster, of: seeds.length, seeds }))
}

function settingsOf(algo: string, seed: number, options: Readonly<Record<string, number>>): LearnerSettings {
  const { network, wrappers = [], hyperparameters, horizonSteps } = preset(algo, ENVIRONMENT)
  return {
    modules: [],
    environment: { id: ENVIRONMENT, options },
    wrappers,
    algorithm: { id: algo, hyperparameters, horizonSteps },
    network: presetNetwork(algo, network, ENVIRONMENT, options, wrappers),
    weightsSeed: seed,
    actorSeed: seed * 1_000,
    engine: 'wasm',
    deterministic: true,
    threads: 1,
    actors: 0,
    threshold: findEnvironment(ENVIRONMENT).threshold,
    untilSteps: null,
  }
}
