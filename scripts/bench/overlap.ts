/**
 * What it brings that one half of an actor's Gymnasium environments steps in Python while the policy acts in the other: environment steps a second
 * of one actor with two tanh layers, as one vector in one process, as one in two, and as two halves of a process each. All take turns, round after
 * round, and collect the same rollouts to the bit, or the benchmark throws.
 *
 *   npm run bench -- overlap --python /path/to/python3 --env CartPole-v1 --environments 16 --units 64 --rounds 8
 *
 * The environment has discrete actions. Prints one JSON object: medians and extremes over the rounds of 64 steps of all environments.
 */
import { parseArgs } from 'node:util'
import type { WrappedVector } from '../../src/envs/wrappers/wrap.ts'
import { Collector, experienceShape } from '../../src/learn/collector.ts'
import { createWasmEngine } from '../../src/learn/engines/wasm.ts'
import { livingEnvironments, overlappingEnvironments } from '../../src/learn/environments.ts'
import { Experience } from '../../src/learn/experience.ts'
import { initialParameters } from '../../src/learn/initialise.ts'
import { presetNetwork } from '../../src/learn/presets.ts'
import type { LayerSpec, LearnerSettings } from '../../src/ports/learner.ts'
import { seededRandom } from '../../src/util/random.ts'
import { median } from './learn/statistics.ts'

const STEPS = 64
const LIFE = { index: 0, restarts: 0, stopped: false, beat() {}, rest() {} }

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string', default: 'python3' },
      env: { type: 'string', default: 'CartPole-v1' },
      environments: { type: 'string', default: '16' },
      units: { type: 'string', default: '64' },
      rounds: { type: 'string', default: '8' },
    },
  })
  const [count, units] = [Number(values.environments), Number(values.units)]
  const settings = (processes: number) => settingsOf(`gym:${values.env}`, { python: values.python, processes }, units)
  const contestants = {
    whole: prepare(settings(1), [livingEnvironments(settings(1), count, LIFE)]),
    wholeInTwoProcesses: prepare(settings(2), [livingEnvironments(settings(2), count, LIFE)]),
    halves: prepare(settings(1), overlappingEnvironments(settings(1), count, LIFE)),
  }
  const speeds = Object.fromEntries(Object.keys(contestants).map((name) => [name, [] as number[]]))
  for (let round = 0; round <= Number(values.rounds); round++) {
    const rollouts = Object.entries(contestants).map(([name, { collect }]) => {
      const beginMs = performance.now()
      const rollout = collect()
      // In the first round compilers are at work.
      if (round > 0) speeds[name]!.push((STEPS * count * 1000) / (performance.now() - beginMs))
      return rollout
    })
    if (new Set(rollouts.map((rollout) => rollout.observations.join())).size > 1) throw new Error('The rollouts differ.')
  }
  for (const { close } of Object.values(contestants)) close()
  const stepsPerSecond = Object.entries(speeds).map(([name, all]) => {
    const [least, middle, most] = [Math.min(...all), median(all), Math.max(...all)].map(Math.round)
    return [name, { median: middle, least, most }]
  })
  console.log(JSON.stringify({ ...values, stepsPerSecond: Object.fromEntries(stepsPerSecond) }, null, 1))
}

function prepare({ network: spec }: LearnerSettings, environments: readonly WrappedVector[]) {
  const rows = environments.reduce((sum, { count }) => sum + count, 0)
  const network = createWasmEngine({ deterministic: true }).build(spec, rows)
  const parameters = network.allocate()
  network.write(parameters, initialParameters(spec, 1))
  const collector = new Collector({ environments, network, random: seededRandom(1), seed: 1 })
  const rollout = new Experience({ ...experienceShape(environments[0]!, STEPS), environments: rows })
  return {
    collect() {
      collector.collect(parameters, 1, rollout)
      return rollout
    },
    close: () => collector.close(),
  }
}

function settingsOf(id: string, options: Readonly<Record<string, string | number>>, units: number): LearnerSettings {
  const layer: LayerSpec = { kind: 'dense', units, activation: 'tanh' }
  return {
    ...{ modules: [], environment: { id, options }, wrappers: [], weightsSeed: 1, actorSeed: 1, engine: 'wasm' },
    algorithm: { id: 'impala', hyperparameters: {}, horizonSteps: 1 },
    network: presetNetwork('impala', { torso: [layer, layer], head: [] }, id, options),
    ...{ deterministic: true, threads: 1, actors: 1, threshold: null, untilSteps: null },
  }
}
