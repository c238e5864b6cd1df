/**
 * Ape-X DQN [Horgan et al. 2018, arXiv 1803.00933]: n-step double dueling Q-learning from prioritised replay, with a ladder of explorers that
 * give their transitions the first priorities from their own Q values. Needs the outputs `value` and `advantage` and discrete actions.
 * Returns are reported of the third of the environments that explores least. An update whose loss or gradient is not finite is skipped and
 * named; a transition whose reward is not is left out and named as "reward".
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { Progress } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { type SeededRandom, seededRandom } from '../util/random.ts'
import { requireNoMoments, requireShared } from './actors.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import { experienceShape } from './collector.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import { ladder, lowestThird } from './epsilon.ts'
import type { ExperienceSource } from './experience.ts'
import { ForeignReplay, type ForeignReplayOptions } from './foreign-replay.ts'
import { type Hyperparameters, optimiserSpec, resolveHyperparameters } from './hyperparameters.ts'
import { InlineQActors } from './inline-q-actors.ts'
import { THREAD_ROLLOUT_STEPS } from './limits.ts'
import { requireDiscrete } from './networks.ts'
import { requireOutput } from './policy-head.ts'
import { QCollector } from './q-collector.ts'
import { doubleQTargets, duelingGradient, duelingValues, qLearningLoss } from './q-losses.ts'
import { PrioritisedReplay, type ReplayBatch, replayBatch } from './replay.ts'
import { ReplayFeed } from './replay-feed.ts'
import { linearSchedule } from './schedules.ts'
import { requireSharedScale, requireSharing } from './sharing.ts'
import { randomField, type StateFields } from './state.ts'
import { ThreadedActors } from './threaded-actors.ts'

export class ApeX implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target: Arena
  readonly optimiser: OptimiserState
  readonly episodes: Episodes
  readonly #settings: Hyperparameters<'apex'>
  readonly #horizonSteps: number
  readonly #gradient: Arena
  readonly #replay: PrioritisedReplay
  readonly sharing: ForeignReplay | null
  readonly #draws: SeededRandom
  readonly #source: ExperienceSource
  readonly #feed: ReplayFeed
  /** Mean over the environments. */
  readonly #epsilon: number
  readonly #batch: ReplayBatch
  readonly #q: Float32Array
  readonly #nextQ: Float32Array
  readonly #targetQ: Float32Array
  readonly #dQ: Float32Array
  readonly #targets: Float32Array
  readonly #tdErrors: Float32Array
  readonly #iteration: Iteration = { updates: 0, bad: null }
  readonly #last = { loss: 0, gradientNorm: 0, learningRate: 0 }
  /** Updates that the steps so far have paid for. */
  #due = 0
  /** Steps made before the memory began to fill. */
  #emptyAtSteps = 0
  #updates = 0
  #badRewards = 0

  constructor({ settings, engine, threads, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('apex', settings.algorithm.hyperparameters)
    const environment = makeEnvironments(own.environments)
    const { actionSpace, observationSpace, count } = environment
    const actions = requireDiscrete(actionSpace)
    const observationSize = observationSpace.low.length
    const rows = own.batchSize
    const all = (threads?.count ?? 1) * count
    const epsilons = ladder(all, settings.actorSeed, own)
    const steps = threads === null ? own.rolloutLength : Math.max(own.rolloutLength, THREAD_ROLLOUT_STEPS)
    const shape = { ...experienceShape(environment, steps), qValues: true }
    this.#settings = own
    this.#horizonSteps = settings.algorithm.horizonSteps
    this.#replay = new PrioritisedReplay({
      capacity: requireCapacity(own.replayCapacity, all, own.nStep),
      observationSize,
      bytes: own.byteObservations,
      alpha: own.priorityExponent,
    })
    if (threads === null) {
      this.network = engine.build(settings.network, Math.max(rows, count))
      const random = seededRandom(settings.actorSeed, 'actions')
      const collector = new QCollector({ environments: [environment], network: this.network, epsilons, random, seed: settings.actorSeed })
      this.#source = new InlineQActors(collector, shape)
    } else {
      // It has told what there is to know of it: threads make their own.
      environment.close()
      requireNoMoments(environment.moments)
      const shared = requireShared(engine)
      const network = shared.build(settings.network, rows)
      this.network = network
      this.#source = new ThreadedActors('apex', threads, settings, shared.memory, network, shape)
    }
    requireOutput(this.network, 'value', 1)
    requireOutput(this.network, 'advantage', actions)
    this.parameters = this.network.allocate()
    this.target = this.network.allocate()
    this.#gradient = this.network.allocate()
    this.optimiser = this.network.createOptimiser(optimiserSpec(own))
    this.#epsilon = mean(epsilons)
    this.episodes = new Episodes(all, settings.threshold, lowestThird(epsilons))
    const { nStep, gamma } = own
    this.#feed = new ReplayFeed({ rows: all, nStep, gamma, replay: this.#replay, episodes: this.episodes })
    this.#draws = seededRandom(settings.actorSeed, 'replay')
    const batch = replayBatch(rows, observationSize)
    this.#batch = batch
    this.sharing = foreignReplay(settings.experienceShare ?? 0, own, environment, {
      own: this.#replay,
      batch,
      open: unfinished(all, nStep),
    })
    this.#q = new Float32Array(rows * actions)
    this.#nextQ = new Float32Array(rows * actions)
    this.#targetQ = new Float32Array(rows * actions)
    this.#dQ = new Float32Array(rows * actions)
    this.#targets = new Float32Array(rows)
    this.#tdErrors = new Float32Array(rows)
  }

  get actors(): Progress['actors'] {
    return this.#source.faults
  }

  /** Takes rollouts until an update is due (before `learningStarts`: one), and takes that one; neither where no rollout came for a while. */
  iterate(steps: number, rateFactor: number): Iteration {
    const { learningStarts, updatesPerStep } = this.#settings
    this.#iteration.updates = 0
    this.#iteration.bad = null
    while (this.#due < 1) {
      this.#source.publish(this.parameters, this.#updates)
      const experience = this.#source.take()
      if (experience === null) break
      this.#feed.take(experience)
      this.#source.release(experience)
      if (this.episodes.steps - this.#emptyAtSteps < learningStarts || !this.#replay.ready) break
      this.#due += experience.rewards.length * updatesPerStep
    }
    const badRewards = this.#feed.badRewards + this.#replay.refused
    if (badRewards > this.#badRewards) this.#iteration.bad = 'reward'
    this.#badRewards = badRewards
    if (this.#due >= 1) {
      this.#due--
      this.#update(steps, rateFactor)
    }
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const last = this.#last
    const slots = this.sharing?.ownSlots ?? this.#batch.slots
    const statistics: Record<string, number> = {
      'train/loss': last.loss,
      'losses/q_values': mean(this.#q),
      'train/td_error': meanSize(this.#tdErrors),
      'train/gradient_norm': last.gradientNorm,
      'train/learning_rate': last.learningRate,
      'rollout/exploration_rate': this.#epsilon,
      'replay/size': this.#replay.size,
      'replay/sample_age': this.#updates === 0 ? 0 : this.#replay.meanAge(slots),
    }
    this.#source.describe(statistics)
    this.sharing?.describe(statistics)
    return statistics
  }

  state(fields: StateFields, replay: boolean): void {
    const withReplay = fields.restoring ? fields.has('replay/counters') : replay
    fields.numbers(
      'counters',
      () => [this.#due, this.#updates, this.#emptyAtSteps],
      ([due, updates, emptyAtSteps]) => {
        this.#due = due!
        this.#updates = updates!
        this.#emptyAtSteps = withReplay ? emptyAtSteps! : this.episodes.steps
      },
    )
    randomField(fields, 'draws', this.#draws)
    if (withReplay) this.#replay.state(fields.under('replay'))
    if (this.#source.state(fields)) {
      if (withReplay) this.#feed.state(fields.under('open'))
      this.episodes.runningState(fields)
    }
    if (fields.restoring) this.#badRewards = this.#feed.badRewards + this.#replay.refused
  }

  dispose(): void {
    this.#source.stop()
    this.network.dispose()
  }

  #update(steps: number, rateFactor: number): void {
    const { network, parameters } = this
    const { batchSize: rows, importanceExponent, huberThreshold, maxGradientNorm, targetPeriod } = this.#settings
    const { slots, observations, actions, rewards, discounts, nextObservations, weights } = this.#batch
    const last = this.#last

    if (this.sharing === null) this.#replay.sample(this.#draws, importanceExponent, this.#batch)
    else this.sharing.sample(this.#draws, importanceExponent)
    network.forward(this.target, nextObservations, rows)
    duelingValues(network.output('value'), network.output('advantage'), this.#targetQ)
    network.forward(parameters, nextObservations, rows)
    duelingValues(network.output('value'), network.output('advantage'), this.#nextQ)
    doubleQTargets(rewards, discounts, this.#nextQ, this.#targetQ, this.#targets)

    network.forward(parameters, observations, rows)
    duelingValues(network.output('value'), network.output('advantage'), this.#q)
    last.loss = qLearningLoss(this.#q, actions, this.#targets, weights, huberThreshold, this.#tdErrors, this.#dQ)
    last.learningRate =
      rateFactor * linearSchedule(this.#settings.learningRate, this.#settings.finalLearningRate, this.#horizonSteps, steps)
    if (!Number.isFinite(last.loss)) {
      this.#iteration.bad = 'loss'
      return
    }
    duelingGradient(this.#dQ, network.outputGradient('value'), network.outputGradient('advantage'))
    network.backward(parameters, observations, rows, this.#gradient)
    last.gradientNorm = network.step(this.optimiser, parameters, this.#gradient, last.learningRate, maxGradientNorm)
    if (!Number.isFinite(last.gradientNorm)) {
      this.#iteration.bad = 'gradient'
      return
    }
    if (this.sharing === null) this.#replay.update(slots, this.#tdErrors)
    else this.sharing.update(this.#tdErrors)
    this.#iteration.updates = 1
    if (++this.#updates % targetPeriod === 0) this.target.data.set(parameters.data)
  }
}

/** Each environment may hold n + 1 observations that are not complete transitions yet, and as many final ones where all its episodes are short. */
function unfinished(environments: number, n: number): number {
  return 2 * environments * (n + 1)
}

/** Null: nothing is shared. */
function foreignReplay(
  share: number,
  own: Hyperparameters<'apex'>,
  { actionSpace, observationSpace, moments }: WrappedVector,
  parts: Pick<ForeignReplayOptions, 'own' | 'batch' | 'open'>,
): ForeignReplay | null {
  if (share === 0) return null
  requireSharing('apex', own, share)
  requireSharedScale(moments)
  const { byteObservations: bytes, priorityExponent: alpha } = own
  const format = {
    kind: 'transitions',
    observationSize: observationSpace.low.length,
    bytes,
    actions: requireDiscrete(actionSpace),
  } as const
  return new ForeignReplay({ ...parts, format, alpha, share })
}

function requireCapacity(capacity: number, environments: number, n: number): number {
  const least = unfinished(environments, n)
  if (capacity >= least) return capacity
  throw new GrapevineError(
    'hyperparameter',
    'local',
    `The hyper-parameter replayCapacity of apex must be at least ${least} for ${environments} environments and nStep ${n}, not ${capacity}.`,
    { capacity, least },
  )
}

function mean(values: Float32Array | Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

function meanSize(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!)
  return sum / values.length
}
