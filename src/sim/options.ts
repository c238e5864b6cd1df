/**
 * What a simulation is told: its own flags, and those of `start` that decide a run. All faults are reported at once, as `start` does.
 *
 * Mode: in lock step all peers make `period` updates, then one averaging step with one view of who is there; nothing takes time but updates.
 * Free running has peers go their own way on a network with latency, joins, beacons and faults. Lock step is the default; `--latency`,
 * `--bandwidth`, `--slow` and `--scenario` need time, and mean free running where no `--mode` is given.
 */
import { stringify } from 'yaml'
import { z } from 'zod'
import type { Fault } from '../peer/settings/faults.ts'
import { asNumber, field, oneOf, type Read, shown, wholeNumber } from '../peer/settings/values.ts'
import { type PeerSettings, resolveSettings } from '../peer/settings.ts'
import { FOUNDING_NAMES } from '../peer/settings-schema.ts'
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { ATTACK_KINDS } from './hostile/kinds.ts'
import {
  DEFAULT_LATENCY_MS,
  DEFAULT_UPDATE_MS,
  MAX_DELAY_ROUNDS,
  MAX_DIMENSION,
  MAX_NODES,
  MAX_ROUNDS,
  MAX_UPDATE_MS,
  MIN_DIMENSION,
} from './limits.ts'
import { readScenario, type ScenarioStep } from './scenario.ts'
import { readBandwidth, readDuration, readLatency, readProbability, readTimes } from './units.ts'

export type Mode = 'lockstep' | 'free'

export interface SimulateSettings {
  readonly nodes: number
  /** Rounds at most. */
  readonly rounds: number
  /** The end comes earlier when the mean over peers of their mean returns reaches this; null: never. */
  readonly untilReturn: number | null
  readonly mode: Mode
  readonly learning: boolean
  readonly init: 'shared' | 'independent'
  /** Parameters of replicas that do not learn; null: those of the environment's network. */
  readonly dimension: number | null
  /** Virtual milliseconds of one update. */
  readonly updateMs: number
  readonly loss: number
  /** In lock step, rounds until what push-sum sends arrives, drawn for each message between the two; null: in the same round. */
  readonly delayRounds: readonly [number, number] | null
  /** Virtual milliseconds from one peer to another, drawn for each message between the two. */
  readonly latencyMs: readonly [number, number]
  /** Of what leaves a peer; null: without bound. */
  readonly bytesPerMs: number | null
  /** The first peers after the founder, so many, are so many times slower. */
  readonly slow: { readonly count: number; readonly times: number } | null
  /** The last peers, so many, attack. */
  readonly hostile: { readonly count: number; readonly kind: string } | null
  readonly scenario: readonly ScenarioStep[]
  /** What every peer is set to; the run to found among it. */
  readonly peer: PeerSettings
}

/** Flags of `grapevine simulate` under their own names, without the dashes. */
export type SimulateFlags = Readonly<Record<string, unknown>>

const DEFAULT_NODES = 8
const DEFAULT_ROUNDS = 100
/** With a return to reach, the rounds are only the end of patience. */
const PATIENT_ROUNDS = 10_000
/** The same command gives the same simulation, so the seed is not drawn. */
const DEFAULT_SEED = 1
/** Parameters of replicas that do not learn where none are given: large enough for the law of large numbers. */
const DEFAULT_DIMENSION = 1_000

const shape = {
  nodes: field((value) => wholeNumber(value, 1, MAX_NODES)),
  rounds: field((value) => wholeNumber(value, 1, MAX_ROUNDS)),
  'until-return': field(readNumber),
  mode: field((value) => oneOf('mode', value, ['lockstep', 'free'])),
  learning: field((value) => oneOf('setting', typeof value === 'boolean' ? (value ? 'on' : 'off') : value, ['on', 'off'])),
  init: field((value) => oneOf('start', value, ['shared', 'independent'])),
  dim: field((value) => wholeNumber(value, MIN_DIMENSION, MAX_DIMENSION)),
  'update-time': field((value) => readDuration(value, MAX_UPDATE_MS)),
  loss: field(readProbability),
  delay: field(readDelay),
  latency: field(readLatency),
  bandwidth: field(readBandwidth),
  slow: field(readSlow),
  hostile: field(readHostile),
  scenario: field(readScenarioText),
}

