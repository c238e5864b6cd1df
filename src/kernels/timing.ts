/** How fast a build of the kernels is here: the one look at the real clock, which decides between builds and nothing else. */

/** Milliseconds of the fastest of `times` rounds of each of `runs`: one pause of the machine does not count, and what else it does hits all alike. */
export function fastestOfEach(times: number, runs: readonly (() => void)[]): readonly number[] {
  const fastest = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < times; round++) {
    for (const [i, run] of runs.entries()) {
      const start = performance.now()
      run()
      fastest[i] = Math.min(fastest[i]!, performance.now() - start)
    }
  }
  return fastest
}
