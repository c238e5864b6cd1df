/** Entry of the evaluator's thread: plays one evaluation for each message, and leaves when the shared word says so or its environments fail. */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { evaluatorFor, playBoth } from '../learn/replica-evaluation.ts'
import type { EvaluationReturns } from '../ports/evaluator.ts'
import { BEATS, type EvaluatorReply, type EvaluatorRequest, type EvaluatorThreadData, STOP } from './evaluator-protocol.ts'
import { inheritKernelRanking } from './kernel-ranking.ts'
import { plainError } from './learner-protocol.ts'
import { LEARNER_NICENESS } from './limits.ts'
import { registerOwn } from './own-network.ts'
import { standBehind } from './priority.ts'

const { settings, words } = workerData as EvaluatorThreadData
const port = parentPort!

async function live(): Promise<void> {
  standBehind(LEARNER_NICENESS)
  const first = once(port, 'message')
  inheritKernelRanking()
  await registerOwn(settings)
  const evaluator = await evaluatorFor(settings)
  try {
    for (let [request] = await first; ; [request] = await once(port, 'message')) {
      if (request === null) return
      const { seed, ...replica } = request as EvaluatorRequest
      const playing = playBoth(evaluator, replica, seed)
      let returns: EvaluationReturns | null = null
      while (returns === null) {
        if (Atomics.load(words, STOP) !== 0) return
        Atomics.add(words, BEATS, 1)
        const { done, value } = playing.next()
        if (done === true) returns = value
      }
      port.postMessage({ returns } satisfies EvaluatorReply)
    }
  } finally {
    evaluator.dispose()
  }
}

try {
  await live()
} catch (error) {
  port.postMessage({ error: plainError(error) } satisfies EvaluatorReply)
} finally {
  port.close()
}
