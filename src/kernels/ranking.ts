/** Which builds of the kernels this machine runs, by falling speed, as one thread of this process has measured them (learn/engines/wasm-builds.ts). */
import type { KernelBuild } from './load.ts'

let ranking: readonly KernelBuild[] | null = null

/** What this thread measured or was told; null before it needed kernels. */
export function kernelRanking(): readonly KernelBuild[] | null {
  return ranking
}

/** The first word counts: all threads run on the same machine. */
export function setKernelRanking(measured: readonly KernelBuild[]): readonly KernelBuild[] {
  ranking ??= measured
  return ranking
}
