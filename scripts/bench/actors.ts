/**
 * What actor threads bring: updates and environment steps a second of IMPALA or A3C by number of threads, one after the other and several times
 * over, medians. A machine with other work on it shows in `cpus`: the cores that the process got.
 *
 *   npm run bench -- actors --algo a3c --actors 1,2 --env CartPole-v1 --seconds 5 --repeats 3 --set rolloutLength=20
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createLearner } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import { actorThreads } from '../../src/node/actor-threads.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'
import { median } from './learn/statistics.ts'

/** Updates before the watch starts: threads load and compile in the meantime. */
const WARM_UP_UPDATES = 500

interface Speed {
  readonly updatesPerSecond: number
  readonly stepsPerSecond: number
  readonly cpus: number
  readonly policyLagMax: number | null
}

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      algo: { type: 'string', default: 'a3c' },
      env: { type: 'string', default: 'CartPole-v1' },
      actors: { type: 'string', default: '1,2' },
      seconds: { type: 'string', default: '5' },
      repeats: { type: 'string', default: '3' },
      set: { type: 'string', multiple: true, default: [] },
    },
  })
  const { hyperparameters, network, wrappers, horizonSteps } = preset(values.algo, values.env)
  const own = Object.fromEntries(values.set.map((text) => [text.slice(0, text.indexOf('=')), Number(text.slice(text.indexOf('=') + 1))]))
  const settings: LearnerSettings = {
    modules: [],
    environment: { id: values.env, options: {} },
    wrappers: wrappers ?? [],
    algorithm: { id: values.algo, hyperparameters: { ...hyperparameters, ...own }, horizonSteps },
    network: presetNetwork(values.algo, network, values.env, {}, wrappers),
    weightsSeed: 1,
    actorSeed: 1,
    engine: 'wasm',
    deterministic: false,
    threads: 1,
    actors: 1,
    threshold: null,
    untilSteps: null,
  }
  const counts = values.actors.split(',').map(Number)
  const speeds = new Map<number, Speed[]>(counts.map((count) => [count, []]))
  for (let i = 0; i < Number(values.repeats); i++) {
    for (const count of counts) speeds.get(count)!.push(await measure({ ...settings, actors: count }, Number(values.seconds)))
  }
  const over = (count: number, pick: (speed: Speed) => number) => median(speeds.get(count)!.map(pick))
  const [first] = counts
  const results = counts.map((actors) => ({
    actors,
    updatesPerSecond: Math.round(over(actors, (speed) => speed.updatesPerSecond)),
    stepsPerSecond: Math.round(over(actors, (speed) => speed.stepsPerSecond)),
    timesTheFirst: over(actors, (speed) => speed.updatesPerSecond) / over(first!, (speed) => speed.updatesPerSecond),
    updatesPerCpuSecond: Math.round(over(actors, (speed) => speed.updatesPerSecond / speed.cpus)),
    cpus: over(actors, (speed) => speed.cpus),
    policyLagMax: over(actors, (speed) => speed.policyLagMax ?? Number.NaN),
  }))
  console.log(JSON.stringify({ environment: values.env, algorithm: settings.algorithm, results }, null, 1))
}

async function measure(settings: LearnerSettings, seconds: number): Promise<Speed> {
  const learner = await createLearner(settings, undefined, actorThreads(settings.actors))
  const go = async (done: () => boolean) => {
    while (!done()) {
      learner.update()
      await nextTurn()
    }
  }
  await go(() => learner.updates >= WARM_UP_UPDATES)
  const { updates, steps } = learner
  const cpu = process.cpuUsage()
  const beginMs = performance.now()
  await go(() => performance.now() - beginMs >= seconds * 1000)
  const took = (performance.now() - beginMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const speed = {
    updatesPerSecond: (learner.updates - updates) / took,
    stepsPerSecond: (learner.steps - steps) / took,
    cpus: (user + system) / 1e6 / took,
    policyLagMax: learner.progress(false, null).statistics['train/policy_lag_max'] ?? null,
  }
  learner.dispose()
  return speed
}
