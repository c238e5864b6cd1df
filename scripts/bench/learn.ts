/**
 * What an algorithm reaches in an environment, over several seeds, each trained in a process of its own.
 *
 *   npm run bench -- learn --algo ppo --env CartPole-v1 --seeds 5 --jobs 2 --steps 100000 --set learningRate=0.002 --svg curves.svg
 *
 * --preset (default)  --steps (the preset's horizon)  --horizon (the preset's, of the schedules)  --seed (the first, 0)  --jobs (1, at most 2)
 * --episodes (100, of the final evaluations)  --eval-every (256 steps, more in long runs, 0: none; for the sustained metric)
 * --fastest (the kernels that are fastest here: their last bits, and with them every curve, differ between machines and even runs; without it
 * the same seed gives the same figures anywhere)
 * --network "64,64" (units of each head's tanh layers; "+64,64": of a torso they share)  --wrappers JSON  --engine wasm|tfjs  --threshold R
 *
 * Prints one JSON object: settings, results of each seed, and over the seeds interquartile means with 95 % bootstrap intervals.
 * A short line per seed goes to stderr.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findEnvironment } from '../../src/envs/registry.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { drawCurves } from './learn/picture.ts'
import { iqmInterval, median } from './learn/statistics.ts'
import { type Reached, type TrainPlan, type TrainResult, train } from './learn/train.ts'

/** Evaluations of a run at most, so that long runs do not spend their time on them. */
const MAX_EVALUATIONS = 400
const FINE_EVAL_EVERY = 256

const OPTIONS = {
  algo: { type: 'string', default: 'ppo' },
  env: { type: 'string', default: 'CartPole-v1' },
  preset: { type: 'string' },
  seeds: { type: 'string', default: '5' },
  seed: { type: 'string', default: '0' },
  jobs: { type: 'string', default: '1' },
  steps: { type: 'string' },
  horizon: { type: 'string' },
  episodes: { type: 'string', default: '100' },
  'eval-every': { type: 'string' },
  network: { type: 'string' },
  wrappers: { type: 'string' },
  engine: { type: 'string', default: 'wasm' },
  fastest: { type: 'boolean', default: false },
  threshold: { type: 'string' },
  set: { type: 'string', multiple: true },
  svg: { type: 'string' },
  /** A child's plan. */
  child: { type: 'boolean', default: false },
} as const

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  if (values.child) return serveOne()
  const chosen = preset(values.algo, values.env, values.preset)
  const { id, threshold } = findEnvironment(values.env)
  const horizonSteps = Number(values.horizon ?? chosen.horizonSteps)
  const steps = Number(values.steps ?? horizonSteps)
  const evalEvery = Number(values['eval-every'] ?? Math.max(FINE_EVAL_EVERY, Math.ceil(steps / MAX_EVALUATIONS)))
  const plan = values.network === undefined ? chosen.network : networkPlan(values.network)
  const wrappers: LearnerSettings['wrappers'] = values.wrappers === undefined ? (chosen.wrappers ?? []) : JSON.parse(values.wrappers)
  const settings: LearnerSettings = {
    modules: [],
    environment: { id, options: {} },
    wrappers,
    algorithm: {
      id: values.algo,
      hyperparameters: { ...chosen.hyperparameters, ...Object.fromEntries((values.set ?? []).map(assignment)) },
      horizonSteps,
    },
    network: presetNetwork(values.algo, plan, id, {}, wrappers),
    weightsSeed: 0,
    actorSeed: 0,
    engine: values.engine === 'tfjs' ? 'tfjs' : 'wasm',
    deterministic: values.engine !== 'tfjs' && !values.fastest,
    threads: 1,
    actors: 0,
    threshold: values.threshold === undefined ? threshold : Number(values.threshold),
    untilSteps: null,
  }
  const plans = Array.from({ length: Number(values.seeds) }, (_, i): TrainPlan => {
    const seed = Number(values.seed) + i
    // Peers of a run have one seed for their weights and differ in that of their actors; runs differ in both.
    return {
      settings: { ...settings, weightsSeed: seed, actorSeed: seed * 1000 },
      seed,
      steps,
      evalEvery,
      episodes: Number(values.episodes),
    }
  })
  const results = await inParallel(plans, Math.min(2, Number(values.jobs)))
  const { environment, algorithm, engine } = settings
  const summary = summarise(results)
  console.log(
    JSON.stringify(
      { environment: environment.id, algorithm, network: plan, wrappers, engine, steps, evalEvery, summary, seeds: results },
      null,
      1,
    ),
  )
  if (values.svg === undefined) return
  const title = `${algorithm.id} in ${environment.id}, ${results.length} seeds: mean return of the last 100 training episodes`
  writeFileSync(
    values.svg,
    drawCurves({ title, seeds: results.map(({ curve }) => curve), mean: summary.curve, threshold: settings.threshold }),
  )
}

