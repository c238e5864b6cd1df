/**
 * Proximal policy optimisation [Schulman et al. 2017, arXiv 1707.06347]: one rollout from a vector of environments, generalised advantages,
 * then several epochs of shuffled minibatches, each one optimiser step (Adam) on the clipped surrogate, the value loss and an entropy bonus.
 * Needs the outputs `logits` (or `mean` and `logStd`) and `value`. One iteration is a whole rollout with all its updates, so parameters from
 * elsewhere are mixed in only between the last epoch and the next rollout. An update whose loss or gradient is not finite is skipped and
 * named, and ends its iteration.
 */
import { seededRandom } from '../util/random.ts'
import type { Algorithm, AlgorithmContext, Iteration } from './algorithm.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'
import { Episodes } from './episodes.ts'
import { type Hyperparameters, resolveHyperparameters } from './hyperparameters.ts'
import { Minibatches, rowsOf, type Samples } from './minibatches.ts'
import { createPolicyHead, type PolicyHead, requireOutput } from './policy-head.ts'
import { type PpoCoefficients, PpoLoss, type PpoTerms } from './ppo-loss.ts'
import { explainedVariance, generalisedAdvantages, standardise } from './returns.ts'
import { Rollout } from './rollout.ts'
import { linearSchedule } from './schedules.ts'
import type { StateFields } from './state.ts'

/** Samples from which on `auto` standardises the advantages of a minibatch: below, their deviation is mostly noise and learning slows down. */
const NORMALISED_SAMPLES = 64

/** Where the updates on a rollout end early, over `targetKl`: the policy may overshoot a little. [Stable-Baselines3] */
const KL_TOLERANCE = 1.5

export class PPO implements Algorithm {
  readonly network: EngineNetwork
  readonly parameters: Arena
  readonly target = null
  readonly optimiser: OptimiserState
  readonly episodes: Episodes
  readonly #settings: Hyperparameters<'ppo'>
  readonly #horizonSteps: number
  readonly #gradient: Arena
  readonly #policy: PolicyHead
  readonly #rollout: Rollout
  readonly #samples: Samples
  /** The samples in order, in views as long as a minibatch. */
  readonly #stretches: readonly Samples[]
  readonly #minibatches: Minibatches
  readonly #normalise: boolean
  readonly #loss: PpoLoss
  readonly #coefficients: PpoCoefficients
  readonly #iteration: Iteration = { updates: 0, bad: null }
  readonly #sums = new Sums()
  #learningRate = 0

