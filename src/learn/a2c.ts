/**
 * Advantage actor-critic, synchronous [Mnih et al. 2016, arXiv 1602.01783]: every update takes a short rollout from a vector of environments,
 * n-step returns or generalised advantages, and one optimiser step on policy loss + value loss - entropy bonus, averaged over the rollout.
 * Needs the outputs `logits` (or `mean` and `logStd`) and `value`. An update whose loss or gradient is not finite is skipped and named.
 */
import { seededRandom } from '../util/random.ts'
import { ActorCriticWorker, actorCriticRows } from './actor-critic-worker.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import { type Hyperparameters, optimiserSpec, resolveHyperparameters } from './hyperparameters.ts'
import { linearSchedule } from './schedules.ts'
import type { StateFields } from './state.ts'

export class A2C implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target = null
  readonly optimiser: OptimiserState
  readonly episodes: Episodes
  readonly #settings: Hyperparameters<'a2c'>
  readonly #horizonSteps: number
  readonly #worker: ActorCriticWorker
  readonly #iteration: Iteration = { updates: 0, bad: null }
  readonly #last = { gradientNorm: 0, learningRate: 0 }

  constructor({ settings, engine, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('a2c', settings.algorithm.hyperparameters)
    const environment = makeEnvironments(own.environments)
    this.#settings = own
    this.#horizonSteps = settings.algorithm.horizonSteps
    this.network = engine.build(settings.network, actorCriticRows(environment, own))
    this.parameters = this.network.allocate()
    this.optimiser = this.network.createOptimiser(optimiserSpec(own))
    this.episodes = new Episodes(environment.count, settings.threshold)
    this.#worker = new ActorCriticWorker({
      settings: own,
      environment,
      network: this.network,
      episodes: this.episodes,
      random: seededRandom(settings.actorSeed, 'actions'),
      seed: settings.actorSeed,
    })
  }

  iterate(steps: number, rateFactor: number): Iteration {
    const { learningRate, finalLearningRate, maxGradientNorm } = this.#settings
    const last = this.#last
    last.learningRate = rateFactor * linearSchedule(learningRate, finalLearningRate, this.#horizonSteps, steps)
    const finite = this.#worker.compute(this.parameters)
    if (finite) {
      last.gradientNorm = this.network.step(this.optimiser, this.parameters, this.#worker.gradient, last.learningRate, maxGradientNorm)
    }
    const good = finite && Number.isFinite(last.gradientNorm)
    this.#iteration.updates = good ? 1 : 0
    this.#iteration.bad = good ? null : this.#worker.loss.badTerms()
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const statistics: Record<string, number> = {
      'train/gradient_norm': this.#last.gradientNorm,
      'train/learning_rate': this.#last.learningRate,
    }
    this.#worker.describe(statistics)
    return statistics
  }

  state(fields: StateFields): void {
    if (this.#worker.state(fields)) this.episodes.runningState(fields)
  }

  dispose(): void {
    this.#worker.dispose()
    this.network.dispose()
  }
}
