/**
 * Asynchronous advantage actor-critic [Mnih et al. 2016, arXiv 1602.01783]: workers with environments of their own each copy the shared parameters,
 * compute a gradient on the copy, and apply it to the shared ones as they are by then, without a lock (Hogwild), with one shared RMSprop state.
 * Needs the outputs `logits` (or `mean` and `logStd`) and `value`. An update whose loss or gradient is not finite is skipped and named.
 *
 * With threads each of them is a worker and runs freely during `iterate`; a gate keeps them from the shared arenas between two calls. Without,
 * `workers` of them take turns drawn from the seed, each applying the gradient that it computed in its last turn: what delay does to learning
 * is there, and the same seeds give the same curve.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import { type A3CWorkers, sharedOptimiser, ThreadedWorkers } from './a3c-threads.ts'
import { ActorCriticWorker, actorCriticRows } from './actor-critic-worker.ts'
import { requireNoMoments, requireShared } from './actors.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import { type Hyperparameters, resolveHyperparameters } from './hyperparameters.ts'
import { createPolicyHead, requireOutput } from './policy-head.ts'
import { LagWindow } from './policy-lag.ts'
import { linearSchedule } from './schedules.ts'
import { arenaField, randomField, type StateFields } from './state.ts'

export class A3C implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target = null
  readonly episodes: Episodes
  readonly #settings: Hyperparameters<'a3c'>
  readonly #horizonSteps: number
  readonly #workers: A3CWorkers
  readonly #iteration: Iteration = { updates: 0, bad: null }
  #learningRate = 0

  constructor({ settings, engine, threads, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('a3c', settings.algorithm.hyperparameters)
    this.#settings = own
    this.#horizonSteps = settings.algorithm.horizonSteps
    if (threads === null) {
      const environments = Array.from({ length: own.workers }, () => makeEnvironments(own.environments))
      const count = environments[0]!.count
      this.network = engine.build(settings.network, actorCriticRows(environments[0]!, own))
      this.parameters = this.network.allocate()
      this.episodes = new Episodes(own.workers * count, settings.threshold)
      this.#workers = new InlineWorkers(own, settings, environments, this)
    } else {
      const environment = makeEnvironments(own.environments)
      // It tells what there is to know of it: threads make their own.
      environment.close()
      requireNoMoments(environment.moments)
      const shared = requireShared(engine)
      const network = shared.build(settings.network, 1)
      requireOutput(network, 'value', 1)
      createPolicyHead(network, environment.actionSpace, 1)
      this.network = network
      this.parameters = network.allocate()
      this.episodes = new Episodes(0, settings.threshold)
      this.#workers = new ThreadedWorkers(threads, settings, shared.memory, network, this.parameters, this.episodes)
    }
  }

  get actors(): Progress['actors'] {
    return this.#workers.faults
  }

  get optimiser(): OptimiserState {
    return this.#workers.optimiser
  }

  iterate(steps: number, rateFactor: number): Iteration {
    const { learningRate, finalLearningRate } = this.#settings
    this.#learningRate = rateFactor * linearSchedule(learningRate, finalLearningRate, this.#horizonSteps, steps)
    this.#iteration.updates = 0
    this.#iteration.bad = null
    this.#workers.run(this.#learningRate, this.#iteration)
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const statistics: Record<string, number> = { 'train/learning_rate': this.#learningRate }
    this.#workers.describe(statistics)
    return statistics
  }

  state(fields: StateFields): void {
    this.#workers.state(fields)
  }

  dispose(): void {
    this.#workers.stop()
    this.network.dispose()
  }
}

/** A worker of the inline form: its copy of the parameters, and whether the gradient of its last turn waits to be applied. */
interface Turn {
  readonly worker: ActorCriticWorker
  readonly copy: Arena
  pending: boolean
  /** Updates of all when the copy was taken. */
  version: number
}

