/**
 * Presets: tuned settings per algorithm and environment, data files with the result that each reached.
 */
import { makeVectorEnv } from '../envs/registry.ts'
import { type WrapperUse, wrapVector } from '../envs/wrappers/wrap.ts'
import type { HyperValue, NetworkSpec } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
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
  /** When absent, the learning rate does not rise with the number of peers. */
  readonly swarm?: {
    /** How it does (average/rate.ts). */
    readonly rate: { readonly rule: 'sqrt'; readonly from: number; readonly cap: number }
    /** When absent, chosen by the size of the model. */
    readonly strategy?: 'broadcast' | 'pairwise'
  }
  /** null: not measured yet. */
  readonly result: PresetResult | null
}

/** What the first preset of a pair is called. */
export const DEFAULT_PRESET = 'default'

/**
 * One file per algorithm. An entry is named after its environment, or `*` where that has none of its own; further presets of the same
 * pair are "ENVIRONMENT NAME".
 */
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

/**
 * The preset of `algorithm` for `environment` called `name`; the default one may be that for environments without their own.
 * Throws `algorithm`, and `unknown_preset` whose message names the choices.
 */
export function preset(algorithm: string, environment: string, name = DEFAULT_PRESET): Preset {
  const presets = FILES[requireAlgorithm(algorithm)]
  const entry = name === DEFAULT_PRESET ? environment : `${environment} ${name}`
  if (Object.hasOwn(presets, entry)) return presets[entry]!
  if (name === DEFAULT_PRESET) return presets['*']
  const choices = presetNames(algorithm, environment)
  throw new GrapevineError(
    'unknown_preset',
    'local',
    `There is no preset "${name}" of ${algorithm} for ${environment}; there ${choices.length === 1 ? 'is' : 'are'}: ${choices.join(', ')}.`,
    { name, choices },
  )
}

/** Names of the presets of `algorithm` for `environment`, the default one first. Throws `algorithm`. */
export function presetNames(algorithm: string, environment: string): readonly string[] {
  const prefix = `${environment} `
  const entries = Object.keys(FILES[requireAlgorithm(algorithm)])
  return [DEFAULT_PRESET, ...entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length))]
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
