/** What `start` and `join` share: from flags and file to settings, and from settings to a running daemon (or, with --dry-run, to their print). */
import { stringify } from 'yaml'
import { systemClock } from '../node/clock.ts'
import { loadOwnModule, looksLikeModule } from '../node/own-module.ts'
import { systemRandom } from '../node/random.ts'
import { planRun } from '../peer/found.ts'
import { type PeerSettings, resolveSettings } from '../peer/settings.ts'
import type { OwnModule } from '../ports/learner.ts'
import type { Context } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { DONE } from './exit.ts'
import type { PeerFlags } from './peer-options.ts'
import { programWords } from './program-words.ts'
import { runDaemon } from './run-daemon.ts'

export async function launch(
  command: 'start' | 'join',
  addresses: readonly string[],
  flags: PeerFlags,
  { io, version }: Context,
): Promise<number> {
  const file = flags.config === null ? null : await readConfigFile(flags.config)
  const own = await ownEnvironment(command, flags.settings, file?.values)
  const settings = resolveSettings({ command, addresses, flags: own.flags, file, modules: own.modules, randomSeed: systemRandom.uint32() })
  if (flags.dryRun) {
    io.out.write(flags.json ? `${JSON.stringify(plan(settings))}\n` : stringify(plan(settings)))
    return DONE
  }
  // Loaded only now: libp2p and its parts take longer than everything else here.
  const { createPeer } = await import('../peer/daemon.ts')
  const program = programWords({ env: io.env, launcher: process.argv[1] ?? '', node: process.execPath, cwd: process.cwd() })
  return runDaemon(createPeer, settings, { ...flags, command, version, program }, io, systemClock)
}

/**
 * `--env ./my-env.ts`: the module is registered and the flag becomes its id. Who joins gives the module too, for the run to find it here;
 * which environment it is, the run decides.
 */
async function ownEnvironment(
  command: 'start' | 'join',
  flags: Readonly<Record<string, unknown>>,
  inFile: unknown,
): Promise<{ flags: Readonly<Record<string, unknown>>; modules: readonly OwnModule[] }> {
  const fromFile = inFile !== null && typeof inFile === 'object' && 'env' in inFile ? inFile.env : undefined
  const env = flags.env ?? fromFile
  if (typeof env !== 'string' || !looksLikeModule(env)) return { flags, modules: [] }
  const { id, module } = await loadOwnModule(env)
  const { env: _, ...rest } = flags
  return { flags: command === 'start' ? { ...rest, env: id } : rest, modules: [module] }
}

/** The manifest as far as it is known before the weights are drawn, and the settings of this peer. */
function plan(settings: PeerSettings): unknown {
  const { run, ...local } = settings
  if ('join' in run) return { join: run.join, settings: local }
  const { nonce: _, ...manifest } = planRun(run.found, systemRandom).plan
  return { manifest, settings: local }
}
