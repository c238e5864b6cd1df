/**
 * Local settings of one daemon, resolved and frozen. What the swarm must agree on is in the manifest (`settings/founding.ts` proposes one).
 *
 * They come from flags and from a file, both read by one schema under the same names; a flag wins over the file, the file over the preset.
 * All faults are reported at once, each as a sentence that names the flag or field and what it may be.
 */
import type { MetricFile } from '../observe/metric-files.ts'
import type { OwnModule } from '../ports/learner.ts'
import { isLoopback } from '../wire/address.ts'
import { readJoinWords } from './join-words.ts'
import {
  DEFAULT_CHECKPOINT_SECONDS,
  DEFAULT_MAX_MEMORY_BYTES,
  DEFAULT_MIN_PERIOD_MS,
  MAX_CHECKPOINT_SECONDS,
  MAX_MIN_PERIOD_MS,
  MAX_STEPS_PER_SECOND,
} from './limits.ts'
import { wholeAssignment } from './settings/assignments.ts'
import { type Fault, Faults } from './settings/faults.ts'
import { readGiven } from './settings/given.ts'
import { type RunChoice, runOf } from './settings/run-choice.ts'
import { actorCount, engineThreads, type GivenSettings } from './settings-schema.ts'

export type Until =
  | { readonly kind: 'forever' }
  | { readonly kind: 'solved' }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'minutes'; readonly minutes: number }

export interface PeerSettings {
  readonly run: RunChoice
  /** Environments of one's own, for the learner's thread. */
  readonly modules: readonly OwnModule[]
  /** The module that builds the network, where that is a model of one's own. */
  readonly networkModule: OwnModule | null
  /** null: the first free default folder. */
  readonly dataDir: string | null
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly mdns: boolean
  readonly engine: 'wasm' | 'tfjs'
  readonly deterministic: boolean
  /** Threads of the engine over which large batches are split. */
  readonly threads: number
  /** Threads that act beside the learner's; 0: none. */
  readonly actors: number
  /** Whether a run of others may start Python here, with the environments installed for it. */
  readonly allowPython: boolean
  /** The key of a private swarm: a file, or the key itself in hex, from an invitation. */
  readonly swarmKey: { readonly file: string } | { readonly hex: string } | null
  /** File with the ids of the peers that may take part; null: everyone may. */
  readonly allow: string | null
  /** Quotas of authors per address hold for private and loopback addresses, too. */
  readonly strictQuotas: boolean
  /** Keeps places for peers behind NAT, and passes their control messages on. */
  readonly relay: boolean
  /** Asks the router to open the port. */
  readonly upnp: boolean
  /** How far behind other programs it stands for the processor, of 19; null: as it was started. */
  readonly nice: number | null
  /** Files of metrics that are written into the folder `metrics` of the data folder. */
  readonly metrics: readonly MetricFile[]
  /** Where the dashboard listens; null: nowhere. Port 0: any free one. */
  readonly http: { readonly host: string; readonly port: number } | null
  readonly until: Until
  /** Overrides the environment's threshold. */
  readonly threshold: number | null
  /** Environment steps between evaluations; null: none. */
  readonly evalEvery: number | null
  readonly minPeriodMs: number
  /** Environment steps a second at most; null: as many as it can. */
  readonly maxStepsPerSecond: number | null
  /** Between two checkpoints. */
  readonly checkpointMs: number
  /** A file whose weights a new run begins with; null: those drawn from its seed. */
  readonly initFrom: string | null
  /** Whether checkpoints hold the replay memory. */
  readonly checkpointReplay: boolean
  /** Follows the run without learning. */
  readonly observe: boolean
  /** What a run may need here; checked before a run is joined. */
  readonly maxMemoryBytes: number
  /** Memory of the process beyond which it leaves with exit code 75; null: most of what the machine has. */
  readonly memoryLimitBytes: number | null
  /** Hidden, for tests: training holds until this many peers are alive. */
  readonly waitForPeers: number
}

/** Where settings come from. Values are as the command line or the YAML parser gives them. */
export interface SettingsSources {
  readonly command: 'start' | 'join'
  /** Addresses to join, or an invitation. */
  readonly addresses: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
  readonly file: { readonly path: string; readonly values: unknown } | null
  /** Registered by the caller already. */
  readonly modules?: readonly OwnModule[]
  /** Read by the caller already, from where `network` says. */
  readonly networkModule?: OwnModule | null
  /** What the caller found wrong already. */
  readonly faults?: readonly Fault[]
  /** Cores of this machine, for `--actors auto` and `--threads auto`. */
  readonly cores?: number
  /** The seed of a new run for which none is given. */
  readonly randomSeed: number
}

const DEFAULT_ENGINE = 'wasm'
/** What can differentiate a model of one's own. */
const OWN_MODEL_ENGINE = 'tfjs'

/** This machine only, and never in the way of another daemon. */
const DEFAULT_HTTP = { host: '127.0.0.1', port: 0 }

const THIS_MACHINE = ['/ip4/127.0.0.1/tcp/0']
const ALL_INTERFACES = ['/ip4/0.0.0.0/tcp/0']

/**
 * Throws one GrapevineError for all faults: its message has a line for each, `data.faults` lists them with their codes (`usage`, `malformed`,
 * `unknown_environment`, `unknown_algorithm`, `unknown_preset`, `hyperparameter`), and its own code is theirs when they agree, else `usage`.
 */