class InlineWorkers implements A3CWorkers {
  readonly faults = null
  readonly #turns: readonly Turn[]
  readonly #order: SeededRandom
  readonly #shared: { readonly network: EngineNetwork; readonly parameters: Arena }
  readonly optimiser: OptimiserState
  readonly #episodes: Episodes
  readonly #maxGradientNorm: number | null
  readonly #lags = new LagWindow()
  #last: ActorCriticWorker
  #gradientNorm = 0
  #updates = 0

  constructor(own: Hyperparameters<'a3c'>, settings: LearnerSettings, environments: readonly WrappedVector[], shared: A3C) {
    const { network, episodes } = shared
    this.#shared = shared
    this.#episodes = episodes
    this.optimiser = network.createOptimiser(sharedOptimiser(own))
    this.#maxGradientNorm = own.maxGradientNorm
    this.#order = seededRandom(settings.actorSeed, 'turns')
    this.#turns = environments.map((environment, i) => {
      const first = i * environment.count
      const record = (rewards: Float32Array, terminated: Uint8Array, truncated: Uint8Array) =>
        episodes.recordFrom(first, rewards, terminated, truncated)
      const random = seededRandom(settings.actorSeed, 'actions', i)
      const worker = new ActorCriticWorker({
        settings: own,
        environment,
        network,
        episodes: { record },
        random,
        seed: settings.actorSeed + first,
      })
      return { worker, copy: network.allocate(), pending: false, version: 0 }
    })
    this.#last = this.#turns[0]!.worker
  }

  run(learningRate: number, iteration: Iteration): void {
    while (iteration.updates === 0 && iteration.bad === null)
      this.#turn(this.#turns[this.#order.below(this.#turns.length)]!, learningRate, iteration)
  }

  describe(statistics: Record<string, number>): void {
    this.#last.describe(statistics)
    statistics['train/gradient_norm'] = this.#gradientNorm
    statistics['train/policy_lag'] = this.#lags.mean
    statistics['train/policy_lag_max'] = this.#lags.max
  }

  state(fields: StateFields): void {
    // Saved by a learner whose workers were threads.
    if (fields.restoring && !fields.has('order')) return
    randomField(fields, 'order', this.#order)
    this.#lags.state(fields)
    fields.numbers(
      'updates',
      () => [this.#updates],
      ([updates]) => {
        this.#updates = updates!
      },
    )
    let goesOn = true
    for (const [i, turn] of this.#turns.entries()) goesOn = this.#turnState(fields.under(String(i)), turn) && goesOn
    if (goesOn) this.#episodes.runningState(fields)
  }

  #turnState(fields: StateFields, turn: Turn): boolean {
    fields.numbers(
      'turn',
      () => [turn.pending ? 1 : 0, turn.version],
      ([pending, version]) => {
        turn.pending = pending === 1
        turn.version = version!
      },
    )
    arenaField(fields, 'gradient', this.#shared.network, turn.worker.gradient)
    return turn.worker.state(fields)
  }

  stop(): void {
    for (const { worker } of this.#turns) worker.dispose()
  }

  /** Applies what the worker computed in its last turn, then computes on a copy of what there is now. */
  #turn(turn: Turn, learningRate: number, iteration: Iteration): void {
    const { network, parameters } = this.#shared
    const { worker, copy } = turn
    if (turn.pending) {
      this.#gradientNorm = network.step(this.optimiser, parameters, worker.gradient, learningRate, this.#maxGradientNorm)
      if (Number.isFinite(this.#gradientNorm)) {
        iteration.updates = 1
        this.#lags.add(this.#updates++ - turn.version)
      } else {
        iteration.bad = worker.loss.badTerms()
      }
    }
    copy.data.set(parameters.data)
    turn.version = this.#updates
    turn.pending = worker.compute(copy)
    this.#last = worker
    if (!turn.pending) iteration.bad = worker.loss.badTerms()
  }
}
