/**
 * Local settings of one daemon, resolved and frozen. What the swarm must agree on is in the manifest (`founding` proposes one).
 *
 * They come from flags and from a file, both read by one schema under the same names; a flag wins over the file, the file over the preset.
 * All faults are reported at once, each as a sentence that names the flag or field and what it may be.
 */
import { NO_OUTER_STEP, type OuterSettings } from '../average/outer.ts'
import { consensusLevels } from '../average/period.ts'
import type { RateRule } from '../average/rate.ts'
import { isBridged } from '../envs/bridge/script.ts'
import { findEnvironment, makeVectorEnv } from '../envs/registry.ts'
import type { WrapperUse } from '../envs/wrappers/wrap.ts'
import { type AlgorithmId, hyperparameterFaults, hyperparameterRules } from '../learn/hyperparameters.ts'
import { preset } from '../learn/presets.ts'
import { sharingFault } from '../learn/sharing.ts'
import type { MetricFile } from '../observe/metric-files.ts'
import type { HyperValue, NetworkSpec, OwnModule } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { isLoopback } from '../wire/address.ts'
import { type JoinTarget, readJoinWords } from './join-words.ts'
import {
  DEFAULT_CHECKPOINT_SECONDS,
  DEFAULT_MAX_MEMORY_BYTES,
  DEFAULT_MIN_PERIOD_MS,
  MAX_CHECKPOINT_SECONDS,
  MAX_MIN_PERIOD_MS,
  MAX_STEPS_PER_SECOND,
  SHARING_PERIOD_TIMES,
} from './limits.ts'
import { actorCount, engineThreads, FOUNDING_NAMES, type GivenSettings, SETTING_NAMES, settingsSchema } from './settings-schema.ts'

/** What `start` chooses for a new run; everything else comes from the preset of the algorithm and environment. */
export interface Founding {
  readonly environment: string
  readonly environmentOptions: Readonly<Record<string, unknown>>
  /** Wrappers of the environment, innermost first; the preset's when absent. */
  readonly wrappers?: readonly WrapperUse[]
  readonly algorithm: string
  /** Instead of the preset's. */
  readonly network?: NetworkSpec
  /** Name of the preset of algorithm and environment that gives the network and what else is not chosen here; the default one when absent. */
  readonly preset?: string
  readonly hyperparameters: Readonly<Record<string, HyperValue>>
  readonly horizonSteps: number
  readonly strategy: string
  readonly codec: string
  readonly robust: string
  /** null: the strategy's own. */
  readonly partner: string | null
  /** Of the strategy `server`: the peer that everyone exchanges with; null: the founder. */
  readonly server: string | null
  readonly period: number
  /** Relative consensus distance that peers keep by changing their periods; null: the period stays. */
  readonly periodTarget: number | null
  /** How the learning rate rises with the number of peers; null: not at all. */
  readonly rate: RateRule | null
  readonly outer: OuterSettings
  /** What a mix does to the optimiser's moments: nothing when absent. */
  readonly moments?: 'reset'
  /** Share of what a learner learns from that may be others' experience; absent: none is shared. */
  readonly experienceShare?: number
  readonly seed: number
  readonly name: string
}

export type Until =
  | { readonly kind: 'forever' }
  | { readonly kind: 'solved' }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'minutes'; readonly minutes: number }

