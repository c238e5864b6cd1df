/**
 * Entry of an actor's thread: does its job until told to stop. Environments that throw are reported and made anew after a pause that doubles from
 * fault to fault, so that a broken one does not eat the machine.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { workFreely } from '../learn/a3c-threads.ts'
import type { ActorLife } from '../learn/actors.ts'
import { createWasmEngine } from '../learn/engines/wasm.ts'
import { actOn } from '../learn/threaded-actors.ts'
import { type ActorFault, type ActorThreadData, beatsWord, restsWord, STOP } from './actor-protocol.ts'
import { inheritKernelRanking } from './kernel-ranking.ts'
import { plainError } from './learner-protocol.ts'
import { ACTOR_PAUSE_MS, LEARNER_NICENESS, MAX_ACTOR_PAUSE_MS } from './limits.ts'
import { registerOwn } from './own-network.ts'
import { standBehind } from './priority.ts'

const { job, index, restarts, life: words } = workerData as ActorThreadData

const life: ActorLife = {
  index,
  restarts,
  get stopped() {
    return Atomics.load(words, STOP) !== 0
  },
  beat() {
    Atomics.add(words, beatsWord(index), 1)
  },
  rest(resting) {
    Atomics.store(words, restsWord(index), resting ? 1 : 0)
  },
}

standBehind(LEARNER_NICENESS)
inheritKernelRanking()
await registerOwn(job.settings)
const engine = createWasmEngine({ deterministic: job.settings.deterministic, memory: job.memory })
const run = { impala: actOn, apex: actOn, a3c: workFreely }[job.kind](job, engine, life)
let pauseMs = ACTOR_PAUSE_MS
while (!life.stopped) {
  try {
    run()
  } catch (error) {
    parentPort!.postMessage({ error: plainError(error) } satisfies ActorFault)
    life.rest(true)
    Atomics.wait(words, STOP, 0, pauseMs)
    pauseMs = Math.min(2 * pauseMs, MAX_ACTOR_PAUSE_MS)
  }
}
