/**
 * A model of one's own, tried before anything starts: a founding gets the network that it makes. A run that was founded elsewhere, or before,
 * has its network already, so there the module is only loaded.
 */
import type { NetworkSpec, OwnModule } from '../ports/learner.ts'
import { presetNetworkOf } from './found.ts'
import type { PeerSettings } from './settings.ts'

/** Builds the model for the inputs and outputs of `like` and tries it, or, with a job of null, loads its module only; throws what is wrong with it. */
export type Attempt = (module: OwnModule, job: { readonly like: NetworkSpec; readonly seed: number } | null) => Promise<NetworkSpec | null>

/** The same settings where nothing of this is asked for, or the network is there. */
export async function withOwnNetwork(settings: PeerSettings, attempt: Attempt): Promise<PeerSettings> {
  const { networkModule, run } = settings
  if (networkModule === null || ('found' in run && run.found.network !== undefined)) return settings
  const job = 'found' in run ? { like: presetNetworkOf(run.found), seed: run.found.seed } : null
  const network = await attempt(networkModule, job)
  return 'found' in run && network !== null ? { ...settings, run: { found: { ...run.found, network } } } : settings
}