export function resolveSettings(sources: SettingsSources): PeerSettings {
  const faults = new Faults(sources.faults ?? [])
  const { file } = sources
  const inFile = readGiven(file?.values ?? {}, sources.command, file?.path ?? null, faults)
  const onLine = readGiven(sources.flags, sources.command, null, faults)
  const given = { ...inFile, ...onLine }
  const assigned = { ...inFile.set, ...onLine.set }
  const target = readJoinWords(sources.addresses)
  for (const { code, message } of target.faults) faults.add(code, message)
  const run = runOf(sources, given, assigned, target, faults)
  const minPeriodMs = wholeAssignment('minPeriodMs', assigned, 0, MAX_MIN_PERIOD_MS, faults) ?? DEFAULT_MIN_PERIOD_MS
  const checkpointSeconds = wholeAssignment('checkpointSeconds', assigned, 1, MAX_CHECKPOINT_SECONDS, faults) ?? DEFAULT_CHECKPOINT_SECONDS
  const maxStepsPerSecond = wholeAssignment('maxStepsPerSecond', assigned, 1, MAX_STEPS_PER_SECOND, faults) ?? null
  // Threads that act are of no use to an observer, and cannot run a model of one's own.
  const cores = given.observe === true || given.network !== undefined ? 1 : (sources.cores ?? 1)
  const actors = actorCount(given, cores)
  if (actors === 'not deterministic') faults.add('usage', '--deterministic needs --actors 0: threads differ in their order each time.')
  const engine = given.engine ?? (given.network === undefined ? DEFAULT_ENGINE : OWN_MODEL_ENGINE)
  if (engine === 'tfjs' && given.threads === 2) faults.add('usage', '--threads 2 needs --engine wasm: tfjs has threads of its own.')
  if (given.network !== undefined && engine !== OWN_MODEL_ENGINE)
    faults.add(
      'usage',
      `--network needs --engine ${OWN_MODEL_ENGINE}, which is its default: a model of your own runs on TensorFlow.js alone.`,
    )
  if (given.network !== undefined && typeof actors === 'number' && actors > 0)
    faults.add(
      'usage',
      '--network needs --actors 0: threads that act share the memory of the engine wasm, which runs no model of your own.',
    )
  if (given.observe === true) refuseLearning(sources.command, given, faults)
  const lan = given.lan === true
  const listen = given.listen ?? (lan ? ALL_INTERFACES : THIS_MACHINE)
  if (given.upnp === true && listen.every(isLoopback))
    faults.add('usage', '--upnp needs --lan or --listen: a router opens no port of an address that is for this machine only.')
  faults.throwAny()
  return deepFreeze({
    run,
    modules: sources.modules ?? [],
    networkModule: sources.networkModule ?? null,
    dataDir: given['data-dir'] ?? (typeof given.resume === 'string' ? given.resume : null),
    listen,
    announce: given.announce ?? [],
    mdns: lan && given['no-mdns'] !== true,
    engine,
    deterministic: given.deterministic === true,
    threads: engineThreads(given, actors === 'not deterministic' ? 0 : actors, cores),
    actors: actors === 'not deterministic' ? 0 : actors,
    allowPython: given['allow-python'] === true,
    // A file that was named wins over the key of an invitation.
    swarmKey: given['swarm-key'] === undefined ? target.swarmKey : { file: given['swarm-key'] },
    allow: given.allow ?? null,
    strictQuotas: given['strict-quotas'] === true,
    relay: given.relay === true,
    upnp: given.upnp === true,
    nice: given.nice ?? null,
    metrics: given.metrics ?? [],
    http: given['no-http'] === true ? null : (given.http ?? DEFAULT_HTTP),
    until: given.until ?? { kind: 'forever' },
    threshold: given.threshold ?? null,
    evalEvery: given['eval-every'] ?? null,
    minPeriodMs,
    maxStepsPerSecond,
    checkpointMs: 1_000 * checkpointSeconds,
    initFrom: given['init-from'] ?? null,
    observe: given.observe === true,
    checkpointReplay: given['checkpoint-replay'] === true,
    maxMemoryBytes: given['max-memory'] ?? DEFAULT_MAX_MEMORY_BYTES,
    memoryLimitBytes: given['max-memory'] ?? null,
    waitForPeers: given['wait-for-peers'] ?? 0,
  })
}

/** An observer learns nothing, so what learning needs has no meaning for it. */
function refuseLearning(command: 'start' | 'join', given: GivenSettings, faults: Faults): void {
  if (command === 'start' && (given.resume === undefined || given.resume === false))
    faults.add(
      'usage',
      '--observe follows a run of others, and start founds a new one with nobody to follow: grapevine join ADDRESS --observe.',
    )
  const needs = [
    ['eval-every', given['eval-every'] !== undefined, 'evaluate its checkpoints with grapevine eval'],
    ['until', given.until?.kind === 'steps' || given.until?.kind === 'solved', 'choose --until minutes=M'],
    ['actors', typeof given.actors === 'number' && given.actors > 0, 'leave it out'],
  ] as const
  for (const [name, isGiven, instead] of needs) {
    if (isGiven) faults.add('usage', `--${name} counts what this peer learns, and with --observe it learns nothing; ${instead}.`)
  }
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') for (const part of Object.values(Object.freeze(value))) deepFreeze(part)
  return value
}
