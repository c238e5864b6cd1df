/**
 * Which build of the kernels is the fastest is measured once in a process, not in each of its threads: it takes a quarter of a thread's start.
 * Who has measured shares it with the threads that are started from then on; the learner's thread also tells the main thread.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import type { KernelBuild } from '../kernels/load.ts'
import { kernelRanking, setKernelRanking } from '../kernels/ranking.ts'

const NAME = 'grapevine kernels'

/** In a thread, before its first engine. */
export function inheritKernelRanking(): void {
  const measured = getEnvironmentData(NAME) as readonly KernelBuild[] | undefined
  if (measured !== undefined) setKernelRanking(measured)
}

/** With the threads that this one starts from now on; by default what this thread itself has measured, if it has. Returns what was shared. */
export function shareKernelRanking(measured: readonly KernelBuild[] | null = kernelRanking()): readonly KernelBuild[] | null {
  if (measured !== null) setEnvironmentData(NAME, [...measured])
  return measured
}
