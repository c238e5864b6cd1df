/**
 * The hyper-parameters of each algorithm: names, types, ranges and defaults. They travel in the manifest as flat values; whatever arrives,
 * from a flag or from a peer, passes `resolveHyperparameters` before anything is built from it.
 */
import type { HyperValue, MomentKind } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { OptimiserSpec } from './engine.ts'
import { momentKinds } from './optimisers.ts'

export type HyperparameterRule =
  | { readonly kind: 'integer' | 'number'; readonly initial: number; readonly min: number; readonly max: number; readonly about: string }
  /** A number, or null to leave it out. */
  | { readonly kind: 'optional'; readonly initial: number | null; readonly min: number; readonly max: number; readonly about: string }
  | { readonly kind: 'boolean'; readonly initial: boolean; readonly about: string }
  | { readonly kind: 'choice'; readonly initial: string; readonly choices: readonly string[]; readonly about: string }

/** Stable-Baselines3's defaults for A2C where its names have a counterpart. */
const A2C = {
  environments: { kind: 'integer', initial: 8, min: 1, max: 4096, about: 'environments stepped side by side' },
  rolloutLength: { kind: 'integer', initial: 5, min: 1, max: 65_536, about: 'steps of each environment per update' },
  gamma: { kind: 'number', initial: 0.99, min: 0, max: 1, about: 'discount per step' },
  lambda: { kind: 'number', initial: 1, min: 0, max: 1, about: 'decay of the advantage trace; 1: n-step returns' },
  learningRate: { kind: 'number', initial: 7e-4, min: 1e-9, max: 10, about: 'at the start' },
  finalLearningRate: { kind: 'number', initial: 7e-4, min: 1e-9, max: 10, about: 'reached linearly at horizonSteps and kept' },
  entropyCoefficient: { kind: 'number', initial: 0, min: 0, max: 10, about: 'weight of the entropy bonus' },
  valueCoefficient: { kind: 'number', initial: 0.5, min: 0, max: 10, about: 'weight of the mean squared value error' },
  maxGradientNorm: { kind: 'optional', initial: 0.5, min: 1e-6, max: 1e6, about: 'global L2 norm the gradient is clipped to' },
  normaliseAdvantages: { kind: 'boolean', initial: false, about: 'standardise advantages over the rollout' },
  optimiser: { kind: 'choice', initial: 'rmsprop', choices: ['rmsprop', 'adam'], about: 'rmsprop in the TensorFlow form, or adam' },
  optimiserDecay: { kind: 'number', initial: 0.99, min: 0, max: 0.999999, about: 'decay of the mean square (rmsprop), beta2 (adam)' },
  optimiserEpsilon: { kind: 'number', initial: 1e-5, min: 1e-12, max: 1, about: 'inside the square root for rmsprop, outside for adam' },
} as const satisfies Record<string, HyperparameterRule>

/** Ape-X's exponents; rates and sizes for one machine of small tasks. */
const APEX = {
  environments: { kind: 'integer', initial: 8, min: 1, max: 4096, about: 'environments stepped side by side, each with its epsilon' },
  rolloutLength: { kind: 'integer', initial: 1, min: 1, max: 65_536, about: 'steps of each environment between rounds of updates' },
  updatesPerStep: { kind: 'number', initial: 0.5, min: 1e-6, max: 64, about: 'updates per environment step' },
  learningStarts: { kind: 'integer', initial: 1_000, min: 1, max: 1e9, about: 'environment steps before the first update' },
  batchSize: { kind: 'integer', initial: 64, min: 1, max: 65_536, about: 'transitions per update' },
  replayCapacity: { kind: 'integer', initial: 100_000, min: 16, max: 1e8, about: 'observations held' },
  byteObservations: { kind: 'boolean', initial: false, about: 'store observations, whole numbers up to 255, as bytes' },
  nStep: { kind: 'integer', initial: 3, min: 1, max: 1_000, about: 'steps of reward before the bootstrap' },
  gamma: { kind: 'number', initial: 0.99, min: 0, max: 1, about: 'discount per step' },
  priorityExponent: { kind: 'number', initial: 0.6, min: 0, max: 1, about: 'alpha of the priorities; 0: uniform replay' },
  importanceExponent: { kind: 'number', initial: 0.4, min: 0, max: 1, about: 'beta of the importance weights; 0: none' },
  epsilonBase: { kind: 'number', initial: 0.4, min: 1e-6, max: 1, about: 'random actions of the environment that explores most' },
  epsilonExponent: { kind: 'number', initial: 7, min: 0, max: 1_000, about: 'the one that explores least: base^(1 + this)' },
  targetPeriod: { kind: 'integer', initial: 500, min: 1, max: 1e9, about: 'updates between copies to the target network' },
  huberThreshold: { kind: 'optional', initial: 1, min: 1e-6, max: 1e6, about: 'error beyond which the loss is linear; null: squared' },
  learningRate: { kind: 'number', initial: 5e-4, min: 1e-9, max: 10, about: 'at the start' },
  finalLearningRate: { kind: 'number', initial: 5e-4, min: 1e-9, max: 10, about: 'reached linearly at horizonSteps and kept' },
  maxGradientNorm: { kind: 'optional', initial: 10, min: 1e-6, max: 1e6, about: 'global L2 norm the gradient is clipped to' },
  optimiser: { kind: 'choice', initial: 'adam', choices: ['rmsprop', 'adam'], about: 'rmsprop in the TensorFlow form, or adam' },
  optimiserDecay: { kind: 'number', initial: 0.999, min: 0, max: 0.999999, about: 'decay of the mean square (rmsprop), beta2 (adam)' },
  optimiserEpsilon: { kind: 'number', initial: 1e-5, min: 1e-12, max: 1, about: 'inside the square root for rmsprop, outside for adam' },
} as const satisfies Record<string, HyperparameterRule>

