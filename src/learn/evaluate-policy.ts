/** Whole episodes of a trained policy in its environment, outside of training. */
import { makeVectorEnv } from '../envs/registry.ts'
import { wrapVector } from '../envs/wrappers/wrap.ts'
import type { PolicyFile } from '../ports/policy.ts'
import type { Engine } from './engine.ts'
import { type Evaluation, type EvaluationOptions, Evaluator } from './evaluate.ts'
import { MAX_EVALUATION_ROWS } from './limits.ts'

/** Throws GrapevineErrors of the registry, and `network_mismatch` where the environment is another than it was trained in. */
export function evaluatePolicy({ facts, parameters }: PolicyFile, engine: Engine, options: EvaluationOptions): Evaluation {
  const { environment, wrappers, network, observe } = facts
  const rows = Math.min(options.episodes, MAX_EVALUATION_ROWS)
  const evaluator = new Evaluator(wrapVector(makeVectorEnv(environment.id, rows, environment.options), wrappers), network, engine)
  try {
    const normalisers = observe.flatMap((stage) => (stage.kind === 'normalise' ? [momentsOf(stage.mean, stage.variance)] : []))
    return evaluator.evaluate({ parameters, normalisers: placed(normalisers, wrappers) }, options)
  } finally {
    evaluator.dispose()
  }
}

/** One sample of each is enough: mean and variance are all that is used. */
function momentsOf(mean: readonly number[], variance: readonly number[]) {
  return { count: 1, mean: Float64Array.from(mean), m2: Float64Array.from(variance) }
}

type Placed = ReturnType<typeof momentsOf>

/** Normalisers of rewards have moments, too, which change nothing that a policy sees or its raw returns. */
function placed(normalisers: Placed[], wrappers: PolicyFile['facts']['wrappers']): Placed[] {
  const left = [...normalisers]
  return wrappers
    .filter(({ id }) => id.startsWith('normalise'))
    .map(({ id }) => (id === 'normaliseObservations' ? left.shift()! : momentsOf([0], [1])))
}
