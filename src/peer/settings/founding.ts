/** What `start` proposes for a new run: what was given and set, over the preset of algorithm and environment. The manifest is made of it. */
import { NO_OUTER_STEP, type OuterSettings } from '../../average/outer.ts'
import { consensusLevels } from '../../average/period.ts'
import type { RateRule } from '../../average/rate.ts'
import { isBridged } from '../../envs/bridge/script.ts'
import { findEnvironment, makeVectorEnv } from '../../envs/registry.ts'
import type { WrapperUse } from '../../envs/wrappers/wrap.ts'
import { type AlgorithmId, hyperparameterFaults, hyperparameterRules } from '../../learn/hyperparameters.ts'
import { preset } from '../../learn/presets.ts'
import { sharingFault } from '../../learn/sharing.ts'
import type { HyperValue, MomentsPolicy, NetworkSpec } from '../../ports/learner.ts'
import { SHARING_PERIOD_TIMES } from '../limits.ts'
import type { GivenSettings } from '../settings-schema.ts'
import { type Assigned, assignedBetween, OWN_ASSIGNMENTS, wholeAssignment } from './assignments.ts'
import { type Faults, hint } from './faults.ts'

/** What `start` chooses for a new run; everything else comes from the preset of the algorithm and environment. */
export interface Founding {
  readonly environment: string
  readonly environmentOptions: Readonly<Record<string, unknown>>
  /** Wrappers of the environment, innermost first; the preset's when absent. */
  readonly wrappers?: readonly WrapperUse[]
  readonly algorithm: string
  /** Instead of the preset's. */
  readonly network?: NetworkSpec
  /** Name of the preset of algorithm and environment that gives the network and what else is not chosen here; the default one when absent. */
  readonly preset?: string
  readonly hyperparameters: Readonly<Record<string, HyperValue>>
  readonly horizonSteps: number
  readonly strategy: string
  readonly codec: string
  readonly robust: string
  /** null: the strategy's own. */
  readonly partner: string | null
  /** Of the strategy `server`: the peer that everyone exchanges with; null: the founder. */
  readonly server: string | null
  readonly period: number
  /** Relative consensus distance that peers keep by changing their periods; null: the period stays. */
  readonly periodTarget: number | null
  /** How the learning rate rises with the number of peers; null: not at all. */
  readonly rate: RateRule | null
  readonly outer: OuterSettings
  /** What a mix does to the optimiser's moments: nothing when absent. */
  readonly moments?: MomentsPolicy
  /** Share of what a learner learns from that may be others' experience; absent: none is shared. */
  readonly experienceShare?: number
  readonly seed: number
  readonly name: string
}

/** Twice the rate is what eight peers bear with most algorithms. */
const DEFAULT_RATE_CAP = 2

/** Beyond these no swarm has been measured: a larger number is a mistyped one. */
const MAX_RATE_PEERS = 1_000
const MAX_RATE_CAP = 64

/** What helped a little in measurements at a period of 20 updates; 0.9 often broke them. */
const DEFAULT_OUTER_MOMENTUM = 0.5

export const DEFAULT_ENVIRONMENT = 'CartPole-v1'
const DEFAULT_ALGORITHM: AlgorithmId = 'a2c'

/** With `--deterministic` the same command gives the same run, so the seed cannot be drawn. */
const DETERMINISTIC_SEED = 1

/** What `--set` takes beside hyper-parameters: `horizonSteps` of the run, and what is this peer's own. */
const RATE_ASSIGNMENTS = ['rateRule', 'rateFrom', 'rateCap']
const EXTRA_ASSIGNMENTS = ['horizonSteps', 'outerLearningRate', 'outerMomentum', 'consensusTarget', ...RATE_ASSIGNMENTS, ...OWN_ASSIGNMENTS]

/** Of names with --set that are the environment's. */
const ENVIRONMENT_PREFIX = 'env.'

