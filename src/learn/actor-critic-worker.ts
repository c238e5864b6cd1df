/**
 * What A2C does once and A3C's workers do each on their own: a rollout from a vector of environments, n-step returns or generalised advantages,
 * and the gradient of the actor-critic loss. Who applies it to which parameters is not its business.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import { ActorCriticLoss } from './actor-critic-loss.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Hyperparameters } from './hyperparameters.ts'
import { createPolicyHead, requireOutput } from './policy-head.ts'
import { explainedVariance, generalisedAdvantages, standardise } from './returns.ts'
import { type EpisodeRecord, Rollout } from './rollout.ts'
import type { StateFields } from './state.ts'

/** The hyper-parameters that a rollout and its gradient need. */
type GradientSettings = Pick<
  Hyperparameters<'a2c'>,
  'rolloutLength' | 'gamma' | 'lambda' | 'normaliseAdvantages' | 'valueCoefficient' | 'entropyCoefficient'
>

export interface ActorCriticWorkerOptions {
  readonly settings: GradientSettings
  readonly environment: WrappedVector
  /** Takes `actorCriticRows` rows. */
  readonly network: EngineNetwork
  readonly episodes: EpisodeRecord
  readonly random: SeededRandom
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class ActorCriticWorker {
  /** Of the last `compute`. */
  readonly gradient: Arena
  readonly loss: ActorCriticLoss
  readonly #settings: GradientSettings
  readonly #network: EngineNetwork
  readonly #rollout: Rollout
  readonly #advantages: Float32Array
  readonly #returns: Float32Array

  constructor({ settings, environment, network, episodes, random, seed }: ActorCriticWorkerOptions) {
    const rows = actorCriticRows(environment, settings)
    requireOutput(network, 'value', 1)
    const policy = createPolicyHead(network, environment.actionSpace, rows)
    const { rolloutLength: length, gamma } = settings
    this.#settings = settings
    this.#network = network
    this.gradient = network.allocate()
    this.loss = new ActorCriticLoss(network, policy, rows, settings)
    this.#rollout = new Rollout({ environment, network, policy, episodes, random, length, gamma, seed })
    this.#advantages = new Float32Array(rows)
    this.#returns = new Float32Array(rows)
  }

  /** One rollout under `parameters` and the gradient of its loss; false where the loss is not finite. */
  compute(parameters: Arena): boolean {
    const { lambda, normaliseAdvantages } = this.#settings
    const { trajectory, observations, actions, rows } = this.#rollout
    this.#rollout.collect(parameters)
    generalisedAdvantages(trajectory, lambda, this.#advantages, this.#returns)
    if (normaliseAdvantages) standardise(this.#advantages)

    this.#network.forward(parameters, observations, rows)
    this.loss.score(actions)
    const finite = this.loss.differentiate(actions, this.#advantages, this.#returns)
    if (finite) this.#network.backward(parameters, observations, rows, this.gradient)
    return finite
  }

  describe(statistics: Record<string, number>): void {
    this.loss.describe(statistics)
    statistics['train/explained_variance'] = this.explainedVariance
  }

  get explainedVariance(): number {
    return explainedVariance(this.#rollout.trajectory.values, this.#returns)
  }

  /** False where its environments began anew. */
  state(fields: StateFields): boolean {
    return this.#rollout.state(fields)
  }

  dispose(): void {
    this.#rollout.dispose()
  }
}

/** Rows of one rollout. */
export function actorCriticRows(environment: WrappedVector, { rolloutLength }: GradientSettings): number {
  return environment.count * rolloutLength
}
