/** What `start` and `join` share: from flags and file to settings, and from settings to a running daemon (or, with --dry-run, to their print). */
import { availableParallelism, setPriority } from 'node:os'
import { systemClock } from '../node/clock.ts'
import { loadOwnModule, looksLikeModule } from '../node/own-module.ts'
import { readNetworkModule } from '../node/own-network.ts'
import { systemRandom } from '../node/random.ts'
import { tryModule, tryNetwork } from '../node/trial.ts'
import { planRun } from '../peer/found.ts'
import { withOwnNetwork } from '../peer/own-network.ts'
import type { Fault } from '../peer/settings/faults.ts'
import { type PeerSettings, resolveSettings } from '../peer/settings.ts'
import type { OwnModule } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Context } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { DONE } from './exit.ts'
import type { PeerFlags } from './peer-options.ts'
import { programWords } from './program-words.ts'
import { runDaemon } from './run-daemon.ts'

export async function launch(command: 'start' | 'join', flags: PeerFlags, { io, version }: Context): Promise<number> {
  const faults = [...flags.faults]
  const file = flags.config === null ? null : await readConfigFile(flags.config).catch(told(faults, ['env', 'algo'], flags.settings))
  const env = flags.settings.env ?? valueIn(file?.values, 'env')
  const own = typeof env === 'string' && looksLikeModule(env) ? await loadSound(env).catch(told(faults, ['env'])) : null
  const network = flags.settings.network ?? valueIn(file?.values, 'network')
  const networkModule = await readNetwork(network).catch(told(faults, ['network']))
  const founds = command === 'start' && (flags.settings.resume ?? valueIn(file?.values, 'resume') ?? false) === false
  const resolved = resolveSettings({
    command,
    addresses: flags.words,
    flags: own === null ? flags.settings : withEnvironment(founds, flags.settings, own.id),
    file: own === null ? file : withoutEnvironment(file),
    modules: own === null ? [] : [own.module],
    networkModule,
    faults,
    cores: availableParallelism(),
    randomSeed: systemRandom.uint32(),
  })
  const settings = await withOwnNetwork(resolved, tryNetwork)
  if (flags.dryRun) {
    const { stringify } = await import('yaml')
    io.out.write(flags.json ? `${JSON.stringify(plan(settings))}\n` : stringify(plan(settings), { aliasDuplicateObjects: false }))
    return DONE
  }
  // Threads take over the priority of the one that starts them.
  if (settings.nice !== null) setPriority(settings.nice)
  // Loaded only now: libp2p and its parts take longer than everything else here.
  const { createPeer } = await import('../peer/daemon.ts')
  const program = programWords({ env: io.env, launcher: process.argv[1] ?? '', node: process.execPath, cwd: process.cwd() })
  return runDaemon(createPeer, settings, { ...flags, command, version, program }, io, systemClock)
}

/** Adds an error to `faults`, so that it is told with all others; what is `given` all the same is still judged, the other `fields` are not. */
function told(faults: Fault[], fields: readonly string[], given: Readonly<Record<string, unknown>> = {}) {
  return (error: unknown): null => {
    if (!(error instanceof GrapevineError)) throw error
    faults.push({ code: error.code, message: error.message, fields: fields.filter((name) => !(name in given)) })
    return null
  }
}

/** One of the user's own is made and reset once, in a thread, so that what is wrong with it is told before anything starts. */
async function loadSound(path: string): ReturnType<typeof loadOwnModule> {
  const [problem] = (await tryModule(path, false)).problems
  if (problem === undefined) return loadOwnModule(path)
  const message = `The module ${path} cannot serve as an environment: ${problem} grapevine envs --check ${path} tells all.`
  throw new GrapevineError('environment_module', 'local', message)
}

/** What is no text is told by the settings' schema. */
async function readNetwork(path: unknown): Promise<OwnModule | null> {
  return typeof path === 'string' && path !== '' ? readNetworkModule(path) : null
}

function valueIn(inFile: unknown, name: string): unknown {
  return inFile !== null && typeof inFile === 'object' ? (inFile as Readonly<Record<string, unknown>>)[name] : undefined
}

/** The file without the module of one's own that it names, which `withEnvironment` puts among the flags. */
function withoutEnvironment<T extends { readonly values: unknown } | null>(file: T): T {
  if (file === null || file.values === null || typeof file.values !== 'object') return file
  return { ...file, values: { ...file.values, env: undefined } }
}

/** With a module of one's own the flag becomes its id. Who joins or resumes gives the module too, for the run to find it here; which environment it is, the run decides. */
function withEnvironment(founds: boolean, flags: Readonly<Record<string, unknown>>, id: string): Readonly<Record<string, unknown>> {
  return { ...flags, env: founds ? id : undefined }
}

/** Who founds has no id before the data folder is open. */
const NO_PEER_YET = 'this peer'

/** The manifest as far as it is known before the weights are drawn, and the settings of this peer. */
function plan(settings: PeerSettings): unknown {
  const { run, ...rest } = settings
  // A key that came with an invitation is no business of whoever looks over one's shoulder.
  const local = rest.swarmKey !== null && 'hex' in rest.swarmKey ? { ...rest, swarmKey: 'from the invitation' } : rest
  if ('join' in run) return { join: run.join, settings: local }
  if ('resume' in run) return { resume: run.resume, settings: local }
  const { nonce: _, ...manifest } = planRun(run.found, systemRandom, NO_PEER_YET)
  return { manifest, settings: local }
}
