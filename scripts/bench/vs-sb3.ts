/**
 * Grapevine beside Stable-Baselines3 with rl-zoo3's settings, on CartPole-v1: seconds until a return of 475 is sustained (PPO, A2C), and steps a
 * second of Ape-X and DQN at equal batch, network and updates per step. Seed by seed the two sides take turns in one run, one thread each.
 *
 *   npm run bench -- vs-sb3 --python /path/to/python3 --seeds 5 --only ppo
 *
 * `--python` names an interpreter with stable-baselines3; without one the benchmark says so and leaves. The metric is the same for both: the first
 * time that the mean of 8 evaluations in a row, 20 stochastic episodes each, reaches 475; every 2,048 steps there and every 256 here; their
 * weights are evaluated in our engine. Evaluations, and starting the process, are left out of both sides' seconds.
 * Prints a line per run on stderr and one JSON object: costs by seed, medians (a run that never got there counts as infinitely long), ratios.
 */
import { parseArgs } from 'node:util'
import { findEnvironment } from '../../src/envs/registry.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LayerSpec, LearnerSettings } from '../../src/ports/learner.ts'
import { median } from './learn/statistics.ts'
import { type Plan, runInChild, serveOne } from './vs-sb3/ours.ts'
import { type Cost, StableBaselines } from './vs-sb3/python.ts'

const ENVIRONMENT = 'CartPole-v1'

/** The zoo's budgets, after which a run has failed; and our evaluations. */
const STEPS = { ppo: 100_000, a2c: 500_000 } as const
const EVALUATE_EVERY = 256

/** Before the watch starts both have begun to learn, and compilers are done. */
const SPEED_FROM = 2_048
const SPEED_STEPS = 10_240

/** How many times less we are to need. */
const REQUIRED = { ppo: 20, a2c: 20, apex: 3 } as const

/** What the zoo's DQN has: batch, two layers of 256, 128 updates after each 256 steps of one environment. */
const LIKE_DQN: Readonly<Record<string, HyperValue>> = {
  ...{ environments: 1, rolloutLength: 256, updatesPerStep: 0.5, learningStarts: 1_000, batchSize: 64 },
  ...{ replayCapacity: 100_000, targetPeriod: 10, learningRate: 2.3e-3, finalLearningRate: 2.3e-3 },
}
const WIDE: LayerSpec = { kind: 'dense', units: 256, activation: 'relu' }

type Contest = keyof typeof REQUIRED

/** null: never got there. */
interface Pair {
  readonly seed: number
  readonly sb3: Cost | null
  readonly ours: Cost | null
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string', default: 'python3' },
      seeds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '0' },
      only: { type: 'string' },
      /** A child's plan. */
      child: { type: 'boolean', default: false },
    },
  })
  if (values.child) return serveOne()
  const sb3 = await StableBaselines.start(values.python)
  if (sb3 === null) {
    console.error(`skipped: ${values.python} has no stable-baselines3 (--python names another interpreter)`)
    console.log(JSON.stringify({ skipped: `${values.python} has no stable-baselines3` }))
    return
  }
  const contests = (Object.keys(REQUIRED) as Contest[]).filter((name) => values.only === undefined || values.only === name)
  const results: Partial<Record<Contest, object>> = {}
  for (const name of contests) {
    const pairs: Pair[] = []
    for (let i = 0; i < Number(values.seeds); i++) {
      const pair = await (name === 'apex' ? speeds(sb3, Number(values.seed) + i) : trainings(sb3, name, Number(values.seed) + i))
      console.error(`${name}, seed ${pair.seed}: SB3 ${told(pair.sb3)}; ours ${told(pair.ours)}`)
      pairs.push(pair)
    }
    results[name] = { ...summary(name, pairs), pairs }
  }
  sb3.close()
  console.log(JSON.stringify({ environment: ENVIRONMENT, node: process.version, versions: sb3.versions, results }, null, 1))
}

async function trainings(sb3: StableBaselines, algorithm: 'ppo' | 'a2c', seed: number): Promise<Pair> {
  const threshold = findEnvironment(ENVIRONMENT).threshold!
  const steps = STEPS[algorithm]
  const theirs = await sb3.train({ algorithm, seed, steps, threshold, evaluationSeed: (index) => 1_000_000 * (seed + 1) + 1_000 * index })
  const settings = { ...settingsOf(algorithm, {}), weightsSeed: seed, actorSeed: seed * 1000, threshold }
  const plan: Plan = { kind: 'train', plan: { settings, seed, steps, evalEvery: EVALUATE_EVERY, episodes: 1, untilSustained: true } }
  return { seed, sb3: theirs, ours: await runInChild(plan) }
}

async function speeds(sb3: StableBaselines, seed: number): Promise<Pair> {
  const theirs = await sb3.speed(seed, SPEED_FROM, SPEED_STEPS)
  const settings = { ...settingsOf('apex', LIKE_DQN, { torso: [WIDE, WIDE], head: [] }), weightsSeed: seed, actorSeed: seed * 1000 }
  return { seed, sb3: theirs, ours: await runInChild({ kind: 'speed', settings, from: SPEED_FROM, steps: SPEED_STEPS }) }
}

function settingsOf(
  algorithm: string,
  own: Readonly<Record<string, HyperValue>>,
  plan = preset(algorithm, ENVIRONMENT).network,
): LearnerSettings {
  const { hyperparameters, wrappers = [], horizonSteps } = preset(algorithm, ENVIRONMENT)
  return {
    modules: [],
    environment: { id: ENVIRONMENT, options: {} },
    wrappers,
    algorithm: { id: algorithm, hyperparameters: { ...hyperparameters, ...own }, horizonSteps },
    network: presetNetwork(algorithm, plan, ENVIRONMENT, {}, wrappers),
    weightsSeed: 0,
    actorSeed: 0,
    engine: 'wasm',
    deterministic: false,
    threads: 1,
    actors: 0,
    threshold: null,
    untilSteps: null,
  }
}

function summary(name: Contest, pairs: readonly Pair[]) {
  const over = (side: 'sb3' | 'ours', pick: (cost: Cost) => number) =>
    median(pairs.map((pair) => (pair[side] === null ? Number.POSITIVE_INFINITY : pick(pair[side]))))
  const medians = (side: 'sb3' | 'ours') => ({
    reached: pairs.filter((pair) => pair[side] !== null).length,
    steps: over(side, ({ steps }) => steps),
    cpuSeconds: over(side, ({ cpuSeconds }) => cpuSeconds),
    seconds: over(side, ({ seconds }) => seconds),
    stepsPerCpuSecond: Math.round(over(side, ({ steps, cpuSeconds }) => steps / cpuSeconds)),
  })
  const [sb3, ours] = [medians('sb3'), medians('ours')]
  const ratio =
    name === 'apex'
      ? { cpu: ours.stepsPerCpuSecond / sb3.stepsPerCpuSecond, required: REQUIRED[name] }
      : { cpu: sb3.cpuSeconds / ours.cpuSeconds, wall: sb3.seconds / ours.seconds, steps: sb3.steps / ours.steps, required: REQUIRED[name] }
  return { ratio, sb3, ours }
}

function told(cost: Cost | null): string {
  if (cost === null) return 'never got there'
  return `${cost.steps} steps in ${cost.cpuSeconds.toFixed(2)} CPU s (${cost.seconds.toFixed(2)} s)`
}
