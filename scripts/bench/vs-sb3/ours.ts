/** Our side: a run in a process of its own, so that what a fresh process pays for compiling counts. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createLearner } from '../../../src/learn/learner.ts'
import type { LearnerSettings } from '../../../src/ports/learner.ts'
import { type TrainPlan, train } from '../learn/train.ts'
import type { Cost } from './python.ts'

export type Plan =
  | { readonly kind: 'train'; readonly plan: TrainPlan }
  /** `steps` steps after the first `from`. */
  | { readonly kind: 'speed'; readonly settings: LearnerSettings; readonly from: number; readonly steps: number }

/** Runs `plan` in a child process; null where training never sustained the threshold. */
export async function runInChild(plan: Plan): Promise<Cost | null> {
  const child: ChildProcess = fork(process.argv[1]!, ['vs-sb3', '--child'])
  const exit = once(child, 'exit')
  let result: Cost | null | undefined
  child.once('message', (message) => {
    result = message as Cost | null
  })
  child.send(plan)
  const [code] = await exit
  if (result === undefined) throw new Error(`A process of ours left with ${code} before it had a result.`)
  return result
}

/** The child's side: one plan comes, one result goes. */
export async function serveOne(): Promise<void> {
  const [plan] = (await once(process, 'message')) as [Plan]
  const result = plan.kind === 'train' ? (await train(plan.plan)).sustained : await speed(plan.settings, plan.from, plan.steps)
  process.send!(result, () => process.disconnect())
}

async function speed(settings: LearnerSettings, from: number, steps: number): Promise<Cost> {
  const learner = await createLearner(settings)
  while (learner.steps < from) learner.update()
  const first = learner.steps
  const cpu = process.cpuUsage()
  const beginMs = performance.now()
  while (learner.steps < first + steps) learner.update()
  const { user, system } = process.cpuUsage(cpu)
  const cost = { steps: learner.steps - first, cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - beginMs) / 1000 }
  learner.dispose()
  return cost
}