/** They need time. */
const TIMED = ['latency', 'bandwidth', 'slow', 'scenario'] as const

const schema = z.strictObject(shape)
type Given = z.output<typeof schema>

/** Of `start`, what decides a run, and how it learns. */
const OF_START: readonly string[] = [...FOUNDING_NAMES, 'set', 'threshold']

function simulateFlagNames(): readonly string[] {
  return [...Object.keys(shape), ...OF_START]
}

/** Throws one GrapevineError for all faults, as `resolveSettings` does; `found`: what the caller found wrong already. */
export function resolveSimulation(flags: SimulateFlags, found: readonly Fault[] = []): SimulateSettings {
  const faults: Fault[] = [...found]
  const own: Record<string, unknown> = {}
  const ofStart: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue
    if (name in shape) own[name] = value
    else if (OF_START.includes(name)) ofStart[name] = value
    else faults.push({ code: 'usage', message: `--${name} is no setting of a simulation; ${suggestion(name)}` })
  }
  const given = readOwn(own, faults)
  checkTogether(given, ofStart, faults)
  const scenario = given.scenario === undefined ? [] : steps(given.scenario, given.nodes ?? DEFAULT_NODES, faults)
  const peer = resolveSettings({
    command: 'start',
    addresses: [],
    // Replicas that do not learn never move by themselves, so that nothing tells how far is far.
    flags: { ...(given.learning === 'off' ? { robust: 'none' } : {}), ...ofStart, set: withoutPace(ofStart.set) },
    file: null,
    faults,
    randomSeed: DEFAULT_SEED,
  })
  const learning = given.learning !== 'off'
  const timed = TIMED.some((name) => name in own)
  return {
    nodes: given.nodes ?? DEFAULT_NODES,
    rounds: given.rounds ?? (given['until-return'] === undefined ? DEFAULT_ROUNDS : PATIENT_ROUNDS),
    untilReturn: given['until-return'] ?? null,
    mode: given.mode ?? (timed ? 'free' : 'lockstep'),
    learning,
    init: given.init ?? 'shared',
    dimension: learning ? null : (given.dim ?? (ofStart.env === undefined ? DEFAULT_DIMENSION : null)),
    updateMs: given['update-time'] ?? DEFAULT_UPDATE_MS,
    loss: given.loss ?? 0,
    delayRounds: given.delay ?? null,
    latencyMs: given.latency ?? [DEFAULT_LATENCY_MS, DEFAULT_LATENCY_MS],
    bytesPerMs: given.bandwidth ?? null,
    slow: given.slow ?? null,
    hostile: given.hostile ?? null,
    scenario,
    peer,
  }
}

function readOwn(own: Record<string, unknown>, faults: Fault[]): Given {
  const read = schema.safeParse(own)
  for (const issue of read.error?.issues ?? []) {
    const name = String(issue.path[0])
    faults.push({ code: 'usage', message: `--${name} ${issue.message}` })
    delete own[name]
  }
  return schema.parse(own)
}

/** What is right alone and makes no sense together. */
function checkTogether(given: Given, ofStart: Readonly<Record<string, unknown>>, faults: Fault[]): void {
  const fault = (message: string) => faults.push({ code: 'usage', message })
  const learning = given.learning !== 'off'
  if (given.dim !== undefined && learning) fault('--dim is the size of replicas that do not learn; add --learning off.')
  if (given.dim !== undefined && ofStart.env !== undefined) fault('--dim and --env both say how large a replica is; leave one out.')
  if (given.init === 'independent' && learning) {
    fault('--init independent is for averaging alone; add --learning off: peers that learn must start from the same weights.')
  }
  if (given['until-return'] !== undefined && !learning) fault('--until-return is never reached with --learning off.')
  if (given.mode === 'lockstep') {
    for (const name of TIMED) {
      if (given[name] !== undefined) fault(`--${name} needs time, and in lock step none passes between peers; add --mode free.`)
    }
  }
  if (given.delay !== undefined && ofStart.strategy !== 'push-sum') {
    fault('--delay is of messages that nobody waits for; add --strategy push-sum, or take --latency.')
  }
  if (given.delay !== undefined && (given.mode === 'free' || TIMED.some((name) => given[name] !== undefined))) {
    fault('--delay counts rounds of lock step; where time passes, take --latency.')
  }
  if (given.hostile !== undefined && given.hostile.count >= (given.nodes ?? DEFAULT_NODES)) {
    fault(`--hostile names ${given.hostile.count} peers of ${given.nodes ?? DEFAULT_NODES}; at least one must be honest.`)
  }
  if (given.slow !== undefined && given.slow.count >= (given.nodes ?? DEFAULT_NODES)) {
    fault(`--slow names ${given.slow.count} peers of ${given.nodes ?? DEFAULT_NODES}; at least one must keep the pace.`)
  }
}

