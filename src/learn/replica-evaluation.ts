/**
 * What evaluation beside training plays: EVALUATION_EPISODES episodes with the likeliest actions and, where the policy samples, as many with
 * sampled ones, in environments of their own that are seeded apart from those of training. In pieces, for whoever has other things to do.
 */
import { makeVectorEnv } from '../envs/registry.ts'
import { wrapVector } from '../envs/wrappers/wrap.ts'
import type { Clock } from '../ports/clock.ts'
import type { EvaluationReturns, ReplicaEvaluator } from '../ports/evaluator.ts'
import type { LearnerSettings } from '../ports/learner.ts'
import { seededRandom } from '../util/random.ts'
import { MAX_ENVIRONMENT_SEED } from './actors.ts'
import { createEngine } from './engines/create.ts'
import { type ActingReplica, Evaluator } from './evaluate.ts'
import { EVALUATION_EPISODES, EVALUATION_ROWS, EVALUATION_SLICE_STEPS } from './limits.ts'

/** An evaluator of the replicas that a learner with these settings makes. Throws what its environments and engine throw. */
export async function evaluatorFor({ environment, wrappers, network, engine, deterministic }: LearnerSettings): Promise<Evaluator> {
  const made = wrapVector(makeVectorEnv(environment.id, EVALUATION_ROWS, environment.options), wrappers)
  return new Evaluator(made, network, await createEngine(engine, { deterministic, threads: 1 }))
}

/** One evaluation; pauses after each step of its environments. */
export function* playBoth(evaluator: Evaluator, replica: ActingReplica, seed: number): Generator<undefined, EvaluationReturns> {
  const options = (deterministic: boolean) => ({
    episodes: EVALUATION_EPISODES,
    deterministic,
    seed: seededRandom(seed, deterministic ? 'deterministic' : 'stochastic').below(MAX_ENVIRONMENT_SEED),
  })
  const deterministic = yield* evaluator.play(replica, options(true))
  const stochastic = evaluator.samples ? yield* evaluator.play(replica, options(false)) : null
  return { deterministic: deterministic.mean, stochastic: stochastic?.mean ?? null, episodes: EVALUATION_EPISODES }
}

/** In the caller's own thread, a slice at a time between what else it has to do; takes none of the clock's time. */
export class InlineEvaluator implements ReplicaEvaluator {
  readonly #settings: LearnerSettings
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  #evaluator: Evaluator | null = null

  constructor(settings: LearnerSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  async evaluate(replica: ActingReplica, seed: number): Promise<EvaluationReturns> {
    const evaluator = this.#evaluator ?? (await evaluatorFor(this.#settings))
    this.#evaluator = null
    try {
      const playing = playBoth(evaluator, replica, seed)
      for (let step = 1; ; step++) {
        const { done, value } = playing.next()
        if (done === true) {
          this.#evaluator = evaluator
          return value
        }
        if (step % EVALUATION_SLICE_STEPS === 0) await this.#clock.sleep(0, this.#stopping.signal)
      }
    } finally {
      // What threw, or was stopped, is not used again.
      if (this.#evaluator === null || this.#stopping.signal.aborted) this.#dispose(evaluator)
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#evaluator !== null) this.#dispose(this.#evaluator)
  }

  #dispose(evaluator: Evaluator): void {
    this.#evaluator = null
    evaluator.dispose()
  }
}
