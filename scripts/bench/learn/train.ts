/**
 * Trains one seed and measures it: the curve of the last 100 training episodes, evaluations on the way, one long evaluation at the end, and
 * when the threshold was reached by two metrics. CPU seconds are the process's, evaluations left out.
 */
import { makeVectorEnv } from '../../../src/envs/registry.ts'
import { wrapVector } from '../../../src/envs/wrappers/wrap.ts'
import { createEngine } from '../../../src/learn/engines/create.ts'
import { Evaluator } from '../../../src/learn/evaluate.ts'
import { createLearner, type LearnerCore } from '../../../src/learn/learner.ts'
import type { LearnerSettings } from '../../../src/ports/learner.ts'
import { SUSTAINED_EPISODES, Sustained } from './sustained.ts'

/** Points of the training curve. */
const CURVE_POINTS = 100

/** Seeds of evaluations: far from those of training, and apart for each run, evaluation and row. */
const EVALUATION_SEED = 1_000_000
const EVALUATION_SEEDS = 1_000

export interface TrainPlan {
  readonly settings: LearnerSettings
  readonly seed: number
  readonly steps: number
  /** Environment steps between evaluations for the sustained metric; 0: none. */
  readonly evalEvery: number
  /** Episodes of the final evaluations. */
  readonly episodes: number
  /** Parameters to begin with, canonical; those drawn from the seed when absent. */
  readonly initial?: Float32Array
  /** Whether to stop once the threshold is sustained. */
  readonly untilSustained?: boolean
}

/** Steps and seconds of training until a threshold was reached. */
export interface Reached {
  readonly steps: number
  readonly cpuSeconds: number
  readonly seconds: number
}

export interface TrainResult {
  readonly seed: number
  readonly steps: number
  readonly updates: number
  readonly cpuSeconds: number
  readonly seconds: number
  readonly stepsPerCpuSecond: number
  /** Mean return of the last 100 training episodes, at the end. */
  readonly trainingReturn: number | null
  readonly deterministic: { readonly mean: number; readonly deviation: number }
  readonly stochastic: { readonly mean: number; readonly deviation: number }
  /** The mean of the last 100 training episodes first reached the threshold. */
  readonly lastHundred: Reached | null
  /** The mean of 8 consecutive evaluations of 20 stochastic episodes first reached the threshold. */
  readonly sustained: Reached | null
  /** [steps, mean return of the last 100 training episodes] */
  readonly curve: readonly (readonly [number, number])[]
  /** [steps, mean return of one evaluation], until the sustained metric was reached. */
  readonly evaluations: readonly (readonly [number, number])[]
  /** Statistics of the last update. */
  readonly statistics: Readonly<Record<string, number>>
}

export interface Trained extends TrainResult {
  /** The parameters at the end, canonical. */
  readonly parameters: Float32Array
}

export async function train({ settings, seed, steps, evalEvery, episodes, initial, untilSustained }: TrainPlan): Promise<Trained> {
  const learner = await createLearner(settings)
  if (initial !== undefined) learner.adopt({ parameters: initial, target: null, version: 0, steps: 0, normalisers: [] })
  const evaluator = await makeEvaluator(settings)
  const watch = new Stopwatch()
  const curve: [number, number][] = []
  const returns = new Sustained(settings.threshold ?? Number.POSITIVE_INFINITY)
  const { evaluations } = returns
  let lastHundred: Reached | null = null
  let sustained: Reached | null = null
  const evaluate = (count: number, deterministic: boolean, index: number) => {
    const options = { episodes: count, deterministic, seed: EVALUATION_SEED * (seed + 1) + EVALUATION_SEEDS * index }
    return watch.without(() => evaluator.evaluate(replicaOf(learner), options))
  }

  while (learner.steps < steps && !(untilSustained === true && sustained !== null)) {
    learner.update()
    if (lastHundred === null && learner.solved !== null) {
      lastHundred = { steps: learner.solved.steps, cpuSeconds: watch.cpuSeconds, seconds: watch.seconds }
    }
    if (learner.steps >= ((curve.length + 1) * steps) / CURVE_POINTS) {
      const { returnMean } = learner.progress(false, null)
      curve.push([learner.steps, returnMean ?? Number.NaN])
    }
    if (evalEvery === 0 || sustained !== null || settings.threshold === null) continue
    if (learner.steps < (evaluations.length + 1) * evalEvery) continue
    const { mean } = evaluate(SUSTAINED_EPISODES, false, evaluations.length + 1)
    if (returns.add(learner.steps, mean)) sustained = { steps: learner.steps, cpuSeconds: watch.cpuSeconds, seconds: watch.seconds }
  }
  const { cpuSeconds, seconds } = watch
  const { returnMean, updates, statistics } = learner.progress(false, null)
  const summary = ({ mean, deviation }: { mean: number; deviation: number }) => ({ mean, deviation })
  const result = {
    seed,
    steps: learner.steps,
    updates,
    cpuSeconds,
    seconds,
    stepsPerCpuSecond: Math.round(learner.steps / cpuSeconds),
    trainingReturn: returnMean,
    deterministic: summary(evaluate(episodes, true, 0)),
    stochastic: summary(evaluate(episodes, false, 0)),
    lastHundred,
    sustained,
    curve,
    evaluations,
    statistics,
    parameters: replicaOf(learner).parameters,
  }
  learner.dispose()
  evaluator.dispose()
  return result
}

async function makeEvaluator({
  environment: { id, options },
  wrappers,
  network,
  engine,
  deterministic,
}: LearnerSettings): Promise<Evaluator> {
  const environment = wrapVector(makeVectorEnv(id, SUSTAINED_EPISODES, options), wrappers)
  return new Evaluator(environment, network, await createEngine(engine, { deterministic }))
}

function replicaOf(learner: LearnerCore) {
  const parameters = new Float32Array(learner.description.parameterCount)
  learner.snapshot({ parameters, target: null })
  return { parameters, normalisers: learner.normalisers().all }
}

/** CPU and wall seconds of this process since it was made, without what ran inside `without`. */
class Stopwatch {
  #cpu = process.cpuUsage()
  #begunMs = performance.now()

  get cpuSeconds(): number {
    const { user, system } = process.cpuUsage(this.#cpu)
    return (user + system) / 1e6
  }

  get seconds(): number {
    return (performance.now() - this.#begunMs) / 1000
  }

  without<T>(run: () => T): T {
    const cpu = process.cpuUsage()
    const beginMs = performance.now()
    const result = run()
    const spent = process.cpuUsage(cpu)
    this.#cpu = { user: this.#cpu.user + spent.user, system: this.#cpu.system + spent.system }
    this.#begunMs += performance.now() - beginMs
    return result
  }
}