/** Simulated time costs nothing: rounds come as often as `period` says, unless a pace is asked for. */
function withoutPace(set: unknown): unknown {
  const first = 'minPeriodMs=0'
  if (set === undefined) return [first]
  if (Array.isArray(set)) return [first, ...set]
  return typeof set === 'object' ? { minPeriodMs: 0, ...set } : [first, set]
}

function suggestion(name: string): string {
  const [close] = nearest(name, simulateFlagNames(), 1)
  return close === undefined ? 'see grapevine simulate --help.' : `did you mean ${close}?`
}

function readNumber(value: unknown): Read<number> {
  const number = asNumber(value)
  return Number.isFinite(number) ? { value: number } : { fault: `must be a number, not ${shown(value)}` }
}

/** `2`, or `1-4`, in rounds. */
function readDelay(value: unknown): Read<readonly [number, number]> {
  const [, low = '', high = low] = /^(\d+)(?:-(\d+))?$/.exec(String(value)) ?? []
  const [from, to] = [wholeNumber(low, 0, MAX_DELAY_ROUNDS), wholeNumber(high, 0, MAX_DELAY_ROUNDS)]
  if ('fault' in from || 'fault' in to || from.value > to.value) {
    return { fault: `must be rounds, from 0 to ${MAX_DELAY_ROUNDS}, such as 2 or 1-4, not ${shown(value)}` }
  }
  return { value: [from.value, to.value] }
}

/** `2:10`: two peers, ten times slower. */
function readSlow(value: unknown): Read<{ readonly count: number; readonly times: number }> {
  const [, count = '', times = ''] = typeof value === 'string' ? (/^(\d+):(.+)$/.exec(value) ?? []) : []
  const peers = wholeNumber(count, 1, MAX_NODES)
  const factor = readTimes(times)
  if ('fault' in peers || 'fault' in factor) {
    return { fault: `must be PEERS:TIMES, such as 1:10 for one peer that is ten times slower, not ${shown(value)}` }
  }
  return { value: { count: peers.value, times: factor.value } }
}

/** `2:sign-flip`: two peers that attack in this way. */
function readHostile(value: unknown): Read<{ readonly count: number; readonly kind: string }> {
  const [, count = '', kind = ''] = typeof value === 'string' ? (/^(\d+):(.+)$/.exec(value) ?? []) : []
  const peers = wholeNumber(count, 1, MAX_NODES)
  if ('fault' in peers) return { fault: `must be PEERS:KIND, such as 1:sign-flip, not ${shown(value)}` }
  const known = oneOf('attack', kind, ATTACK_KINDS)
  return 'fault' in known ? known : { value: { count: peers.value, kind: known.value } }
}

/** The text of a file and what it is called, or the steps themselves. */
function readScenarioText(value: unknown): Read<{ readonly name: string; readonly text: string }> {
  if (Array.isArray(value)) return { value: { name: 'scenario', text: stringify(value) } }
  const { name, text } = Object(value) as Record<string, unknown>
  if (typeof name === 'string' && typeof text === 'string') return { value: { name, text } }
  return { fault: `must be a list of steps, not ${shown(value)}` }
}

function steps({ name, text }: { readonly name: string; readonly text: string }, nodes: number, faults: Fault[]): readonly ScenarioStep[] {
  try {
    return readScenario(text, name, nodes)
  } catch (error) {
    if (!(error instanceof GrapevineError)) throw error
    for (const message of error.message.split('\n')) faults.push({ code: error.code, message })
    return []
  }
}

/** For the library, whose caller has no command line. */
export function requireSimulation(value: unknown): asserts value is SimulateFlags {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return
  throw new GrapevineError('usage', 'local', `A simulation takes an object of settings, such as { nodes: 8 }, not ${shown(value)}.`)
}