  constructor({ settings, engine, makeEnvironments }: AlgorithmContext) {
    const own = resolveHyperparameters('ppo', settings.algorithm.hyperparameters)
    const environment = makeEnvironments(own.environments)
    const { count, actionSpace } = environment
    const rows = count * own.rolloutLength
    const batchSize = Math.min(own.batchSize, rows)
    this.#settings = own
    this.#horizonSteps = settings.algorithm.horizonSteps
    this.network = engine.build(settings.network, Math.max(batchSize, count))
    this.parameters = this.network.allocate()
    this.#gradient = this.network.allocate()
    this.optimiser = this.network.createOptimiser({
      kind: 'adam',
      beta1: 0.9,
      beta2: own.optimiserDecay,
      epsilon: own.optimiserEpsilon,
    })
    requireOutput(this.network, 'value', 1)
    this.#policy = createPolicyHead(this.network, actionSpace, batchSize)
    this.episodes = new Episodes(count, settings.threshold)
    this.#rollout = new Rollout({
      environment,
      network: this.network,
      policy: this.#policy,
      episodes: this.episodes,
      random: seededRandom(settings.actorSeed, 'actions'),
      length: own.rolloutLength,
      gamma: own.gamma,
      seed: settings.actorSeed,
    })
    this.#samples = {
      observations: this.#rollout.observations,
      actions: this.#rollout.actions,
      logProbs: new Float32Array(rows),
      values: this.#rollout.trajectory.values,
      advantages: new Float32Array(rows),
      returns: new Float32Array(rows),
    }
    const starts = Array.from({ length: Math.ceil(rows / batchSize) }, (_, i) => i * batchSize)
    this.#stretches = starts.map((start) => rowsOf(this.#samples, start, Math.min(start + batchSize, rows)))
    this.#minibatches = new Minibatches(this.#samples, batchSize, seededRandom(settings.actorSeed, 'minibatches'))
    const { normaliseAdvantages: normalise } = own
    this.#normalise = normalise === 'always' || (normalise === 'auto' && batchSize >= NORMALISED_SAMPLES)
    this.#loss = new PpoLoss(this.network, this.#policy, batchSize)
    const { clipRange, valueClipRange, valueCoefficient, entropyCoefficient } = own
    this.#coefficients = { clipRange, valueClipRange, valueCoefficient, entropyCoefficient }
  }

  iterate(steps: number, rateFactor: number): Iteration {
    const { learningRate, finalLearningRate, clipRange, finalClipRange, lambda, epochs } = this.#settings
    const { advantages, returns } = this.#samples
    this.#iteration.updates = 0
    this.#iteration.bad = null
    this.#learningRate = rateFactor * linearSchedule(learningRate, finalLearningRate, this.#horizonSteps, steps)
    this.#coefficients.clipRange = linearSchedule(clipRange, finalClipRange, this.#horizonSteps, steps)

    this.#rollout.collect(this.parameters)
    generalisedAdvantages(this.#rollout.trajectory, lambda, advantages, returns)
    this.#recordLogProbs()
    this.#sums.clear()
    for (let epoch = 0; epoch < epochs; epoch++) {
      this.#sums.beginEpoch()
      this.#minibatches.shuffle()
      for (let i = 0; i < this.#minibatches.count; i++) {
        if (!this.#update(this.#minibatches.take(i))) return this.#iteration
      }
    }
    return this.#iteration
  }

  statistics(): Record<string, number> {
    const { epochs, updates, loss, policyLoss, valueLoss, entropy, clipFraction, gradientNorm, approximateKl, klSamples } = this.#sums
    const statistics: Record<string, number> = {
      'train/loss': loss / updates,
      'train/policy_gradient_loss': policyLoss / updates,
      'train/value_loss': valueLoss / updates,
      'train/entropy_loss': -entropy / updates,
      'train/approx_kl': approximateKl / klSamples,
      'train/clip_fraction': clipFraction / updates,
      'train/clip_range': this.#coefficients.clipRange,
      'train/explained_variance': explainedVariance(this.#samples.values, this.#samples.returns),
      'train/gradient_norm': gradientNorm / updates,
      'train/learning_rate': this.#learningRate,
      'train/epochs': epochs,
    }
    this.#policy.describe(statistics)
    return statistics
  }

  state(fields: StateFields): void {
    this.#minibatches.state(fields.under('minibatches'))
    if (this.#rollout.state(fields)) this.episodes.runningState(fields)
  }

  dispose(): void {
    this.#rollout.dispose()
    this.network.dispose()
  }

  /** Scores the actions of the rollout under the parameters that took them. */
  #recordLogProbs(): void {
    for (const { observations, actions, logProbs } of this.#stretches) {
      this.network.forward(this.parameters, observations, logProbs.length)
      this.#policy.evaluate(actions, logProbs)
    }
  }

  /** One optimiser step; false where the iteration ends: the loss is not finite, or the policy has moved far enough. */
  #update(batch: Samples): boolean {
    const { network, parameters } = this
    const { targetKl, maxGradientNorm } = this.#settings
    const { observations, advantages } = batch
    const rows = advantages.length
    if (this.#normalise) standardise(advantages)

    network.forward(parameters, observations, rows)
    const terms = this.#loss.evaluate(batch, this.#coefficients)
    if (!Number.isFinite(terms.loss)) {
      this.#iteration.bad = badTerms(terms)
      return false
    }
    this.#sums.addKl(terms.surrogate.approximateKl)
    if (targetKl !== null && terms.surrogate.approximateKl > KL_TOLERANCE * targetKl) return false
    network.backward(parameters, observations, rows, this.#gradient)
    const norm = network.step(this.optimiser, parameters, this.#gradient, this.#learningRate, maxGradientNorm)
    if (!Number.isFinite(norm)) {
      this.#iteration.bad = 'gradient'
      return false
    }
    this.#sums.addUpdate(terms, norm)
    this.#iteration.updates++
    return true
  }
}

/** Sums over the updates of one iteration; the approximate KL over those of its last epoch, as Stable-Baselines3 reports it. */
class Sums {
  epochs = 0
  updates = 0
  loss = 0
  policyLoss = 0
  valueLoss = 0
  entropy = 0
  clipFraction = 0
  gradientNorm = 0
  approximateKl = 0
  klSamples = 0

  clear(): void {
    this.epochs = 0
    this.updates = 0
    this.loss = 0
    this.policyLoss = 0
    this.valueLoss = 0
    this.entropy = 0
    this.clipFraction = 0
    this.gradientNorm = 0
  }

  beginEpoch(): void {
    this.epochs++
    this.approximateKl = 0
    this.klSamples = 0
  }

  addKl(approximateKl: number): void {
    this.approximateKl += approximateKl
    this.klSamples++
  }

  addUpdate({ loss, surrogate, valueLoss, entropy }: PpoTerms, gradientNorm: number): void {
    this.updates++
    this.loss += loss
    this.policyLoss += surrogate.loss
    this.valueLoss += valueLoss
    this.entropy += entropy
    this.clipFraction += surrogate.clipFraction
    this.gradientNorm += gradientNorm
  }
}

function badTerms({ surrogate, valueLoss, entropy }: PpoTerms): string {
  const terms = { 'policy loss': surrogate.loss, 'value loss': valueLoss, entropy }
  const bad = Object.entries(terms).filter(([, value]) => !Number.isFinite(value))
  return bad.length === 0 ? 'loss' : bad.map(([name]) => name).join(' and ')
}
