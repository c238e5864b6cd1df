/**
 * How many steps and seconds A2C needs, solo or with in-process learners that average, and how fast it steps.
 *
 *   npm run bench -- a2c [--seeds 10] [--env CartPole-v1] [--engine wasm] [--steps 500000] [--set learningRate=0.003]
 *   npm run bench -- a2c --learners 2 --periods 10,50,200,750 --delay 100
 *
 * Prints one JSON object per seed (and period), then one of medians.
 */
import { parseArgs } from 'node:util'
import { findEnvironment } from '../../src/envs/registry.ts'
import { createLearner, type LearnerCore } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings } from '../../src/ports/learner.ts'
import { median } from './learn/statistics.ts'

interface Options {
  readonly environment: string
  readonly algorithm: string
  readonly engine: 'wasm' | 'tfjs'
  readonly seeds: number
  readonly firstSeed: number
  readonly steps: number
  readonly learners: number
  /** Updates between the snapshots and the mix that follows from them. */
  readonly delay: number
  readonly set: Readonly<Record<string, HyperValue>>
  readonly shared: boolean
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      env: { type: 'string', default: 'CartPole-v1' },
      algo: { type: 'string', default: 'a2c' },
      engine: { type: 'string', default: 'wasm' },
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '0' },
      steps: { type: 'string', default: '500000' },
      learners: { type: 'string', default: '1' },
      delay: { type: 'string', default: '0' },
      periods: { type: 'string', default: '200' },
      set: { type: 'string', multiple: true, default: [] },
      shared: { type: 'boolean', default: false },
    },
  })
  const options: Options = {
    environment: values.env,
    algorithm: values.algo,
    engine: values.engine === 'tfjs' ? 'tfjs' : 'wasm',
    seeds: Number(values.seeds),
    firstSeed: Number(values.seed),
    steps: Number(values.steps),
    learners: Number(values.learners),
    delay: Number(values.delay),
    set: Object.fromEntries(values.set.map(assignment)),
    shared: values.shared,
  }
  const periods = options.learners === 1 ? [Number.POSITIVE_INFINITY] : values.periods.split(',').map(Number)
  for (const period of periods) {
    const results = []
    for (let seed = options.firstSeed; seed < options.firstSeed + options.seeds; seed++) {
      const result = await measure(options, seed, period)
      console.log(JSON.stringify({ seed, period, ...result }))
      results.push(...result.learners)
    }
    const solved = results.map((result) => result.solvedSteps).filter((steps) => steps !== null)
    console.log(
      JSON.stringify({
        period,
        solved: solved.length,
        of: results.length,
        stepsMedian: median(solved),
        stepsMax: Math.max(...solved),
        finalMedian: median(results.map((result) => result.finalReturn)),
        finalMin: Math.min(...results.map((result) => result.finalReturn)),
        belowMedian: median(results.map((result) => result.below)),
      }),
    )
  }
}

/** Trains `learners` replicas for `steps` steps each, round robin; every `period` updates each moves to the mean of all. */
async function measure(options: Options, seed: number, period: number) {
  const learners = await Promise.all(
    Array.from({ length: options.learners }, (_, i) => createLearner(settings(options, seed, seed * 1000 + i))),
  )
  const curves = learners.map(() => ({ solvedSteps: null as number | null, solvedSeconds: null as number | null, after: 0, low: 0 }))
  const { threshold } = findEnvironment(options.environment)
  const begun = performance.now()
  let nextMix = period
  let deltas: readonly Float32Array[] | null = null
  while (learners.some((learner) => learner.steps < options.steps)) {
    for (const [i, learner] of learners.entries()) {
      learner.update()
      const curve = curves[i]!
      if (curve.solvedSteps === null && learner.solved !== null) {
        curve.solvedSteps = learner.solved.steps
        curve.solvedSeconds = (performance.now() - begun) / 1000
      }
      if (curve.solvedSteps !== null && learner.updates % 100 === 0) {
        curve.after++
        if (learner.progress(false, null).returnMean! < threshold!) curve.low++
      }
    }
    if (deltas === null && learners[0]!.updates >= nextMix) deltas = differencesFromMean(learners)
    if (deltas !== null && learners[0]!.updates >= nextMix + options.delay) {
      for (const [i, learner] of learners.entries()) learner.mix(deltas[i]!)
      deltas = null
      nextMix += period
    }
  }
  const seconds = (performance.now() - begun) / 1000
  const steps = learners.reduce((sum, learner) => sum + learner.steps, 0)
  const result = {
    learners: learners.map((learner, i) => ({
      solvedSteps: curves[i]!.solvedSteps,
      solvedSeconds: curves[i]!.solvedSeconds,
      finalReturn: learner.progress(false, null).returnMean ?? Number.NaN,
      // Share of the time after solving in which the mean of the last 100 episodes was below the threshold.
      below: curves[i]!.after === 0 ? 0 : curves[i]!.low / curves[i]!.after,
    })),
    stepsPerSecond: Math.round(steps / seconds),
  }
  for (const learner of learners) learner.dispose()
  return result
}

/** mean - x_i of each learner, which for two is half their difference. */
function differencesFromMean(learners: readonly LearnerCore[]): readonly Float32Array[] {
  const own = learners.map(({ description: { parameterCount } }) => new Float32Array(parameterCount))
  for (const [i, learner] of learners.entries()) learner.snapshot({ parameters: own[i]!, target: null })
  const mean = own[0]!.map((_, k) => own.reduce((sum, parameters) => sum + parameters[k]!, 0) / own.length)
  return own.map((parameters) => mean.map((value, k) => value - parameters[k]!))
}

function settings(options: Options, weightsSeed: number, actorSeed: number): LearnerSettings {
  const chosen = preset(options.algorithm, options.environment)
  const plan = options.shared ? { torso: chosen.network.head, head: [] } : chosen.network
  return {
    environment: { id: options.environment, options: {} },
    modules: [],
    wrappers: chosen.wrappers ?? [],
    algorithm: {
      id: options.algorithm,
      hyperparameters: { ...chosen.hyperparameters, ...options.set },
      horizonSteps: chosen.horizonSteps,
    },
    network: presetNetwork(options.algorithm, plan, options.environment, {}, chosen.wrappers),
    weightsSeed,
    actorSeed,
    engine: options.engine,
    deterministic: false,
    threads: 1,
    actors: 0,
    threshold: findEnvironment(options.environment).threshold,
    untilSteps: null,
  }
}

function assignment(text: string): readonly [string, HyperValue] {
  const at = text.indexOf('=')
  const value = text.slice(at + 1)
  if (value === 'null') return [text.slice(0, at), null]
  if (value === 'true' || value === 'false') return [text.slice(0, at), value === 'true']
  return [text.slice(0, at), Number.isNaN(Number(value)) ? value : Number(value)]
}
