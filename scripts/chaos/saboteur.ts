/**
 * Runs inside a daemon, before its program (node --import): the faults that cannot be made from outside. With each SIGUSR2 it does the next of
 * those that the variable SABOTAGE lists (JSON), and says so on stderr in a line that begins with SABOTAGE_DONE. The daemon knows nothing of it.
 */
import { isMainThread } from 'node:worker_threads'

export type Sabotage =
  /** The main thread's event loop stands still. */
  | { readonly do: 'block'; readonly ms: number }
  /** The wall clock jumps. */
  | { readonly do: 'clock'; readonly seconds: number }

export const SABOTAGE_DONE = 'sabotage done:'

const faults = JSON.parse(process.env.SABOTAGE ?? '[]') as Sabotage[]

if (isMainThread && faults.length > 0) {
  const RealDate = Date
  let shiftMs = 0
  globalThis.Date = class extends RealDate {
    constructor(...given: []) {
      super(...(given.length === 0 ? ([RealDate.now() + shiftMs] as unknown as []) : given))
    }

    static override now(): number {
      return RealDate.now() + shiftMs
    }
  } as DateConstructor
  process.on('SIGUSR2', () => {
    const fault = faults.shift()
    if (fault?.do === 'block') {
      const untilMs = performance.now() + fault.ms
      while (performance.now() < untilMs);
    } else if (fault?.do === 'clock') {
      shiftMs += fault.seconds * 1_000
    }
    process.stderr.write(`${SABOTAGE_DONE} ${JSON.stringify(fault)}\n`)
  })
}
