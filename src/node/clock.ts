/** The real clock behind the Clock port: monotonic `performance.now()` and the system's timers. Pending timers keep the process alive. */
import type { Clock } from '../ports/clock.ts'
import { sleepOn } from '../util/abort.ts'
import { MAX_TIMER_MS } from './limits.ts'

export const systemClock: Clock = {
  now: () => performance.now(),
  unixSeconds: () => Math.floor(Date.now() / 1000),
  sleep: sleepOn(after),
  after,
}

/** Longer waits than one timer can hold are made of several. */
function after(ms: number, run: () => void): () => void {
  const end = performance.now() + ms
  let timer: NodeJS.Timeout
  const arm = () => {
    const leftMs = end - performance.now()
    timer = leftMs > MAX_TIMER_MS ? setTimeout(arm, MAX_TIMER_MS) : setTimeout(run, Math.max(0, leftMs))
  }
  arm()
  return () => clearTimeout(timer)
}