export interface PeerSettings {
  /** A new run to found, the one in the data folder to go on with, or addresses of a run to join; an invitation names the run's id as well. */
  readonly run: { readonly found: Founding } | { readonly resume: true } | { readonly join: readonly string[]; readonly runId?: string }
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

export interface Fault {
  readonly code: string
  readonly message: string
  /** Settings that are not known because of it, so that what depends on them is not judged as well. */
  readonly fields?: readonly string[]
}

/** Twice the rate is what eight peers bear with most algorithms. */
const DEFAULT_RATE_CAP = 2

/** Beyond these no swarm has been measured: a larger number is a mistyped one. */
const MAX_RATE_PEERS = 1_000
const MAX_RATE_CAP = 64

/** What helped a little in measurements at a period of 20 updates; 0.9 often broke them. */
const DEFAULT_OUTER_MOMENTUM = 0.5

const DEFAULT_ENVIRONMENT = 'CartPole-v1'
const DEFAULT_ALGORITHM: AlgorithmId = 'a2c'
const DEFAULT_ENGINE = 'wasm'
/** What can differentiate a model of one's own. */
const OWN_MODEL_ENGINE = 'tfjs'

/** With `--deterministic` the same command gives the same run, so the seed cannot be drawn. */
const DETERMINISTIC_SEED = 1

/** This machine only, and never in the way of another daemon. */
const DEFAULT_HTTP = { host: '127.0.0.1', port: 0 }

const THIS_MACHINE = ['/ip4/127.0.0.1/tcp/0']
const ALL_INTERFACES = ['/ip4/0.0.0.0/tcp/0']

/** What `--set` takes beside hyper-parameters: `horizonSteps` of the run, and what is this peer's own. */
const OWN_ASSIGNMENTS = ['minPeriodMs', 'checkpointSeconds', 'maxStepsPerSecond']
const RATE_ASSIGNMENTS = ['rateRule', 'rateFrom', 'rateCap']
const EXTRA_ASSIGNMENTS = ['horizonSteps', 'outerLearningRate', 'outerMomentum', 'consensusTarget', ...RATE_ASSIGNMENTS, ...OWN_ASSIGNMENTS]

/** Of names with --set that are the environment's. */
const ENVIRONMENT_PREFIX = 'env.'

/** How one command prints is no setting of a daemon. */
const LINE_ONLY = ['config', 'quiet', 'verbose', 'json', 'dry-run']

/** For tests; never suggested. */
const HIDDEN_NAME = 'wait-for-peers'

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

/** Reads the flags, or the file at `path`. What is wrong goes to `faults`, the rest is returned. */
function readGiven(values: unknown, command: 'start' | 'join', path: string | null, faults: Faults): GivenSettings {
  if (values === null || typeof values !== 'object' || Array.isArray(values)) {
    faults.add('usage', `The settings in ${path} must be a map of names to values, such as "env: ${DEFAULT_ENVIRONMENT}"`)
    return {}
  }
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  const refuse = (name: string, code: string, message: string) => {
    if (!faults.wasTold(name)) faults.add(code, `${path === null ? `--${name}` : `"${name}" in ${path}`} ${message}`, name)
    delete given[name]
  }
  const known = command === 'start' ? SETTING_NAMES : SETTING_NAMES.filter((name) => !FOUNDING_NAMES.includes(name))
  const suggested = known.filter((name) => name !== HIDDEN_NAME)
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    if (FOUNDING_NAMES.includes(name)) refuse(name, 'usage', 'is decided by the run that you join; leave it out.')
    else if (LINE_ONLY.includes(name)) refuse(name, 'usage', `is for the command line only; write --${name} there.`)
    else refuse(name, 'usage', `is no setting; ${oneOf(name, suggested)}`)
  }
  const read = settingsSchema.safeParse(given)
  for (const issue of read.error?.issues ?? []) {
    const code = issue.code === 'custom' ? String(issue.params?.code) : 'usage'
    refuse(String(issue.path[0]), code, issue.message)
  }
  return settingsSchema.parse(given)
}

type Assigned = Readonly<Record<string, HyperValue>>

function runOf(
  sources: SettingsSources,
  given: GivenSettings,
  assigned: Assigned,
  target: JoinTarget,
  faults: Faults,
): PeerSettings['run'] {
  const resumes = given.resume !== undefined && given.resume !== false
  if (sources.command === 'join') {
    if (resumes) faults.add('usage', '--resume goes with start: grapevine start --resume finds the swarm by itself.')
    return join(target, assigned, faults)
  }
  return resumes ? resume(given, assigned, faults) : found(given, assigned, sources.randomSeed, faults)
}

function resume(given: GivenSettings, assigned: Assigned, faults: Faults): PeerSettings['run'] {
  for (const name of FOUNDING_NAMES) {
    if (name in given) faults.add('usage', `--${name} is decided by the run that is resumed; leave it out.`)
  }
  refuseForeign(assigned, 'is resumed', faults)
  const folder = given['data-dir']
  if (typeof given.resume === 'string' && folder !== undefined && folder !== given.resume) {
    faults.add('usage', `--resume names the folder ${given.resume} and --data-dir the folder ${folder}; a run goes on where it is stored.`)
  }
  return { resume: true }
}

/** `what` happens to a run that decides everything but what is this peer's own. */
function refuseForeign(assigned: Assigned, what: string, faults: Faults): void {
  for (const name of Object.keys(assigned)) {
    if (OWN_ASSIGNMENTS.includes(name)) continue
    faults.add(
      'usage',
      `"${name}" (--set) is decided by the run that ${what}; only ${OWN_ASSIGNMENTS.slice(0, -1).join(', ')} and ${OWN_ASSIGNMENTS.at(-1)} are your own.`,
    )
  }
}

