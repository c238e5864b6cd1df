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

/**
 * Longer waits than one timer can hold are made of several. Node cuts fractions of a millisecond off and counts from a time of its loop that
 * may be older than now, so a timer can fire early: it is then set again for what is left.
 */
function after(ms: number, run: () => void): () => void {
  const end = performance.now() + ms
  let timer: NodeJS.Timeout
  const arm = (leftMs: number) => {
    timer = setTimeout(fire, Math.min(MAX_TIMER_MS, Math.ceil(leftMs)))
  }
  const fire = () => {
    const leftMs = end - performance.now()
    if (leftMs > 0) arm(leftMs)
    else run()
  }
  arm(ms)
  return () => clearTimeout(timer)
}
