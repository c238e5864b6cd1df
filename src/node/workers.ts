/** The Workers port over threads: learners each in their own, large passes in one helper. `stop` ends them all. */
import type { Learner } from '../ports/learner.ts'
import type { Workers } from '../ports/workers.ts'
import { ThreadCompute } from './compute.ts'
import { startLearnerThread } from './learner-thread.ts'

export function threadWorkers(): Workers {
  const compute = new ThreadCompute()
  const learners: Learner[] = []
  return {
    compute,
    async learner(settings) {
      const learner = await startLearnerThread(settings)
      learners.push(learner)
      return learner
    },
    async stop() {
      await Promise.all([...learners.map((learner) => learner.stop()), compute.stop()])
    },
  }
}