/** Stable-Baselines3's defaults for PPO where its names have a counterpart. */
const PPO = {
  environments: { kind: 'integer', initial: 8, min: 1, max: 4096, about: 'environments stepped side by side' },
  rolloutLength: { kind: 'integer', initial: 256, min: 1, max: 65_536, about: 'steps of each environment per rollout' },
  batchSize: { kind: 'integer', initial: 64, min: 1, max: 65_536, about: 'samples per update; at most the whole rollout' },
  epochs: { kind: 'integer', initial: 10, min: 1, max: 1_000, about: 'times each sample of a rollout is used' },
  gamma: { kind: 'number', initial: 0.99, min: 0, max: 1, about: 'discount per step' },
  lambda: { kind: 'number', initial: 0.95, min: 0, max: 1, about: 'decay of the advantage trace; 1: n-step returns' },
  learningRate: { kind: 'number', initial: 3e-4, min: 1e-9, max: 10, about: 'of Adam, at the start' },
  finalLearningRate: { kind: 'number', initial: 3e-4, min: 1e-9, max: 10, about: 'reached linearly at horizonSteps and kept' },
  clipRange: { kind: 'number', initial: 0.2, min: 1e-6, max: 10, about: 'epsilon of the clipped surrogate, at the start' },
  finalClipRange: { kind: 'number', initial: 0.2, min: 1e-6, max: 10, about: 'reached linearly at horizonSteps and kept' },
  valueClipRange: {
    kind: 'optional',
    initial: null,
    min: 1e-6,
    max: 1e6,
    about: 'how far a value may move from the old one; null: freely',
  },
  entropyCoefficient: { kind: 'number', initial: 0, min: 0, max: 10, about: 'weight of the entropy bonus' },
  valueCoefficient: { kind: 'number', initial: 0.5, min: 0, max: 10, about: 'weight of the mean squared value error' },
  maxGradientNorm: { kind: 'optional', initial: 0.5, min: 1e-6, max: 1e6, about: 'global L2 norm the gradient is clipped to' },
  normaliseAdvantages: {
    kind: 'choice',
    initial: 'auto',
    choices: ['auto', 'always', 'never'],
    about: 'standardise advantages over each minibatch; auto: where it has 64 samples or more',
  },
  targetKl: { kind: 'optional', initial: null, min: 1e-9, max: 1e3, about: 'approximate KL at 1.5 times which updates on a rollout end' },
  optimiserDecay: { kind: 'number', initial: 0.999, min: 0, max: 0.999999, about: "Adam's beta2" },
  optimiserEpsilon: { kind: 'number', initial: 1e-5, min: 1e-12, max: 1, about: 'outside the square root' },
} as const satisfies Record<string, HyperparameterRule>

/** IMPALA's corrections on top of A2C; losses are means, so rates compare with A2C's. */
const IMPALA = {
  ...A2C,
  rolloutLength: { kind: 'integer', initial: 20, min: 1, max: 65_536, about: 'steps of each environment per rollout and update' },
  lambda: { kind: 'number', initial: 1, min: 0, max: 1, about: 'scales the trace coefficients of V-trace' },
  rhoBar: { kind: 'number', initial: 1, min: 1e-6, max: 1e6, about: 'bound of the importance weights in the value targets' },
  policyRhoBar: { kind: 'number', initial: 1, min: 1e-6, max: 1e6, about: 'bound of the importance weights in the advantages' },
  inlineLag: {
    kind: 'integer',
    initial: 1,
    min: 0,
    max: 1_000,
    about: 'updates that the policy of actors in the learner thread lags behind',
  },
  maxPolicyLag: { kind: 'integer', initial: 100, min: 1, max: 1e6, about: 'updates behind at which a rollout is dropped and counted' },
} as const satisfies Record<string, HyperparameterRule>

const { optimiser: _, ...A3C_FROM_A2C } = A2C

/** A2C's, one set for each worker; the optimiser is RMSprop with a state that all share. */
const A3C = {
  ...A3C_FROM_A2C,
  workers: { kind: 'integer', initial: 4, min: 1, max: 256, about: 'taking turns where there are no actor threads' },
  environments: { kind: 'integer', initial: 4, min: 1, max: 4096, about: 'of each worker, stepped side by side' },
} as const satisfies Record<string, HyperparameterRule>

