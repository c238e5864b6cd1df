/**
 * The synchronous core of a learner: one algorithm on one replica, its counters, and what happens at update boundaries (snapshot, mix, adopt).
 * Threads and the simulator wrap it; it knows neither time nor messages. All vectors that pass here are canonical.
 */
import { bridgeRestarts } from '../envs/bridge/bridge.ts'
import type { RunningMoments } from '../envs/wrappers/moments.ts'
import type {
  LearnerDescription,
  LearnerSettings,
  LearnerState,
  MomentMix,
  Normaliser,
  Progress,
  Replica,
  SaveOptions,
  SharedExperience,
} from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { A2C } from './a2c.ts'
import { A3C } from './a3c.ts'
import { type ActorThreads, NO_FAULTS } from './actors.ts'
import type { Algorithm } from './algorithm.ts'
import { ApeX } from './apex.ts'
import type { Engine } from './engine.ts'
import { createEngine } from './engines/create.ts'
import { makeEnvironments, type StepWatch, watchedEnvironments } from './environments.ts'
import { requireAlgorithm } from './hyperparameters.ts'
import { Impala } from './impala.ts'
import { initialParameters } from './initialise.ts'
import { MAX_BAD_UPDATES } from './limits.ts'
import { mixMoments, readMoments } from './moments.ts'
import { momentKinds } from './optimisers.ts'
import { PPO } from './ppo.ts'
import { arenaField, optimiserFields, restoreFields, type StateFields, saveFields } from './state.ts'

const ALGORITHM_CLASSES = { a2c: A2C, a3c: A3C, apex: ApeX, impala: Impala, ppo: PPO } as const

/** Where a snapshot is written: arrays of the caller. */
export interface SnapshotTarget {
  readonly parameters: Float32Array
  readonly target: Float32Array | null
  /** The optimiser's, as its description lists them; absent: nobody asks for them. */
  readonly moments?: Float32Array | null
}

export class LearnerCore {
  readonly description: LearnerDescription
  /** Whether the replica includes a target network. */
  readonly hasTarget: boolean
  readonly #algorithm: Algorithm
  readonly #normalisers: readonly RunningMoments[]
  readonly #untilSteps: number | null
  readonly #faults: NonNullable<Progress['actors']>
  #updates = 0
  #badUpdates = 0
  #badInARow = 0
  /** Updates and steps behind the replica that was adopted, before our own. */
  #adoptedVersion = 0
  #adoptedSteps = 0
  #rateFactor = 1
  /** Whether a mix resets the optimiser's moments. */
  readonly #resetMoments: boolean

  /** `normalisers`: those of the environments' wrappers; `faults`: what their owner keeps count of as they crash. */
  constructor(
    algorithm: Algorithm,
    engineName: string,
    settings: LearnerSettings,
    normalisers: readonly RunningMoments[],
    faults: NonNullable<Progress['actors']>,
  ) {
    const { network, parameters, target } = algorithm
    this.#algorithm = algorithm
    this.#normalisers = normalisers
    this.#faults = faults
    this.#untilSteps = settings.untilSteps
    this.hasTarget = target !== null
    this.#resetMoments = settings.moments === 'reset'
    const experience = algorithm.sharing?.format
    const moments = settings.moments === 'averaged' ? momentKinds(algorithm.optimiser.spec) : []
    this.description = {
      slices: network.slices,
      parameterCount: network.parameterCount,
      engine: engineName,
      ...(moments.length === 0 ? {} : { moments }),
      ...(experience === undefined ? {} : { experience }),
    }
    const initial = network.initial ?? initialParameters(settings.network, settings.weightsSeed)
    network.write(parameters, initial)
    if (target !== null) network.write(target, initial)
  }

  /** Optimiser steps of this peer. */
  get updates(): number {
    return this.#updates
  }

  /** Environment steps of this peer. */
  get steps(): number {
    return this.#algorithm.episodes.steps
  }

  /** Whether the step limit is reached, so that the learner holds. */
  get exhausted(): boolean {
    return this.#untilSteps !== null && this.steps >= this.#untilSteps
  }

  get solved(): Progress['solved'] {
    return this.#algorithm.episodes.solved
  }

