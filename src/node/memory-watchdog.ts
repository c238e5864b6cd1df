/**
 * Looks every second how much memory the process has (resident set: threads, buffers of sockets and WASM included) and calls `over` once, when
 * two looks in a row were over the limit: a peak that is gone in a second is no reason to leave.
 */

import { totalmem } from 'node:os'
import { constrainedMemory, memoryUsage } from 'node:process'
import { DEFAULT_MEMORY_SHARE, MEMORY_CHECK_MS } from './limits.ts'

/** The returned function ends it. `rss`: for tests. */
export function watchMemory(limitBytes: number, over: (usedBytes: number) => void, rss: () => number = memoryUsage.rss): () => void {
  let wasOver = false
  const timer = setInterval(() => {
    const used = rss()
    if (used > limitBytes && wasOver) {
      clearInterval(timer)
      over(used)
    }
    wasOver = used > limitBytes
  }, MEMORY_CHECK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** What a process may have that was not told: most of this machine, or of what the system lets this process have. */
export function defaultMemoryLimit(): number {
  const constrained = constrainedMemory()
  const available = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem()
  return Math.floor(DEFAULT_MEMORY_SHARE * available)
}