function join(target: JoinTarget, assigned: Assigned, faults: Faults): PeerSettings['run'] {
  refuseForeign(assigned, 'you join', faults)
  return { join: target.addresses, ...(target.runId === null ? {} : { runId: target.runId }) }
}

function found(
  given: GivenSettings,
  assigned: Readonly<Record<string, HyperValue>>,
  randomSeed: number,
  faults: Faults,
): PeerSettings['run'] {
  const environment = given.env ?? DEFAULT_ENVIRONMENT
  const algorithm = given.algo ?? DEFAULT_ALGORITHM
  const outerRate = assignedBetween('outerLearningRate', assigned, 0.01, 2, faults)
  const outerMomentum = assignedBetween('outerMomentum', assigned, 0, 0.99, faults)
  const target = assignedBetween('consensusTarget', assigned, 0.001, 1, faults)
  for (const name of ['outerLearningRate', 'outerMomentum'])
    if (name in assigned && given.outer !== 'nesterov') faults.add('usage', `${name} (--set) needs --outer nesterov`)
  if ('consensusTarget' in assigned && given.period !== 'auto') faults.add('usage', 'consensusTarget (--set) needs --period auto')
  const horizonSteps = wholeAssignment('horizonSteps', assigned, 1, Number.MAX_SAFE_INTEGER, faults)
  const own = Object.fromEntries(
    Object.entries(assigned).filter(([name]) => !EXTRA_ASSIGNMENTS.includes(name) && !name.startsWith(ENVIRONMENT_PREFIX)),
  )
  const environmentOptions = optionsOf(assigned)
  if (!faults.has('env')) checkOptions(environment, environmentOptions, faults)
  // Without knowing the algorithm nothing can be said of its hyper-parameters.
  if (!faults.has('algo')) checkHyperparameters(algorithm, own, faults)
  if (
    given.until?.kind === 'solved' &&
    given.threshold === undefined &&
    !faults.has('env') &&
    findEnvironment(environment).threshold === null
  ) {
    faults.add('usage', `--until solved needs --threshold: no mean return counts as solved for ${environment} by itself.`)
  }
  const share = given['share-experience']
  const base = faults.has('env') || faults.has('algo') ? undefined : faults.try(() => preset(algorithm, environment, given.preset))
  if (share !== undefined && base !== undefined) {
    const fault = sharingFault(algorithm, { ...defaultsOf(algorithm), ...base.hyperparameters, ...own }, share)
    if (fault !== null) faults.add('usage', fault)
  }
  return {
    found: {
      environment,
      environmentOptions,
      algorithm,
      ...(given.preset === undefined ? {} : { preset: given.preset }),
      hyperparameters: { ...base?.hyperparameters, ...own },
      horizonSteps: horizonSteps ?? base?.horizonSteps ?? 1,
      strategy: given.strategy ?? 'auto',
      codec: given.codec ?? 'f32',
      robust: given.robust ?? 'clip',
      partner: given.partner ?? null,
      server: given.server ?? null,
      period: typeof given.period === 'number' ? given.period : (base?.period ?? 1) * (share === undefined ? 1 : SHARING_PERIOD_TIMES),
      periodTarget: given.period === 'auto' ? (target ?? consensusLevels(algorithm).target) : null,
      rate: rateRule(assigned, base?.swarm?.rate ?? null, faults),
      outer:
        given.outer === 'nesterov' ? { learningRate: outerRate ?? 1, momentum: outerMomentum ?? DEFAULT_OUTER_MOMENTUM } : NO_OUTER_STEP,
      ...(given.moments === 'reset' ? { moments: given.moments } : {}),
      ...(share === undefined ? {} : { experienceShare: share }),
      seed: given.seed ?? (given.deterministic === true ? DETERMINISTIC_SEED : randomSeed),
      name: given.name ?? environment,
    },
  }
}

