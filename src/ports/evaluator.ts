/**
 * Evaluation as the peer sees it: a frozen replica plays whole episodes beside training, in a thread of its own (daemon) or inline on virtual
 * time (simulator), and training notices nothing. Values are structured-cloneable.
 */
import type { Replica } from './learner.ts'

/** Mean raw returns over the episodes of one evaluation. */
export interface EvaluationReturns {
  /** Of the likeliest actions. */
  readonly deterministic: number
  /** Of sampled actions; null where the policy samples none. */
  readonly stochastic: number | null
  /** Episodes behind each of the two. */
  readonly episodes: number
}

export interface ReplicaEvaluator {
  /** One at a time. Environments of this evaluation are seeded from `seed`. Rejects when the environment or the thread fails; the next call starts anew. */
  evaluate(replica: Pick<Replica, 'parameters' | 'normalisers'>, seed: number): Promise<EvaluationReturns>
  stop(): Promise<void>
}
