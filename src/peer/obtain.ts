/** How a daemon comes to its run: it founds, joins or resumes one, as its settings say. Fails as `foundRun`, `joinRun` and `resumeRun` do. */
import type { Tensor } from '../ports/tensors.ts'
import type { Adopted } from './adopt.ts'
import { foundRun } from './found.ts'
import { initialiseFrom } from './init-from.ts'
import { joinRun } from './join.ts'
import { type Attempt, withOwnNetwork } from './own-network.ts'
import { resumeRun } from './resume.ts'
import type { PeerPorts, Run } from './run.ts'
import type { PeerSettings } from './settings.ts'

interface Obtaining {
  readonly settings: PeerSettings
  readonly ports: PeerPorts
  /** The data folder, as a person reads it. */
  readonly folder: string
  /** The tensors of `--init-from`. */
  readonly readWeights: (path: string) => Promise<Readonly<Record<string, Tensor>>>
  readonly tryNetwork: Attempt
  readonly signal: AbortSignal
  readonly warn: (code: string, message: string) => void
}

/** `joined`: whose weights were taken over. */
export async function obtainRun({
  settings,
  ports,
  folder,
  readWeights,
  tryNetwork,
  signal,
  warn,
}: Obtaining): Promise<{ run: Run; joined: Adopted | null }> {
  const choice = settings.run
  if ('found' in choice) {
    // Read first: what is wrong with it is told before anything is built.
    const weights = settings.initFrom === null ? null : await readWeights(settings.initFrom)
    const { run: chosen } = await withOwnNetwork(settings, tryNetwork)
    const run = await foundRun(settings, 'found' in chosen ? chosen.found : choice.found, ports)
    if (weights !== null) await initialiseFrom(run, weights, settings.initFrom ?? '', warn)
    return { run, joined: null }
  }
  if ('resume' in choice) {
    const { run, caughtUp } = await resumeRun(settings, ports, folder, signal, warn)
    return { run, joined: caughtUp }
  }
  const { run, ...joined } = await joinRun(choice.join, settings, ports, signal, warn)
  return { run, joined }
}
