/**
 * Evaluation at intervals of this peer's environment steps, beside training: one at a time, on a copy of the replica, each on episodes of its
 * own. The learner does no more for it than a snapshot. Where evaluations take longer than the interval, some are left out.
 */
import type { PeerEvent } from '../observe/events.ts'
import type { EvaluationReturns, ReplicaEvaluator } from '../ports/evaluator.ts'
import type { Learner, Progress } from '../ports/learner.ts'
import { messageOf } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import type { Snapshots, TakenSnapshot } from './snapshots.ts'

/** One evaluation with the replica that it was made of. */
export interface EvaluatedReplica extends EvaluationReturns {
  readonly replica: TakenSnapshot
  /** Environment steps of this peer when the replica was taken. */
  readonly steps: number
  /** Whether its deterministic return is above that of every earlier evaluation. */
  readonly best: boolean
}

/** Whoever keeps the best replica; the next evaluation waits until it is done. */
export type EvaluationListener = (evaluated: EvaluatedReplica) => void | Promise<void>

interface EvaluationsOptions {
  readonly learner: Learner
  readonly snapshots: Snapshots
  readonly evaluator: ReplicaEvaluator
  readonly everySteps: number
  /** Of the run and this peer: evaluations draw theirs from it. */
  readonly seed: number
  readonly emit: (event: PeerEvent) => void
}

export class Evaluations {
  readonly #options: EvaluationsOptions
  readonly #listeners = new Set<EvaluationListener>()
  #nextSteps: number
  #made = 0
  #best = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #stopped = false

  constructor(options: EvaluationsOptions) {
    this.#options = options
    this.#nextSteps = options.everySteps
  }

  /** The returned function unsubscribes. */
  onEvaluated(listener: EvaluationListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Begins to watch the learner; the returned function ends it. */
  watch(): () => void {
    const { learner } = this.#options
    const release = learner.onProgress((progress) => this.#consider(progress))
    return () => {
      this.#stopped = true
      release()
    }
  }

  /** Resolves once no evaluation is under way or due. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  #consider({ steps }: Progress): void {
    if (this.#stopped || this.#running !== null || steps < this.#nextSteps) return
    this.#running = this.#evaluate()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = null
        this.#consider(this.#options.learner.progress())
      })
  }

  async #evaluate(): Promise<void> {
    const { learner, snapshots, evaluator, everySteps, seed, emit } = this.#options
    const replica = await snapshots.take()
    const { steps } = learner.progress()
    this.#nextSteps = (Math.floor(steps / everySteps) + 1) * everySteps
    const returns = await evaluator.evaluate(replica, seededRandom(seed, 'evaluation', this.#made++).uint32())
    const best = returns.deterministic > this.#best
    if (best) this.#best = returns.deterministic
    emit({ event: 'evaluation', steps, ...finite(returns) })
    for (const listener of [...this.#listeners]) await listener({ ...returns, replica, steps, best })
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    const message = messageOf(error)
    this.#options.emit({ event: 'warning', code: 'evaluation_failed', message })
  }
}

/** Numbers that JSON has none for are unknown. */
function finite({ deterministic, stochastic, episodes }: EvaluationReturns) {
  const known = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null)
  return { deterministic: known(deterministic), stochastic: known(stochastic), episodes }
}
