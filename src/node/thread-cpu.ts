/** CPU time of the calling thread. */
import { readFileSync } from 'node:fs'

/** Newer versions of Node have it, their types do not say so yet. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => { readonly user: number; readonly system: number } }

/** User and system milliseconds that the calling thread has used; null where neither Node nor the kernel tells. */
export function threadCpuMs(): number | null {
  if (threadCpuUsage !== undefined) {
    const { user, system } = threadCpuUsage()
    return (user + system) / 1000
  }
  try {
    // The first field is the time on a processor in nanoseconds; `thread-self` is whoever reads.
    const [onCpu] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')
    return Number(onCpu) / 1e6
  } catch {
    return null
  }
}
