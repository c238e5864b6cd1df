/**
 * IMPALA [Espeholt et al. 2018, arXiv 1802.01561]: actors collect rollouts with policies that are some updates old, and V-trace corrects for that
 * lag; every rollout is one optimiser step on policy loss + value loss - entropy bonus. The paper sums its losses over the rollout, these are
 * means: a sum is a mean at a rate larger by the number of samples. Needs the outputs `logits` (or `mean` and `logStd`) and `value`.
 * A rollout more than `maxPolicyLag` updates old is dropped and counted. An update whose loss or gradient is not finite is skipped and named.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import { exp } from '../util/maths.ts'
import { seededRandom } from '../util/random.ts'
import { ActorCriticLoss } from './actor-critic-loss.ts'
import { requireNoMoments, requireShared } from './actors.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import { Collector, experienceShape } from './collector.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import type { Experience, ExperienceShape, ExperienceSource } from './experience.ts'
import { ForeignRollouts } from './foreign-rollouts.ts'
import { type Hyperparameters, optimiserSpec, resolveHyperparameters } from './hyperparameters.ts'
import { InlineActors } from './inline-actors.ts'
import { createPolicyHead, requireOutput } from './policy-head.ts'
import { LagWindow } from './policy-lag.ts'
import { discountsOf, explainedVariance, standardise, type Trajectory } from './returns.ts'
import { linearSchedule } from './schedules.ts'
import { requireSharedScale, requireSharing } from './sharing.ts'
import type { StateFields } from './state.ts'
import { ThreadedActors } from './threaded-actors.ts'
import { vtrace } from './vtrace.ts'

export class Impala implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target = null
  readonly optimiser: OptimiserState
  readonly episodes: Episodes
  readonly sharing: ForeignRollouts | null
  readonly #settings: Hyperparameters<'impala'>
  readonly #horizonSteps: number
  readonly #gradient: Arena
  readonly #source: ExperienceSource
  /** The rollout at hand as V-trace reads it: its rewards and ends copied, its values under the parameters of now. */
  readonly #trajectory: Trajectory
  readonly #loss: ActorCriticLoss
  readonly #logRhos: Float32Array
  readonly #targets: Float32Array
  readonly #advantages: Float32Array
  readonly #lags = new LagWindow()
  readonly #iteration: Iteration = { updates: 0, bad: null }
  readonly #last = { gradientNorm: 0, learningRate: 0, approximateKl: 0 }
  #version = 0
  #dropped = 0

  constructor({ settings, engine, threads, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('impala', settings.algorithm.hyperparameters)
    const environment = makeEnvironments(own.environments)
    const shape = experienceShape(environment, own.rolloutLength)
    const rows = shape.steps * shape.environments
    this.#settings = own
    this.sharing = foreignRollouts(settings.experienceShare ?? 0, own, environment, shape)
    this.#horizonSteps = settings.algorithm.horizonSteps
    if (threads === null) {
      this.network = engine.build(settings.network, rows)
      this.#source = inlineActors(own, settings, environment, this.network)
    } else {
      // It has told what there is to know of it: threads make their own.
      environment.close()
      requireNoMoments(environment.moments)
      const shared = requireShared(engine)
      const network = shared.build(settings.network, rows)
      this.network = network
      this.#source = new ThreadedActors('impala', threads, settings, shared.memory, network, shape)
    }
    this.parameters = this.network.allocate()
    this.#gradient = this.network.allocate()
    this.optimiser = this.network.createOptimiser(optimiserSpec(own))
    requireOutput(this.network, 'value', 1)
    this.#loss = new ActorCriticLoss(this.network, createPolicyHead(this.network, environment.actionSpace, rows), rows, own)
    this.episodes = new Episodes((threads?.count ?? 1) * shape.environments, settings.threshold)
    this.#trajectory = {
      steps: shape.steps,
      environments: shape.environments,
      rewards: new Float32Array(rows),
      discounts: new Float32Array(rows),
      truncated: new Uint8Array(rows),
      values: new Float32Array(rows),
      nextValues: new Float32Array(rows),
    }
    this.#logRhos = new Float32Array(rows)
    this.#targets = new Float32Array(rows)
    this.#advantages = new Float32Array(rows)
  }

  get actors(): Progress['actors'] {
    return this.#source.faults
  }

  /** Takes one rollout and one update from it, and one from another peer's where it is its turn; none where no rollout came for a while. */
  iterate(steps: number, rateFactor: number): Iteration {
    this.#iteration.updates = 0
    this.#iteration.bad = null
    this.#source.publish(this.parameters, this.#version)
    const experience = this.#source.take()
    if (experience === null) return this.#iteration
    this.#record(experience)
    const lag = this.#version - experience.version
    if (lag > this.#settings.maxPolicyLag) {
      this.#dropped++
    } else {
      this.#lags.add(lag)
      this.sharing?.saw(experience)
      this.#update(experience, steps, rateFactor)
    }
    this.#source.release(experience)
    const foreign = this.sharing?.next() ?? null
    if (foreign !== null) this.#update(foreign, steps, rateFactor)
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const last = this.#last
    const statistics: Record<string, number> = {
      'train/gradient_norm': last.gradientNorm,
      'train/learning_rate': last.learningRate,
      'train/explained_variance': explainedVariance(this.#trajectory.values, this.#targets),
      'train/approx_kl': last.approximateKl,
      'train/policy_lag': this.#lags.mean,
      'train/policy_lag_max': this.#lags.max,
      'train/dropped_rollouts': this.#dropped,
    }
    this.#loss.describe(statistics)
    this.#source.describe(statistics)
    this.sharing?.describe(statistics)
    return statistics
  }

  state(fields: StateFields): void {
    fields.numbers(
      'counters',
      () => [this.#version, this.#dropped],
      ([version, dropped]) => {
        this.#version = version!
        this.#dropped = dropped!
      },
    )
    this.#lags.state(fields)
    if (this.#source.state(fields)) this.episodes.runningState(fields)
  }

  dispose(): void {
    this.#source.stop()
    this.network.dispose()
  }

  #record({ firstRow, fresh, shape, steps }: Experience): void {
    if (fresh) this.episodes.forget(firstRow, shape.environments)
    for (const { rawRewards, out } of steps) this.episodes.recordFrom(firstRow, rawRewards, out.terminated, out.truncated)
  }

  #update(experience: Experience, steps: number, rateFactor: number): void {
    const { network, parameters } = this
    const { normaliseAdvantages, maxGradientNorm } = this.#settings
    const { observations, actions } = experience
    const rows = this.#logRhos.length
    const last = this.#last

    this.#valueEnds(experience)
    network.forward(parameters, observations, rows)
    this.#loss.score(actions)
    this.#complete(experience)
    vtrace(this.#trajectory, this.#logRhos, this.#settings, this.#targets, this.#advantages)
    if (normaliseAdvantages) standardise(this.#advantages)
    const finite = this.#loss.differentiate(actions, this.#advantages, this.#targets)
    last.learningRate =
      rateFactor * linearSchedule(this.#settings.learningRate, this.#settings.finalLearningRate, this.#horizonSteps, steps)
    if (finite) {
      network.backward(parameters, observations, rows, this.#gradient)
      last.gradientNorm = network.step(this.optimiser, parameters, this.#gradient, last.learningRate, maxGradientNorm)
    }
    if (finite && Number.isFinite(last.gradientNorm)) {
      this.#iteration.updates++
      this.#version++
      this.sharing?.updated()
    } else {
      this.#iteration.bad = this.#loss.badTerms()
    }
  }

  /** Values under the parameters of now of what follows the last step, and of the final observations of truncated episodes. */
  #valueEnds({ lastObservations, finalObservations, truncated, shape }: Experience): void {
    const { network, parameters } = this
    const { nextValues } = this.#trajectory
    const count = shape.environments
    network.forward(parameters, lastObservations, count)
    nextValues.set(network.output('value'), nextValues.length - count)
    let finals = 0
    for (let i = 0; i < truncated.length; i++) finals += truncated[i]!
    if (finals === 0) return
    network.forward(parameters, finalObservations.subarray(0, finals * shape.observationSize), finals)
    const values = network.output('value')
    for (let i = 0, final = 0; i < truncated.length; i++) if (truncated[i] === 1) nextValues[i] = values[final++]!
  }

  /** The rest of the trajectory, and the log ratios of the policy of now to the one that acted, from the last forward pass. */
  #complete({ rewards, terminated, truncated, logProbs, shape }: Experience): void {
    const trajectory = this.#trajectory
    const { values, nextValues } = trajectory
    const rows = values.length
    const count = shape.environments
    trajectory.rewards.set(rewards)
    trajectory.truncated.set(truncated)
    discountsOf(terminated, this.#settings.gamma, trajectory.discounts)
    values.set(this.network.output('value'))
    for (let i = 0; i + count < rows; i++) if (truncated[i] !== 1) nextValues[i] = values[i + count]!
    let divergence = 0
    for (let i = 0; i < rows; i++) {
      const logRho = this.#loss.logProbs[i]! - logProbs[i]!
      this.#logRhos[i] = logRho
      divergence += exp(logRho) - 1 - logRho
    }
    // The low-variance estimate of KL(policy that acted, policy of now). [Schulman, "Approximating KL divergence"]
    this.#last.approximateKl = divergence / rows
  }
}

/** Null: nothing is shared. */
function foreignRollouts(
  share: number,
  own: Hyperparameters<'impala'>,
  { actionSpace, moments }: WrappedVector,
  shape: ExperienceShape,
): ForeignRollouts | null {
  if (share === 0) return null
  requireSharing('impala', own, share)
  requireSharedScale(moments)
  const actions = actionSpace.kind === 'discrete' ? actionSpace.n : null
  return new ForeignRollouts({ shape, actions, share, maxLag: own.maxPolicyLag })
}

function inlineActors(
  { inlineLag, rolloutLength }: Hyperparameters<'impala'>,
  settings: LearnerSettings,
  environment: WrappedVector,
  network: EngineNetwork,
): ExperienceSource {
  const random = seededRandom(settings.actorSeed, 'actions')
  const collector = new Collector({ environments: [environment], network, random, seed: settings.actorSeed })
  return new InlineActors(collector, experienceShape(environment, rolloutLength), inlineLag, network)
}
