/**
 * An environment or a model of the user's own is tried in a thread before anything else touches it, so that one that never returns is told in a
 * sentence and holds nothing up.
 */
import type { NetworkSpec, OwnModule } from '../ports/learner.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { crashed, type PlainError, restoredError } from './learner-protocol.ts'
import { TRIAL_MS } from './limits.ts'
import { startWorker } from './start-worker.ts'
import { type NetworkTrialData, type NetworkTrialReply, STAGES, type Stage, type TrialData, type TrialReply } from './trial-protocol.ts'

const WHAT = {
  load: 'loading what tries it',
  import: 'importing it',
  make: 'its function "make"',
  reset: 'its reset()',
  check: 'a call of its environment',
  build: 'its function',
  pass: 'a pass through its model',
} as const satisfies Record<Stage, string>

/**
 * Its id and what is wrong with it: the first thing that keeps it from being made and reset, or with `full` everything. Throws
 * `environment_module` where it is no environment at all, or where one stage takes `limitMs`.
 */
export async function tryModule(
  path: string,
  full: boolean,
  limitMs = TRIAL_MS,
): Promise<{ readonly id: string; readonly problems: readonly string[] }> {
  const stage = stageWord()
  return tried<Exclude<TrialReply, { error: PlainError }>>('trial-worker', { path, full, stage } satisfies TrialData, limitMs, (now) =>
    stuck('environment_module', `The module ${path} cannot serve as an environment`, now, limitMs),
  )
}

/**
 * A model of one's own: the network that it makes, or null where `job` is null and its module is only loaded. Throws `network_module` with what
 * is wrong with it.
 */
export async function tryNetwork(module: OwnModule, job: NetworkTrialData['job'], limitMs = TRIAL_MS): Promise<NetworkSpec | null> {
  const stage = stageWord()
  const data: NetworkTrialData = { module, job, stage }
  const reply = await tried<Exclude<NetworkTrialReply, { error: PlainError }>>('network-trial-worker', data, limitMs, (now) =>
    stuck('network_module', `The module ${module.file} cannot serve as a network (--network)`, now, limitMs),
  )
  return reply.network
}

function stageWord(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

async function tried<T extends object>(
  entry: string,
  data: TrialData | NetworkTrialData,
  limitMs: number,
  stuckIn: (stage: Stage) => GrapevineError,
): Promise<T> {
  const { stage } = data
  const worker = startWorker(entry, { workerData: data, name: 'trial', stdout: false })
  const { promise, resolve, reject } = Promise.withResolvers<T | { readonly error: PlainError }>()
  let timer: NodeJS.Timeout | undefined
  const watch = (seen: number) => {
    timer = setTimeout(() => {
      const now = Atomics.load(stage, 0)
      if (now !== seen || STAGES[now] === 'load') watch(now)
      else reject(stuckIn(STAGES[now]!))
    }, limitMs)
  }
  watch(0)
  worker.once('message', resolve)
  worker.once('error', (error: unknown) => reject(crashed(messageOf(error))))
  worker.once('exit', () => reject(crashed('it left in the middle of its trial')))
  try {
    const reply = await promise
    if ('error' in reply) throw restoredError(reply.error)
    return reply as T
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function stuck(code: string, what: string, stage: Stage, limitMs: number): GrapevineError {
  return new GrapevineError(code, 'local', `${what}: ${WHAT[stage]} did not return within ${limitMs / 1_000} s.`, { stage })
}
