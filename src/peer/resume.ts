/**
 * Going on with the run of a data folder: the newest whole checkpoint is loaded into a learner, and where a peer of the run is found that is
 * ahead, its weights are taken over, so that a peer long absent does not drag the swarm back. Everything else (steps, moments, normalisers,
 * schedules) stays this peer's own.
 *
 * Ends with GrapevineErrors of the store (`no_checkpoint`, `bad_checkpoint`), `cannot_join` where the run cannot be had here any more, and
 * `state` where the checkpoint does not fit the settings.
 */
import { loadAddresses } from '../store/addresses.ts'
import { loadCheckpoint } from '../store/checkpoints.ts'
import type { Adopted } from './adopt.ts'
import { buildRun, catchUp } from './join.ts'
import type { PeerPorts, Run } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface ResumedRun {
  readonly run: Run
  /** From whom newer weights were taken over; null where nobody was ahead. */
  readonly caughtUp: Adopted | null
}

/** `folder`: its path, as a person reads it. `warn` is told of each checkpoint that was passed over. */
export async function resumeRun(
  settings: PeerSettings,
  ports: PeerPorts,
  folder: string,
  signal: AbortSignal,
  warn: (code: string, message: string) => void,
): Promise<ResumedRun> {
  const { name, damaged, state, facts, manifestBytes } = await loadCheckpoint(ports.storage, folder)
  for (const { name: bad, problem } of damaged) {
    warn('bad_checkpoint', `The checkpoint ${bad} cannot be used (${problem}); going on from ${name}, which is older.`)
  }
  signal.throwIfAborted()
  // Whoever stored the run here has allowed its Python before.
  const run = await buildRun(manifestBytes, { ...settings, allowPython: true }, ports)
  signal.throwIfAborted()
  await run.learner.restoreState(state)
  const addresses = await loadAddresses(ports.storage, run.id)
  return { run, caughtUp: await catchUp(addresses, facts.version, run, ports, signal, warn) }
}