/** Trains every plan in a child process, `jobs` at a time; results in the order of the plans. */
async function inParallel(plans: readonly TrainPlan[], jobs: number): Promise<TrainResult[]> {
  const results: TrainResult[] = []
  const waiting = plans.entries()
  const work = async () => {
    for (const [i, plan] of waiting) {
      const result = await inChild(plan)
      results[i] = result
      const { seed, steps, cpuSeconds, trainingReturn, deterministic, stochastic, lastHundred, sustained } = result
      const first = (reached: Reached | null) => (reached === null ? 'never' : `${reached.steps} steps, ${reached.cpuSeconds.toFixed(1)} s`)
      console.error(
        `seed ${seed}: ${steps} steps in ${cpuSeconds.toFixed(1)} CPU s; training ${trainingReturn?.toFixed(1)}, deterministic ${deterministic.mean.toFixed(1)} +- ${deterministic.deviation.toFixed(1)}, stochastic ${stochastic.mean.toFixed(1)}; last 100: ${first(lastHundred)}; sustained: ${first(sustained)}`,
      )
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results
}

async function inChild(plan: TrainPlan): Promise<TrainResult> {
  const child = fork(process.argv[1]!, ['learn', '--child'])
  const exit = once(child, 'exit')
  let result: TrainResult | null = null
  child.once('message', (message) => {
    result = message as TrainResult
  })
  child.send(plan)
  const [code] = await exit
  if (result === null) throw new Error(`The process of seed ${plan.seed} left with ${code} before it had a result.`)
  return result
}

/** The child's side: one plan comes, one result goes. */
async function serveOne(): Promise<void> {
  const [plan] = await once(process, 'message')
  const { parameters: _, ...result } = await train(plan as TrainPlan)
  process.send!(result, () => process.disconnect())
}

function summarise(results: readonly TrainResult[]) {
  const over = (pick: (result: TrainResult) => number) => iqmInterval(results.map(pick))
  const reached = (pick: (result: TrainResult) => Reached | null) => {
    const found = results.map(pick).filter((value) => value !== null)
    const steps = found.map((value) => value.steps)
    return {
      seeds: found.length,
      stepsMedian: median(steps),
      stepsMax: Math.max(...steps),
      cpuSecondsMedian: median(found.map((value) => value.cpuSeconds)),
    }
  }
  const length = Math.min(...results.map(({ curve }) => curve.length))
  return {
    trainingReturn: over((result) => result.trainingReturn ?? Number.NaN),
    deterministic: over((result) => result.deterministic.mean),
    deterministicMin: Math.min(...results.map((result) => result.deterministic.mean)),
    stochastic: over((result) => result.stochastic.mean),
    lastHundred: reached((result) => result.lastHundred),
    sustained: reached((result) => result.sustained),
    stepsPerCpuSecondMedian: median(results.map((result) => result.stepsPerCpuSecond)),
    curve: Array.from({ length }, (_, i) => ({
      steps: results[0]!.curve[i]![0],
      ...iqmInterval(
        results.map(({ curve }) => curve[i]![1]),
        500,
      ),
    })),
  }
}

function networkPlan(text: string) {
  const shared = text.startsWith('+')
  const layers = text
    .slice(shared ? 1 : 0)
    .split(',')
    .map((units) => ({ kind: 'dense', units: Number(units), activation: 'tanh' }) as const)
  return shared ? { torso: layers, head: [] } : { torso: [], head: layers }
}

function assignment(text: string): readonly [string, HyperValue] {
  const at = text.indexOf('=')
  const value = text.slice(at + 1)
  if (value === 'null') return [text.slice(0, at), null]
  if (value === 'true' || value === 'false') return [text.slice(0, at), value === 'true']
  return [text.slice(0, at), Number.isNaN(Number(value)) ? value : Number(value)]
}