const TABLES = { a2c: A2C, a3c: A3C, apex: APEX, impala: IMPALA, ppo: PPO } as const satisfies Record<
  string,
  Record<string, HyperparameterRule>
>

type ValueOf<Rule extends HyperparameterRule> = Rule extends { kind: 'integer' | 'number' }
  ? number
  : Rule extends { kind: 'optional' }
    ? number | null
    : Rule extends { kind: 'boolean' }
      ? boolean
      : Rule extends { kind: 'choice'; choices: readonly (infer Choice)[] }
        ? Choice
        : never

export type AlgorithmId = keyof typeof TABLES

/** All hyper-parameters of one algorithm, each with a valid value. */
export type Hyperparameters<Id extends AlgorithmId> = {
  readonly [Name in keyof (typeof TABLES)[Id]]: (typeof TABLES)[Id][Name] extends HyperparameterRule
    ? ValueOf<(typeof TABLES)[Id][Name]>
    : never
}

/** Ids of the algorithms that this build can run. */
export const ALGORITHMS = Object.keys(TABLES) as readonly AlgorithmId[]

/** The table of one algorithm, for help texts; throws `hyperparameter` for an unknown id. */
export function hyperparameterRules(algorithm: string): Readonly<Record<string, HyperparameterRule>> {
  return TABLES[requireAlgorithm(algorithm)]
}

export function requireAlgorithm(algorithm: string): AlgorithmId {
  if (Object.hasOwn(TABLES, algorithm)) return algorithm as AlgorithmId
  throw new GrapevineError('algorithm', 'local', `There is no algorithm '${algorithm}'; there are: ${ALGORITHMS.join(', ')}.`, {
    algorithm,
  })
}

/** What is wrong with `given`, one sentence each; empty when it is valid. Missing names take their defaults and are no fault. */
export function hyperparameterFaults(algorithm: string, given: Readonly<Record<string, HyperValue>>): readonly string[] {
  const rules = hyperparameterRules(algorithm)
  const faults: string[] = []
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) {
      faults.push(`${algorithm} has no hyper-parameter '${name}'; it has: ${Object.keys(rules).join(', ')}.`)
    } else if (!isValid(rule, value)) {
      faults.push(`The hyper-parameter ${name} of ${algorithm} must be ${range(rule)}, not ${JSON.stringify(value)}.`)
    }
  }
  return faults
}

/** `given` completed with the defaults; throws GrapevineError `hyperparameter` whose message holds one sentence per fault. */
export function resolveHyperparameters<Id extends AlgorithmId>(
  algorithm: Id,
  given: Readonly<Record<string, HyperValue>>,
): Hyperparameters<Id> {
  const faults = hyperparameterFaults(algorithm, given)
  if (faults.length > 0) throw new GrapevineError('hyperparameter', 'local', faults.join(' '), { faults })
  const defaults = Object.entries(hyperparameterRules(algorithm)).map(([name, rule]) => [name, rule.initial] as const)
  return { ...Object.fromEntries(defaults), ...given } as Hyperparameters<Id>
}

/** The optimiser that an algorithm's hyper-parameters name; Adam's beta1 is 0.9. */
export function optimiserSpec(settings: Pick<Hyperparameters<'a2c'>, 'optimiser' | 'optimiserDecay' | 'optimiserEpsilon'>): OptimiserSpec {
  const { optimiser, optimiserDecay: decay, optimiserEpsilon: epsilon } = settings
  if (optimiser === 'adam') return { kind: 'adam', beta1: 0.9, beta2: decay, epsilon }
  return { kind: 'rmsprop', decay, epsilon, epsilonInside: true }
}

/** Moments that the optimiser of an algorithm with these resolved hyper-parameters keeps; some algorithms have one optimiser and no choice. */
export function momentsOf(algorithm: AlgorithmId, { optimiser }: Readonly<Record<string, HyperValue>>): readonly MomentKind[] {
  return momentKinds({ kind: algorithm === 'ppo' || optimiser === 'adam' ? 'adam' : 'rmsprop' })
}

function isValid(rule: HyperparameterRule, value: HyperValue): boolean {
  switch (rule.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'choice':
      return typeof value === 'string' && rule.choices.includes(value)
    case 'integer':
      return Number.isInteger(value) && within(rule, value as number)
    case 'optional':
      return value === null || (typeof value === 'number' && within(rule, value))
    case 'number':
      return typeof value === 'number' && within(rule, value)
  }
}

function within(rule: { readonly min: number; readonly max: number }, value: number): boolean {
  return value >= rule.min && value <= rule.max
}

function range(rule: HyperparameterRule): string {
  switch (rule.kind) {
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${rule.choices.join(', ')}`
    case 'integer':
      return `a whole number from ${rule.min} to ${rule.max}`
    case 'optional':
      return `a number from ${rule.min} to ${rule.max}, or null`
    case 'number':
      return `a number from ${rule.min} to ${rule.max}`
  }
}
