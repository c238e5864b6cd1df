/** How fast a build of the kernels is here: the one look at the real clock, which decides between builds and nothing else. */

/** Milliseconds of the fastest of `times` runs, so that one pause of the machine does not count. */
export function fastestOf(times: number, run: () => void): number {
  let fastest = Number.POSITIVE_INFINITY
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    run()
    fastest = Math.min(fastest, performance.now() - start)
  }
  return fastest
}
