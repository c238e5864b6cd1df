/** Faults inside a daemon that was started with the saboteur (saboteur.ts): how it is started, and how a fault is called for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDaemon } from '../../test/support/daemon.ts'
import { SABOTAGE_DONE, type Sabotage } from './saboteur.ts'

/** What runs a daemon with the saboteur in it. */
export function sabotaged(faults: readonly Sabotage[]): readonly string[] {
  const script = new URL('./saboteur.ts', import.meta.url).href
  return ['env', `SABOTAGE=${JSON.stringify(faults)}`, `NODE_OPTIONS=--import=${script}`]
}

/** Does the next fault; resolves when the saboteur has said that it is over. */
export async function strike(daemon: TestDaemon, deadlineMs: number): Promise<void> {
  const done = () => daemon.log.filter((line) => line.startsWith(SABOTAGE_DONE)).length
  const before = done()
  daemon.signal('SIGUSR2')
  for (const began = performance.now(); done() === before; ) {
    if (performance.now() - began > deadlineMs) throw new Error('the saboteur did not answer')
    await sleep(20)
  }
}
