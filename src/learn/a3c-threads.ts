/**
 * A3C's workers in threads of their own, on the learner's arenas. The learner opens a gate for FREE_RUN_MS at a time; in between, nobody touches
 * the shared parameters, so that it may copy, mix and replace them. What one thread does is `workFreely`.
 */
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import { namedTerms } from './actor-critic-loss.ts'
import { ActorCriticWorker, actorCriticRows } from './actor-critic-worker.ts'
import { type ActorJob, type ActorLife, type ActorThreads, MAX_ENVIRONMENT_SEED, NO_FAULTS, type RunningActors } from './actors.ts'
import type { Iteration } from './algorithm.ts'
import type { Arena, OptimiserSpec, OptimiserState } from './engine.ts'
import type { WasmEngine } from './engines/wasm.ts'
import type { WasmNetwork } from './engines/wasm-network.ts'
import { livingEnvironments } from './environments.ts'
import type { Episodes } from './episodes.ts'
import { type Hyperparameters, optimiserSpec, resolveHyperparameters } from './hyperparameters.ts'
import { FREE_RUN_MS } from './limits.ts'
import { LagWindow } from './policy-lag.ts'
import { Gate, gateBuffer } from './shared/gate.ts'
import { ReportedEpisodes, reportBuffer, WorkerReport } from './shared/worker-report.ts'
import type { StateFields } from './state.ts'

/** What applies updates to the shared parameters: threads, or turns. */
export interface A3CWorkers {
  /** Lets workers update for a while at this rate: as many updates as they come to, one at least unless something is wrong. */
  run(learningRate: number, iteration: Iteration): void
  /** Crashes and hangs of threads; null without threads. */
  readonly faults: Progress['actors']
  /** Shared by all workers. */
  readonly optimiser: OptimiserState
  describe(statistics: Record<string, number>): void
  state(fields: StateFields): void
  stop(): void
}

/** RMSprop, whose mean square all workers share. */
export function sharedOptimiser({ optimiserDecay, optimiserEpsilon }: Hyperparameters<'a3c'>): OptimiserSpec {
  return optimiserSpec({ optimiser: 'rmsprop', optimiserDecay, optimiserEpsilon })
}

/** Addresses of a job: parameters and mean square. Buffers: gate, learning rate (a double), then a report of each thread. */
export class ThreadedWorkers implements A3CWorkers {
  readonly optimiser: OptimiserState
  readonly #threads: ActorThreads
  readonly #job: ActorJob
  readonly #episodes: Episodes
  readonly #gate: Gate
  readonly #learningRate: Float64Array
  readonly #reports: readonly WorkerReport[]
  /** A word that nobody changes, to sleep on. */
  readonly #still = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #running: RunningActors | null = null
  /** Of an earlier life. */
  #stepsBefore = 0
  #updates = 0
  #bad = 0

