/**
 * Advantage actor-critic, synchronous [Mnih et al. 2016, arXiv 1602.01783]: every update takes a short rollout from a vector of environments,
 * n-step returns or generalised advantages, and one optimiser step on policy loss + value loss - entropy bonus, averaged over the rollout.
 * Needs the outputs `logits` (or `mean` and `logStd`) and `value`. An update whose loss or gradient is not finite is skipped and named.
 */
import { seededRandom } from '../util/random.ts'
import { ActorCriticLoss } from './actor-critic-loss.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import { type Hyperparameters, optimiserSpec, resolveHyperparameters } from './hyperparameters.ts'
import { createPolicyHead, requireOutput } from './policy-head.ts'
import { explainedVariance, generalisedAdvantages, standardise } from './returns.ts'
import { Rollout } from './rollout.ts'
import { linearSchedule } from './schedules.ts'

export class A2C implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target = null
  readonly episodes: Episodes
  readonly #settings: Hyperparameters<'a2c'>
  readonly #horizonSteps: number
  readonly #gradient: Arena
  readonly #optimiser: OptimiserState
  readonly #rollout: Rollout
  readonly #advantages: Float32Array
  readonly #returns: Float32Array
  readonly #loss: ActorCriticLoss
  readonly #iteration: Iteration = { updates: 0, bad: null }
  readonly #last = { gradientNorm: 0, learningRate: 0 }

  constructor({ settings, engine, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('a2c', settings.algorithm.hyperparameters)
    const environment = makeEnvironments(own.environments)
    const rows = environment.count * own.rolloutLength
    this.#settings = own
    this.#horizonSteps = settings.algorithm.horizonSteps
    this.network = engine.build(settings.network, rows)
    this.parameters = this.network.allocate()
    this.#gradient = this.network.allocate()
    this.#optimiser = this.network.createOptimiser(optimiserSpec(own))
    requireOutput(this.network, 'value', 1)
    const policy = createPolicyHead(this.network, environment.actionSpace, rows)
    this.episodes = new Episodes(environment.count, settings.threshold)
    this.#rollout = new Rollout({
      environment,
      network: this.network,
      policy,
      episodes: this.episodes,
      random: seededRandom(settings.actorSeed, 'actions'),
      length: own.rolloutLength,
      gamma: own.gamma,
      seed: settings.actorSeed,
    })
    this.#loss = new ActorCriticLoss(this.network, policy, rows, own)
    this.#advantages = new Float32Array(rows)
    this.#returns = new Float32Array(rows)
  }

  iterate(steps: number): Iteration {
    const { network, parameters } = this
    const { lambda, normaliseAdvantages, maxGradientNorm } = this.#settings
    const { trajectory, observations, actions, rows } = this.#rollout
    const last = this.#last

    this.#rollout.collect(parameters)
    generalisedAdvantages(trajectory, lambda, this.#advantages, this.#returns)
    if (normaliseAdvantages) standardise(this.#advantages)

    network.forward(parameters, observations, rows)
    this.#loss.score(actions)
    const finite = this.#loss.differentiate(actions, this.#advantages, this.#returns)
    last.learningRate = this.#learningRate(steps)
    if (finite) {
      network.backward(parameters, observations, rows, this.#gradient)
      last.gradientNorm = network.step(this.#optimiser, parameters, this.#gradient, last.learningRate, maxGradientNorm)
    }
    const good = finite && Number.isFinite(last.gradientNorm)
    this.#iteration.updates = good ? 1 : 0
    this.#iteration.bad = good ? null : this.#loss.badTerms()
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const last = this.#last
    const statistics: Record<string, number> = {
      'train/gradient_norm': last.gradientNorm,
      'train/learning_rate': last.learningRate,
      'train/explained_variance': explainedVariance(this.#rollout.trajectory.values, this.#returns),
    }
    this.#loss.describe(statistics)
    return statistics
  }

  dispose(): void {
    this.#rollout.dispose()
    this.network.dispose()
  }

  #learningRate(steps: number): number {
    return linearSchedule(this.#settings.learningRate, this.#settings.finalLearningRate, this.#horizonSteps, steps)
  }
}
