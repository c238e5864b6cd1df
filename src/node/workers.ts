/** The Workers port over threads: learners each in their own, large passes in one helper. `stop` ends them all, those that are being built, too. */
import type { Learner } from '../ports/learner.ts'
import type { Workers } from '../ports/workers.ts'
import { GrapevineError } from '../util/errors.ts'
import { ThreadCompute } from './compute.ts'
import { startLearnerThread } from './learner-thread.ts'

export function threadWorkers(): Workers {
  const compute = new ThreadCompute()
  const learners: Promise<Learner>[] = []
  const stopping = new AbortController()
  return {
    compute,
    learner(settings) {
      const learner = startLearnerThread(settings, stopping.signal)
      learners.push(learner)
      return learner
    },
    async stop() {
      stopping.abort(new GrapevineError('stopped', 'local', 'This peer was stopped.'))
      // Who asked for a learner that could not be built was told so.
      const stopped = learners.map((learner) => learner.then((built) => built.stop()).catch(() => undefined))
      await Promise.all([...stopped, compute.stop()])
    },
  }
}