  constructor(
    threads: ActorThreads,
    settings: LearnerSettings,
    memory: WebAssembly.Memory,
    network: WasmNetwork,
    parameters: Arena,
    episodes: Episodes,
  ) {
    const own = resolveHyperparameters('a3c', settings.algorithm.hyperparameters)
    this.optimiser = network.createOptimiser(sharedOptimiser(own))
    const gate = gateBuffer(threads.count)
    const learningRate = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
    const reports = Array.from({ length: threads.count }, reportBuffer)
    this.#threads = threads
    this.#episodes = episodes
    this.#gate = new Gate(gate)
    this.#learningRate = new Float64Array(learningRate)
    this.#reports = reports.map((buffer) => new WorkerReport(buffer))
    this.#job = {
      kind: 'a3c',
      settings,
      memory,
      addresses: [network.address(parameters), network.address(this.optimiser.moments[0]!)],
      buffers: [gate, learningRate, ...reports],
    }
  }

  get faults(): Progress['actors'] {
    return this.#running ?? NO_FAULTS
  }

  run(learningRate: number, iteration: Iteration): void {
    this.#running ??= this.#threads.start(this.#job)
    this.#running.supervise()
    this.#learningRate[0] = learningRate
    this.#gate.open()
    Atomics.wait(this.#still, 0, 0, FREE_RUN_MS)
    this.#gate.close()
    const updates = this.#sum('updates')
    const bad = this.#sum('bad')
    iteration.updates = updates - this.#updates
    iteration.bad = bad > this.#bad ? namedTerms(this.#reports.reduce((mask, report) => mask | report.get('badTerms'), 0)) : null
    this.#updates = updates
    this.#bad = bad
    this.#episodes.steps = this.#stepsBefore + this.#sum('steps')
    for (const report of this.#reports) report.drain((episodeReturn, length) => this.#episodes.recordFinished(episodeReturn, length))
  }

  describe(statistics: Record<string, number>): void {
    const mean = (counter: Parameters<WorkerReport['get']>[0]) => this.#sum(counter) / this.#reports.length
    statistics['train/policy_loss'] = mean('policyLoss')
    statistics['train/value_loss'] = mean('valueLoss')
    statistics['train/entropy_loss'] = -mean('entropy')
    statistics['train/explained_variance'] = mean('explainedVariance')
    statistics['train/gradient_norm'] = mean('gradientNorm')
    statistics['train/policy_lag'] = mean('policyLag')
    statistics['train/policy_lag_max'] = Math.max(...this.#reports.map((report) => report.get('policyLagMax')))
    statistics['actors/restarts'] = this.#running?.restarts ?? 0
    statistics['actors/skipped_updates'] = this.#bad
  }

  /** Threads begin new episodes; what they have counted is in the record of episodes. */
  state(fields: StateFields): void {
    if (fields.restoring) this.#stepsBefore = this.#episodes.steps
  }

  stop(): void {
    this.#running?.stop()
  }

  #sum(counter: Parameters<WorkerReport['get']>[0]): number {
    let sum = 0
    for (const report of this.#reports) sum += report.get(counter)
    return sum
  }
}

/** One worker: builds its network once; each call of the function it returns works on new environments until stopped, or throws what they threw. */
export function workFreely({ settings, addresses, buffers }: ActorJob, engine: WasmEngine, life: ActorLife): () => void {
  const own = resolveHyperparameters('a3c', settings.algorithm.hyperparameters)
  const [gateWords, learningRate, ...reports] = buffers
  const gate = new Gate(gateWords!)
  const rate = new Float64Array(learningRate!)
  const all = reports.map((buffer) => new WorkerReport(buffer))
  const report = all[life.index]!
  const lags = new LagWindow()
  let network: WasmNetwork | null = null
  let begun = 0
  return () => {
    const environment = livingEnvironments(settings, own.environments, life)
    try {
      network ??= engine.build(settings.network, actorCriticRows(environment, own))
      const random = seededRandom(settings.actorSeed, 'actor', life.index, life.restarts, begun++)
      const episodes = new ReportedEpisodes(environment.count, report, () => life.stopped)
      const seed = random.below(MAX_ENVIRONMENT_SEED)
      const worker = new ActorCriticWorker({ settings: own, environment, network, episodes, random, seed })
      const parameters = network.attach(addresses[0]!)
      const optimiser: OptimiserState = { spec: sharedOptimiser(own), moments: [network.attach(addresses[1]!)], count: 0 }
      const copy = network.allocate()
      let finite = false
      let version = 0
      while (!life.stopped) {
        life.rest(true)
        if (!gate.enter(life.index)) continue
        life.rest(false)
        try {
          if (finite) count(network.step(optimiser, parameters, worker.gradient, rate[0]!, own.maxGradientNorm), version)
          copy.data.set(parameters.data)
          version = updatesOfAll()
        } finally {
          gate.leave(life.index)
        }
        finite = worker.compute(copy)
        if (!finite) skip(worker.loss.badMask)
        describe(worker)
      }
    } finally {
      environment.close()
    }
  }

  function updatesOfAll(): number {
    return all.reduce((sum, each) => sum + each.get('updates'), 0)
  }

  /** `version`: updates of all when the parameters of this gradient were copied. */
  function count(norm: number, version: number): void {
    report.set('gradientNorm', norm)
    if (!Number.isFinite(norm)) {
      skip(0)
      return
    }
    lags.add(updatesOfAll() - version)
    report.set('policyLag', lags.mean)
    report.set('policyLagMax', lags.max)
    report.add('updates', 1)
  }

  /** No term at all: the gradient. */
  function skip(badMask: number): void {
    report.set('badTerms', badMask)
    report.add('bad', 1)
  }

  function describe(worker: ActorCriticWorker): void {
    report.set('policyLoss', worker.loss.policyLoss)
    report.set('valueLoss', worker.loss.valueLoss)
    report.set('entropy', worker.loss.entropy)
    report.set('explainedVariance', worker.explainedVariance)
  }
}