export function found(given: GivenSettings, assigned: Assigned, randomSeed: number, faults: Faults): { readonly found: Founding } {
  const environment = given.env ?? DEFAULT_ENVIRONMENT
  const algorithm = given.algo ?? DEFAULT_ALGORITHM
  const outerRate = assignedBetween('outerLearningRate', assigned, 0.01, 2, faults)
  const outerMomentum = assignedBetween('outerMomentum', assigned, 0, 0.99, faults)
  const target = assignedBetween('consensusTarget', assigned, 0.001, 1, faults)
  for (const name of ['outerLearningRate', 'outerMomentum'])
    if (name in assigned && given.outer !== 'nesterov') faults.add('usage', `${name} (--set) needs --outer nesterov`)
  if ('consensusTarget' in assigned && given.period !== 'auto') faults.add('usage', 'consensusTarget (--set) needs --period auto')
  const horizonSteps = wholeAssignment('horizonSteps', assigned, 1, Number.MAX_SAFE_INTEGER, faults)
  const own = Object.fromEntries(
    Object.entries(assigned).filter(([name]) => !EXTRA_ASSIGNMENTS.includes(name) && !name.startsWith(ENVIRONMENT_PREFIX)),
  )
  const environmentOptions = optionsOf(assigned)
  if (!faults.has('env')) checkOptions(environment, environmentOptions, faults)
  // Without knowing the algorithm nothing can be said of its hyper-parameters.
  if (!faults.has('algo')) checkHyperparameters(algorithm, own, faults)
  if (
    given.until?.kind === 'solved' &&
    given.threshold === undefined &&
    !faults.has('env') &&
    findEnvironment(environment).threshold === null
  ) {
    faults.add('usage', `--until solved needs --threshold: no mean return counts as solved for ${environment} by itself.`)
  }
  const share = given['share-experience']
  const base = faults.has('env') || faults.has('algo') ? undefined : faults.try(() => preset(algorithm, environment, given.preset))
  if (share !== undefined && base !== undefined) {
    const fault = sharingFault(algorithm, { ...defaultsOf(algorithm), ...base.hyperparameters, ...own }, share)
    if (fault !== null) faults.add('usage', fault)
  }
  return {
    found: {
      environment,
      environmentOptions,
      algorithm,
      ...(given.preset === undefined ? {} : { preset: given.preset }),
      hyperparameters: { ...base?.hyperparameters, ...own },
      horizonSteps: horizonSteps ?? base?.horizonSteps ?? 1,
      strategy: given.strategy ?? base?.swarm?.strategy ?? 'auto',
      codec: given.codec ?? 'f32',
      robust: given.robust ?? 'clip',
      partner: given.partner ?? null,
      server: given.server ?? null,
      period: typeof given.period === 'number' ? given.period : (base?.period ?? 1) * (share === undefined ? 1 : SHARING_PERIOD_TIMES),
      periodTarget: given.period === 'auto' ? (target ?? consensusLevels(algorithm).target) : null,
      rate: rateRule(assigned, base?.swarm?.rate ?? null, faults),
      outer:
        given.outer === 'nesterov' ? { learningRate: outerRate ?? 1, momentum: outerMomentum ?? DEFAULT_OUTER_MOMENTUM } : NO_OUTER_STEP,
      ...(given.moments === undefined || given.moments === 'local' ? {} : { moments: given.moments }),
      ...(share === undefined ? {} : { experienceShare: share }),
      seed: given.seed ?? (given.deterministic === true ? DETERMINISTIC_SEED : randomSeed),
      name: given.name ?? environment,
    },
  }
}

/** The preset's, changed by --set; `rateRule=none` takes it away, and the numbers alone begin one. */
function rateRule(assigned: Assigned, preset: RateRule | null, faults: Faults): RateRule | null {
  const from = assignedBetween('rateFrom', assigned, 1, MAX_RATE_PEERS, faults)
  const cap = assignedBetween('rateCap', assigned, 1, MAX_RATE_CAP, faults)
  const rule = assigned.rateRule ?? (preset === null && from === undefined && cap === undefined ? 'none' : 'sqrt')
  if (rule !== 'sqrt' && rule !== 'none') faults.add('usage', `rateRule (--set) must be sqrt or none, not ${JSON.stringify(rule)}`)
  if (rule === 'none' && (from ?? cap) !== undefined) faults.add('usage', 'rateFrom and rateCap (--set) make no sense with rateRule=none')
  if (rule !== 'sqrt') return null
  return { rule, from: from ?? preset?.from ?? 1, cap: cap ?? preset?.cap ?? DEFAULT_RATE_CAP }
}

/** `--set env.length=1`: what the environment is made with. */
function optionsOf(assigned: Assigned): Readonly<Record<string, HyperValue>> {
  const ours = Object.entries(assigned).filter(([name]) => name.startsWith(ENVIRONMENT_PREFIX))
  return Object.fromEntries(ours.map(([name, value]) => [name.slice(ENVIRONMENT_PREFIX.length), value]))
}

/** By making one, where that starts nothing. */
function checkOptions(environment: string, options: Readonly<Record<string, unknown>>, faults: Faults): void {
  if (Object.keys(options).length === 0 || isBridged(environment)) return
  faults.try(() => makeVectorEnv(environment, 1, options).close())
}

function defaultsOf(algorithm: AlgorithmId): Readonly<Record<string, HyperValue>> {
  return Object.fromEntries(Object.entries(hyperparameterRules(algorithm)).map(([name, { initial }]) => [name, initial]))
}

function checkHyperparameters(algorithm: AlgorithmId, own: Readonly<Record<string, HyperValue>>, faults: Faults): void {
  const names = [...Object.keys(hyperparameterRules(algorithm)), ...EXTRA_ASSIGNMENTS]
  for (const [name, value] of Object.entries(own)) {
    if (names.includes(name))
      for (const message of hyperparameterFaults(algorithm, { [name]: value })) faults.add('hyperparameter', message)
    else faults.add('hyperparameter', `"${name}" (--set) is no hyper-parameter of ${algorithm}; ${hint(name, names)}`)
  }
}
