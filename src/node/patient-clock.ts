/**
 * A clock that does not count the time in which this process stood still (stopped, asleep, its event loop blocked): what others said meanwhile
 * waits unread, and deadlines that passed unseen would be held against them. So `now` advances at most STALL_MS between two ticks of the event
 * loop, and timers run when that time is over. Durations of a healthy process are those of the system's clock. [Lifeguard, arXiv 1707.00788]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../ports/clock.ts'
import { sleepOn } from '../util/abort.ts'
import { systemClock } from './clock.ts'
import { LAG_RESOLUTION_MS, STALL_MS, STALL_TICK_MS } from './limits.ts'

export interface PatientClock extends Clock {
  /** Milliseconds that were not counted so far. */
  stalledMs(): number
  /** 99th percentile of the event loop's delay in milliseconds. */
  lagMs(): number
  stop(): void
}

/** `real`: the clock behind it, for tests; `everyTick` calls at about every STALL_TICK_MS while the event loop turns. */
export function patientClock(real: Clock = systemClock, everyTick: (tick: () => void) => () => void = ticking): PatientClock {
  let countedMs = real.now()
  let tickedAtMs = countedMs
  const now = () => countedMs + Math.min(real.now() - tickedAtMs, STALL_MS)
  const stopTicking = everyTick(() => {
    countedMs = now()
    tickedAtMs = real.now()
  })
  const after = (ms: number, run: () => void) => {
    const endMs = now() + ms
    let cancel = () => {}
    const arm = (leftMs: number) => {
      cancel = real.after(leftMs, () => {
        const stillMs = endMs - now()
        // Timers are a little early at times.
        if (stillMs > 1) arm(stillMs)
        else run()
      })
    }
    arm(ms)
    return () => cancel()
  }
  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  delays.enable()
  return {
    now,
    unixSeconds: real.unixSeconds,
    after,
    sleep: sleepOn(after),
    // Both began at the same value.
    stalledMs: () => Math.round(real.now() - now()),
    lagMs: () => Math.round(Math.max(0, delays.percentile(99) / 1e6 - LAG_RESOLUTION_MS) * 10) / 10,
    stop() {
      stopTicking()
      delays.disable()
    },
  }
}

function ticking(tick: () => void): () => void {
  const timer = setInterval(tick, STALL_TICK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
