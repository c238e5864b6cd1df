/**
 * The Workers port over threads: learners each in their own, large passes in one helper. `stop` ends them all, those that are being built, too.
 * An environment that this program registered as a function exists in this thread only: its learner runs here, one update at a time between
 * what else the thread has to do. Learners' code is loaded here only then: most daemons start without it.
 */
import { comesAlong, findEnvironment } from '../envs/registry.ts'
import { StepPace } from '../learn/step-pace.ts'
import type { ReplicaEvaluator } from '../ports/evaluator.ts'
import type { Learner, LearnerSettings } from '../ports/learner.ts'
import type { Workers } from '../ports/workers.ts'
import { GrapevineError } from '../util/errors.ts'
import { systemClock } from './clock.ts'
import { ThreadCompute } from './compute.ts'
import { ThreadEvaluator } from './evaluator-thread.ts'
import { raiseLearnerThread } from './learner-process.ts'
import { startLearnerThread } from './learner-thread.ts'
import { registerOwn } from './own-network.ts'

/** `early`: a thread for the first learner begins to load now, before its settings are known. */
export function threadWorkers({ early = false } = {}): Workers {
  const compute = new ThreadCompute()
  const learners: Promise<Learner>[] = []
  const evaluators: ReplicaEvaluator[] = []
  const stopping = new AbortController()
  let raised = early ? raiseLearnerThread() : null
  const nextThread = () => {
    const thread = raised ?? raiseLearnerThread()
    raised = null
    return thread
  }
  return {
    compute,
    learner(settings) {
      const learner = livesHereOnly(settings) ? inlineLearner(settings) : startLearnerThread(settings, stopping.signal, nextThread())
      learners.push(learner)
      return learner
    },
    evaluator(settings) {
      const evaluator = livesHereOnly(settings) ? inlineEvaluator(settings) : new ThreadEvaluator(settings)
      evaluators.push(evaluator)
      return evaluator
    },
    async stop() {
      stopping.abort(new GrapevineError('stopped', 'local', 'This peer was stopped.'))
      // Who asked for a learner that could not be built was told so.
      const stopped = learners.map((learner) => learner.then((built) => built.stop()).catch(() => undefined))
      await Promise.all([raised?.worker.terminate(), ...stopped, ...evaluators.map((evaluator) => evaluator.stop()), compute.stop()])
    },
  }
}

function livesHereOnly({ environment: { id, options }, modules }: LearnerSettings): boolean {
  if (comesAlong(id)) return false
  const { version } = findEnvironment(id, options)
  return !modules.some((module) => module.version === version)
}

async function inlineLearner(settings: LearnerSettings): Promise<Learner> {
  const [{ InlineLearner }, { createLearner }] = await Promise.all([import('../learn/inline-learner.ts'), import('../learn/learner.ts')])
  await registerOwn({ ...settings, modules: [] })
  const core = await createLearner(settings)
  const pace = new StepPace(settings.maxStepsPerSecond ?? null)
  return new InlineLearner(core, systemClock, {
    get updateMs() {
      return pace.waitMs(systemClock.now(), core.steps)
    },
    sliceUpdates: 1,
  })
}

function inlineEvaluator(settings: LearnerSettings): ReplicaEvaluator {
  const loaded = import('../learn/replica-evaluation.ts').then(({ InlineEvaluator }) => new InlineEvaluator(settings, systemClock))
  return {
    evaluate: async (replica, seed) => (await loaded).evaluate(replica, seed),
    stop: async () => (await loaded).stop(),
  }
}
