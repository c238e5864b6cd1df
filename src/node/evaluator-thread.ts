/**
 * The evaluator port over a thread, which starts with the first evaluation. One that crashes, or whose environments do not move for
 * ACTOR_HANG_MS, rejects that evaluation; the next one starts another.
 */
import type { Worker } from 'node:worker_threads'
import type { EvaluationReturns, ReplicaEvaluator } from '../ports/evaluator.ts'
import type { LearnerSettings, Replica } from '../ports/learner.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { BEATS, EVALUATOR_WORDS, type EvaluatorReply, type EvaluatorRequest, type EvaluatorThreadData, STOP } from './evaluator-protocol.ts'
import { restoredError } from './learner-protocol.ts'
import { ACTOR_HANG_MS, ACTOR_WATCH_MS, LEARNER_STOP_MS } from './limits.ts'
import { startWorker } from './start-worker.ts'

interface Thread {
  readonly worker: Worker
  readonly words: Int32Array
  readonly exited: Promise<void>
}

export class ThreadEvaluator implements ReplicaEvaluator {
  readonly #settings: LearnerSettings
  readonly #hangMs: number
  #thread: Thread | null = null
  #stopped = false

  /** `hangMs`: shorter for tests. */
  constructor(settings: LearnerSettings, hangMs = ACTOR_HANG_MS) {
    this.#settings = settings
    this.#hangMs = hangMs
  }

  async evaluate({ parameters, normalisers }: Pick<Replica, 'parameters' | 'normalisers'>, seed: number): Promise<EvaluationReturns> {
    if (this.#stopped) throw lost('this peer is stopping')
    this.#thread ??= start(this.#settings)
    const thread = this.#thread
    const answer = this.#answerOf(thread)
    thread.worker.postMessage({ parameters, normalisers, seed } satisfies EvaluatorRequest)
    try {
      return await answer
    } catch (error) {
      this.#thread = null
      await leave(thread)
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#thread !== null) await leave(this.#thread)
  }

  /** The answer to what is posted now. */
  #answerOf({ worker, words, exited }: Thread): Promise<EvaluationReturns> {
    const { promise, resolve, reject } = Promise.withResolvers<EvaluationReturns>()
    const onReply = (reply: EvaluatorReply) => ('returns' in reply ? resolve(reply.returns) : reject(restoredError(reply.error)))
    const onError = (error: unknown) => reject(lost(messageOf(error)))
    worker.once('message', onReply)
    worker.once('error', onError)
    exited.then(() => reject(lost(this.#stopped ? 'this peer is stopping' : 'its thread ended by itself')))
    let beats = -1
    let movedAtMs = performance.now()
    const watch = setInterval(
      () => {
        const now = Atomics.load(words, BEATS)
        if (now !== beats) movedAtMs = performance.now()
        beats = now
        if (performance.now() - movedAtMs > this.#hangMs)
          reject(lost(`its environments did not move for ${Math.round(this.#hangMs / 1_000)} s`))
      },
      Math.min(ACTOR_WATCH_MS, this.#hangMs),
    )
    return promise.finally(() => {
      clearInterval(watch)
      worker.off('message', onReply)
      worker.off('error', onError)
    })
  }
}

function start(settings: LearnerSettings): Thread {
  const words = new Int32Array(new SharedArrayBuffer(EVALUATOR_WORDS * Int32Array.BYTES_PER_ELEMENT))
  const data: EvaluatorThreadData = { settings, words }
  const worker = startWorker('evaluator-worker', { workerData: data, name: 'evaluator' })
  // Whoever waits for an answer hears of it; nobody else has to.
  worker.on('error', () => undefined)
  return { worker, words, exited: new Promise((resolve) => worker.once('exit', () => resolve())) }
}

/** Lets it close its environments, and ends it where it does not. */
async function leave({ worker, words, exited }: Thread): Promise<void> {
  Atomics.store(words, STOP, 1)
  worker.postMessage(null)
  const deadline = setTimeout(() => worker.terminate(), LEARNER_STOP_MS)
  await exited
  clearTimeout(deadline)
}

function lost(reason: string): GrapevineError<'evaluation_failed'> {
  return new GrapevineError('evaluation_failed', 'local', `The evaluation was given up because ${reason}; the next one starts anew.`, {
    reason,
  })
}