/** The preset's, changed by --set; `rateRule=none` takes it away, and the numbers alone begin one. */
function rateRule(assigned: Assigned, preset: RateRule | null, faults: Faults): RateRule | null {
  const from = assignedBetween('rateFrom', assigned, 1, MAX_RATE_PEERS, faults)
  const cap = assignedBetween('rateCap', assigned, 1, MAX_RATE_CAP, faults)
  const rule = assigned.rateRule ?? (preset === null && from === undefined && cap === undefined ? 'none' : 'sqrt')
  if (rule !== 'sqrt' && rule !== 'none') faults.add('usage', `rateRule (--set) must be sqrt or none, not ${JSON.stringify(rule)}`)
  if (rule === 'none' && (from ?? cap) !== undefined) faults.add('usage', 'rateFrom and rateCap (--set) make no sense with rateRule=none')
  if (rule !== 'sqrt') return null
  return { rule, from: from ?? preset?.from ?? 1, cap: cap ?? preset?.cap ?? DEFAULT_RATE_CAP }
}

/** `--set env.length=1`: what the environment is made with. */
function optionsOf(assigned: Assigned): Readonly<Record<string, HyperValue>> {
  const ours = Object.entries(assigned).filter(([name]) => name.startsWith(ENVIRONMENT_PREFIX))
  return Object.fromEntries(ours.map(([name, value]) => [name.slice(ENVIRONMENT_PREFIX.length), value]))
}

/** By making one, where that starts nothing. */
function checkOptions(environment: string, options: Readonly<Record<string, unknown>>, faults: Faults): void {
  if (Object.keys(options).length === 0 || isBridged(environment)) return
  faults.try(() => makeVectorEnv(environment, 1, options).close())
}

function defaultsOf(algorithm: AlgorithmId): Readonly<Record<string, HyperValue>> {
  return Object.fromEntries(Object.entries(hyperparameterRules(algorithm)).map(([name, { initial }]) => [name, initial]))
}

function checkHyperparameters(algorithm: AlgorithmId, own: Readonly<Record<string, HyperValue>>, faults: Faults): void {
  const names = [...Object.keys(hyperparameterRules(algorithm)), ...EXTRA_ASSIGNMENTS]
  for (const [name, value] of Object.entries(own)) {
    if (names.includes(name))
      for (const message of hyperparameterFaults(algorithm, { [name]: value })) faults.add('hyperparameter', message)
    else faults.add('hyperparameter', `"${name}" (--set) is no hyper-parameter of ${algorithm}; ${oneOf(name, names)}`)
  }
}

function wholeAssignment(
  name: string,
  assigned: Readonly<Record<string, HyperValue>>,
  min: number,
  max: number,
  faults: Faults,
): number | undefined {
  const value = assigned[name]
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)) return value
  faults.add('usage', `${name} (--set) must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`)
  return undefined
}

function assignedBetween(
  name: string,
  assigned: Readonly<Record<string, HyperValue>>,
  min: number,
  max: number,
  faults: Faults,
): number | undefined {
  const value = assigned[name]
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return value
  faults.add('usage', `${name} (--set) must be a number from ${min} to ${max}, not ${JSON.stringify(value)}`)
  return undefined
}

/** All that is wrong, in the order found. */
class Faults {
  readonly #list: Fault[] = []
  readonly #names = new Set<string>()
  readonly #told: ReadonlySet<string>

  constructor(found: readonly Fault[]) {
    for (const { code, message, fields = [] } of found) {
      this.add(code, message)
      for (const name of fields) this.#names.add(name)
    }
    this.#told = new Set(this.#names)
  }

  /** Did the caller find out about this field? */
  wasTold(name: string): boolean {
    return this.#told.has(name)
  }

  /** `name`: the field, so that what depends on it is not judged as well. */
  add(code: string, message: string, name?: string): void {
    this.#list.push({ code, message: /[.?]$/.test(message) ? message : `${message}.` })
    if (name !== undefined) this.#names.add(name)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Takes a GrapevineError of `work` as a fault. */
  try<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof GrapevineError)) throw error
      this.add(error.code, error.message)
      return undefined
    }
  }

  throwAny(): void {
    const [first] = this.#list
    if (first === undefined) return
    const code = this.#list.every((other) => other.code === first.code) ? first.code : 'usage'
    throw new GrapevineError(code, 'local', this.#list.map((fault) => fault.message).join('\n'), { faults: this.#list })
  }
}

function oneOf(word: string, choices: readonly string[]): string {
  const [close] = nearest(word, choices, 1)
  return close === undefined ? `there are ${choices.join(', ')}` : `did you mean ${close}?`
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') for (const part of Object.values(Object.freeze(value))) deepFreeze(part)
  return value
}
