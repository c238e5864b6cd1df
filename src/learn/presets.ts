/**
 * Presets: tuned settings per algorithm and environment, data files with the result that each reached.
 */
import { makeVectorEnv } from '../envs/registry.ts'
import { type WrapperUse, wrapVector } from '../envs/wrappers/wrap.ts'
import type { HyperValue, NetworkSpec } from '../ports/learner.ts'
import { type AlgorithmId, requireAlgorithm } from './hyperparameters.ts'
import { actorCriticNetwork, duelingNetwork, type NetworkPlan } from './networks.ts'
import a2c from './presets/a2c.json' with { type: 'json' }
import a3c from './presets/a3c.json' with { type: 'json' }
import apex from './presets/apex.json' with { type: 'json' }
import impala from './presets/impala.json' with { type: 'json' }
import ppo from './presets/ppo.json' with { type: 'json' }

/** What a preset reached, and how to see it again. */
export interface PresetResult {
  /**
   * Mean return at horizonSteps, its median over the seeds: of the last 100 training episodes, or, for apex, whose actors explore, of 100
   * greedy ones.
   */
  readonly returnMean: number
  readonly seeds: number
  /**
   * Environment steps until the environment's threshold was reached, for apex by 8 evaluations in a row: median and largest over the seeds;
   * null where it has none.
   */
  readonly stepsMedian: number | null
  readonly stepsMax: number | null
  readonly command: string
}

export interface Preset {
  readonly hyperparameters: Readonly<Record<string, HyperValue>>
  readonly network: NetworkPlan
  /** Wrappers of the environment, innermost first; none when absent. */
  readonly wrappers?: readonly WrapperUse[]
  /** Steps per peer over which the schedules run. */
  readonly horizonSteps: number
  /** Updates between two averaging rounds. */
  readonly period: number
  /** null: not measured yet. */
  readonly result: PresetResult | null
}

/** One file per algorithm; the entry `*` is for environments that have none of their own. */
type Presets = Readonly<Record<string, Preset>> & { readonly '*': Preset }

const FILES: Readonly<Record<AlgorithmId, Presets>> = {
  a2c: a2c as unknown as Presets,
  a3c: a3c as unknown as Presets,
  apex: apex as unknown as Presets,
  impala: impala as unknown as Presets,
  ppo: ppo as unknown as Presets,
}

/** The heads that each algorithm needs. */
const NETWORKS = {
  a2c: actorCriticNetwork,
  a3c: actorCriticNetwork,
  apex: duelingNetwork,
  impala: actorCriticNetwork,
  ppo: actorCriticNetwork,
} as const satisfies Record<AlgorithmId, typeof actorCriticNetwork>

/** The preset of `algorithm` for `environment`, or its one for environments without their own. Throws `algorithm`. */
export function preset(algorithm: string, environment: string): Preset {
  const presets = FILES[requireAlgorithm(algorithm)]
  return (Object.hasOwn(presets, environment) ? presets[environment] : undefined) ?? presets['*']
}

/**
 * The network that `algorithm` builds from a preset's plan for the spaces of an environment in its wrappers (made once with
 * `options`, to see them).
 * Throws `algorithm`, `unknown_environment`, and `action_space` where the algorithm cannot act.
 */
export function presetNetwork(
  algorithm: string,
  plan: NetworkPlan,
  environment: string,
  options: Readonly<Record<string, unknown>>,
  wrappers: readonly WrapperUse[] = [],
): NetworkSpec {
  const made = wrapVector(makeVectorEnv(environment, 1, options), wrappers)
  try {
    return NETWORKS[requireAlgorithm(algorithm)](plan, made.observationSpace, made.actionSpace)
  } finally {
    made.close()
  }
}