  /** Number of updates behind the replica. */
  get version(): number {
    return this.#adoptedVersion + this.#updates
  }

  /** Environment steps behind the replica's schedules. */
  get scheduleSteps(): number {
    return this.#adoptedSteps + this.steps
  }

  /** Goes on to the next update boundary. Throws GrapevineError `diverged` after ten bad updates in a row. */
  update(): void {
    const { updates, bad } = this.#algorithm.iterate(this.scheduleSteps, this.#rateFactor)
    this.#updates += updates
    if (bad !== null) this.#badUpdates++
    if (bad === null || updates > 0) {
      this.#badInARow = 0
      return
    }
    if (++this.#badInARow < MAX_BAD_UPDATES) return
    throw new GrapevineError(
      'diverged',
      'local',
      `Training stopped because ${bad} ${bad.includes(' and ') ? 'were no finite numbers' : 'was not a finite number'} in ${MAX_BAD_UPDATES} updates in a row; lower the learning rate or check the rewards of the environment.`,
      { term: bad, steps: this.steps },
    )
  }

  progress(holding: boolean, cpuMs: number | null): Progress {
    const { episodes } = this.#algorithm
    const { returnMean, lengthMean } = episodes
    const statistics = this.#algorithm.statistics()
    for (const [name, value] of Object.entries(statistics)) if (!Number.isFinite(value)) delete statistics[name]
    statistics['train/n_updates'] = this.#updates
    statistics['train/skipped_updates'] = this.#badUpdates
    if (returnMean !== null) statistics['rollout/ep_rew_mean'] = returnMean
    if (lengthMean !== null) statistics['rollout/ep_len_mean'] = lengthMean
    const restarts = bridgeRestarts() + this.#faults.restarts
    if (restarts > 0) statistics['environment/restarts'] = restarts
    return {
      steps: this.steps,
      updates: this.#updates,
      episodes: episodes.finished,
      returnMean,
      lengthMean,
      solved: this.solved,
      holding,
      statistics,
      actors: copyOf(this.#algorithm.actors ?? (this.#faults.restarts > 0 ? this.#faults : null)),
      cpuMs,
    }
  }

  /** Of the optimiser: what its moments are of. */
  get optimiserSteps(): number {
    return this.#algorithm.optimiser.count
  }

  /** Writes the replica into arrays of the caller [parameterCount]. */
  snapshot(into: SnapshotTarget): void {
    const { network, parameters, target, optimiser } = this.#algorithm
    network.read(parameters, into.parameters)
    if (target !== null && into.target !== null) network.read(target, into.target)
    if (into.moments != null) readMoments(network, optimiser, into.moments)
  }

  /** Adds `delta` [parameterCount] to the parameters, and `moments` to the optimiser's; it begins anew where the run says so. */
  mix(delta: Float32Array, moments?: MomentMix): void {
    const { network, parameters, optimiser } = this.#algorithm
    network.add(parameters, delta)
    if (moments !== undefined) mixMoments(network, optimiser, moments)
    if (!this.#resetMoments) return
    for (const { data } of optimiser.moments) data.fill(0)
    optimiser.count = 0
  }

  /** What is worth showing to others of what is new since the last call; null: nothing. */
  offerExperience(most: number): SharedExperience | null {
    return this.#algorithm.sharing?.offer(most) ?? null
  }

  /** Keeps another peer's experience; false where it cannot be true, or nothing is shared. */
  takeExperience(author: string, experience: SharedExperience): boolean {
    return this.#algorithm.sharing?.take(author, experience) ?? false
  }

  /** What this peer's environments showed its normalisers, and what it knows in all; copies. */
  normalisers(): { readonly own: readonly Normaliser[]; readonly all: readonly Normaliser[] } {
    return { own: this.#normalisers.map((moments) => moments.own()), all: this.#normalisers.map((moments) => moments.all()) }
  }

  /** Replaces what others' normalisers have seen: one list for each peer. Throws `moments` where they do not fit. */
  mergeNormalisers(others: readonly (readonly Normaliser[])[]): void {
    for (const [i, moments] of this.#normalisers.entries()) moments.setOthers(others.flatMap((peer) => peer[i] ?? []))
  }

  /** Of the learning rates of the updates to come. Throws `rate` where it is not a positive number. */
  setRateFactor(factor: number): void {
    if (!(factor > 0) || !Number.isFinite(factor)) {
      throw new GrapevineError('rate', 'local', `A learning rate cannot be multiplied by ${factor}; this is a bug of ours.`, { factor })
    }
    this.#rateFactor = factor
  }

  /** Replaces the replica and takes up its place in the schedules. Optimiser moments stay; its normalisers count as another peer's. */
  adopt(replica: Replica): void {
    const { network, parameters, target } = this.#algorithm
    network.write(parameters, replica.parameters)
    if (target !== null) network.write(target, replica.target ?? replica.parameters)
    this.#adoptedVersion = replica.version - this.#updates
    this.#adoptedSteps = replica.steps - this.steps
    this.mergeNormalisers([replica.normalisers])
  }

  #state(fields: StateFields, replay: boolean): void {
    const { network, parameters, target, optimiser, episodes } = this.#algorithm
    arenaField(fields, 'parameters', network, parameters)
    if (target !== null) arenaField(fields, 'target', network, target)
    optimiserFields(fields.under('optimiser'), network, optimiser)
    fields.numbers(
      'counters',
      () => [this.#updates, this.#badUpdates, this.#badInARow, this.#adoptedVersion, this.#adoptedSteps],
      ([updates, badUpdates, badInARow, adoptedVersion, adoptedSteps]) => {
        this.#updates = updates!
        this.#badUpdates = badUpdates!
        this.#badInARow = badInARow!
        this.#adoptedVersion = adoptedVersion!
        this.#adoptedSteps = adoptedSteps!
      },
    )
    episodes.state(fields.under('episodes'))
    // Before the environments, which may begin anew and count what they see then.
    for (const [i, { memory }] of this.#normalisers.entries()) {
      for (const [part, array] of memory.entries()) fields.array(`normaliser/${i}/${part}`, array)
    }
    this.#algorithm.state(fields.under('algorithm'), replay)
  }

  saveState({ replay }: SaveOptions): LearnerState {
    return saveFields((fields) => this.#state(fields, replay))
  }

  /** Of a learner that has not updated yet. Throws `state` where the saved one does not fit; nothing can be done with the learner then. */
  restoreState(state: LearnerState): void {
    restoreFields(state, (fields) => this.#state(fields, false))
  }

  dispose(): void {
    this.#algorithm.dispose()
  }
}

/**
 * Builds environments, network and algorithm as `settings` say. Throws GrapevineErrors of the registry, the engine, `hyperparameter` and
 * `network_mismatch`. `engine` replaces the one that the settings name; `threads` is needed for `settings.actors` above 0; `watch` hears of the
 * environments in the learner's own thread; `before`: what happened to them in threads that this learner replaces.
 */
export async function createLearner(
  settings: LearnerSettings,
  engine?: Engine,
  threads?: ActorThreads,
  watch?: StepWatch,
  before: NonNullable<Progress['actors']> = NO_FAULTS,
): Promise<LearnerCore> {
  const used = engine ?? (await createEngine(settings.engine, { deterministic: settings.deterministic, threads: settings.threads }))
  const moments: RunningMoments[] = []
  const faults = { ...before }
  let first = 0
  const tell = (message: string): void => {
    faults.restarts++
    faults.lastFault = message
  }
  const make = (count: number) => {
    const made = makeEnvironments(settings, count, { first, tell })
    first += count
    moments.push(...made.moments)
    return watch === undefined ? made : watchedEnvironments(made, watch)
  }
  const algorithm = new ALGORITHM_CLASSES[requireAlgorithm(settings.algorithm.id)]({
    settings,
    engine: used,
    threads: settings.actors > 0 ? (threads ?? null) : null,
    makeEnvironments: make,
  })
  return new LearnerCore(algorithm, used.name, settings, moments, faults)
}

/** Only what a message may carry: the threads themselves stay. */
function copyOf(actors: Progress['actors']): Progress['actors'] {
  return actors === null ? null : { restarts: actors.restarts, lastFault: actors.lastFault }
}
