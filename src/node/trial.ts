/**
 * An environment of the user's own is tried in a thread before anything else touches it, so that one that never returns is told in a
 * sentence and holds nothing up.
 */
import { Worker } from 'node:worker_threads'
import { GrapevineError } from '../util/errors.ts'
import { crashed, restoredError } from './learner-protocol.ts'
import { TRIAL_MS } from './limits.ts'
import { STAGES, type TrialData, type TrialReply } from './trial-protocol.ts'
import { workerUrl } from './worker-url.ts'

const WHAT = {
  load: 'loading what tries it',
  import: 'importing it',
  make: 'its function "make"',
  reset: 'its reset()',
  check: 'a call of its environment',
} as const satisfies Record<(typeof STAGES)[number], string>

/**
 * Its id and what is wrong with it: the first thing that keeps it from being made and reset, or with `full` everything. Throws
 * `environment_module` where it is no environment at all, or where one stage takes `limitMs`.
 */
export async function tryModule(
  path: string,
  full: boolean,
  limitMs = TRIAL_MS,
): Promise<{ readonly id: string; readonly problems: readonly string[] }> {
  const stage = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const data: TrialData = { path, full, stage }
  const worker = new Worker(workerUrl('trial-worker'), { workerData: data, name: 'trial', stdout: false })
  const { promise, resolve, reject } = Promise.withResolvers<TrialReply>()
  let timer: NodeJS.Timeout | undefined
  const watch = (seen: number) => {
    timer = setTimeout(() => {
      const now = Atomics.load(stage, 0)
      if (now !== seen || STAGES[now] === 'load') watch(now)
      else reject(stuck(path, STAGES[now]!, limitMs))
    }, limitMs)
  }
  watch(0)
  worker.once('message', resolve)
  worker.once('error', (error: unknown) => reject(crashed(error instanceof Error ? error.message : String(error))))
  worker.once('exit', () => reject(crashed('it left in the middle of its trial')))
  try {
    const reply = await promise
    if ('error' in reply) throw restoredError(reply.error)
    return reply
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function stuck(path: string, stage: keyof typeof WHAT, limitMs: number): GrapevineError<'environment_module'> {
  const message = `The module ${path} cannot serve as an environment: ${WHAT[stage]} did not return within ${limitMs / 1_000} s.`
  return new GrapevineError('environment_module', 'local', message, { path, stage })
}
