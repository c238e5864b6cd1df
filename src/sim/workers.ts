/** The Workers port without threads: learners inline on virtual time, passes over arrays at once. */
import { InlineLearner, type Pace, type PacedCore } from '../learn/inline-learner.ts'
import { createLearner } from '../learn/learner.ts'
import { InlineEvaluator } from '../learn/replica-evaluation.ts'
import type { Clock } from '../ports/clock.ts'
import type { ReplicaEvaluator } from '../ports/evaluator.ts'
import type { Learner, LearnerSettings } from '../ports/learner.ts'
import type { Workers } from '../ports/workers.ts'
import { parameterDigest } from '../util/sha256.ts'
import { chunkDigests, freezeReplica } from '../wire/frozen.ts'
import { sealTensors } from '../wire/sealed-tensors.ts'

/** `pace`: how much virtual time an update of this peer takes. `makeCore`: what learns. */
export function inlineWorkers(
  clock: Clock,
  pace: Pace,
  makeCore: (settings: LearnerSettings) => Promise<PacedCore> = (settings) => createLearner(settings),
): Workers {
  const learners: Learner[] = []
  const evaluators: ReplicaEvaluator[] = []
  return {
    async learner(settings) {
      const learner = new InlineLearner(await makeCore(settings), clock, pace)
      learners.push(learner)
      return learner
    },
    evaluator(settings) {
      const evaluator = new InlineEvaluator(settings, clock)
      evaluators.push(evaluator)
      return evaluator
    },
    compute: {
      digest: async (values) => parameterDigest(values),
      sealTensors: async (file) => sealTensors(file),
      chunkDigests: async (bytes, chunkBytes) => chunkDigests(bytes, chunkBytes),
      freeze: async (replica) => freezeReplica(replica),
      pass: async (pass, input) => pass.run(input),
    },
    async stop() {
      await Promise.all([...learners, ...evaluators].map((each) => each.stop()))
    },
  }
}
