/**
 * The schema of what a person may set, by flag or in a file, under the flags' names. Values may come as text (flags) or as YAML gives them.
 * Each message completes a sentence that begins with the name of the flag or field.
 */
import { z } from 'zod'
import { ROBUST_RULES } from '../average/combine.ts'
import { PARTNER_RULES } from '../average/partners.ts'
import { isBridged, isGymnasiumId } from '../envs/bridge/script.ts'
import { listEnvironments } from '../envs/registry.ts'
import { ALGORITHMS } from '../learn/hyperparameters.ts'
import { MAX_ACTORS, MAX_ENGINE_THREADS, MAX_FOREIGN_SHARE } from '../learn/limits.ts'
import { METRIC_FILES, type MetricFile } from '../observe/metric-files.ts'
import type { HyperValue } from '../ports/learner.ts'
import { nearest } from '../util/nearest.ts'
import { type AddressUse, type AddressVerdict, readAddress } from '../wire/address.ts'
import { CODEC_FORMS, readCodecName } from '../wire/codec-names.ts'
import { peerIdBytes } from '../wire/peer-id.ts'
import {
  MAX_ADDRESSES_GIVEN,
  MAX_MAX_MEMORY_BYTES,
  MAX_NAME_LENGTH,
  MAX_PERIOD_UPDATES,
  MAX_UNTIL_MINUTES,
  MAX_WAIT_FOR_PEERS,
  MIN_MAX_MEMORY_BYTES,
} from './limits.ts'
import { strategyNames } from './strategy-names.ts'

/** Nesterov momentum on what happens between mixes, or nothing. */
const OUTER_STEPS = ['none', 'nesterov'] as const

/** What a mix does to the optimiser's moments. */
const MOMENTS = ['local', 'reset'] as const

const ENGINES = ['wasm', 'tfjs'] as const

const MAX_PORT = 65_535

/** Below 0 needs a right that few have. */
const MAX_NICENESS = 19

/** Seeds are 32-bit words. */
const MAX_SEED = 4_294_967_295

export type Read<T> = { readonly value: T } | { readonly fault: string; readonly code?: string }

/** What deciding a run takes; only `start` takes it. */
const foundingShape = {
  env: field((value) => {
    // What Gymnasium knows is asked in Python, when the environment is made.
    if (typeof value === 'string' && isBridged(value)) {
      if (isGymnasiumId(value)) return { value }
      return { fault: `must be written as gym:CartPole-v1 or gym:ALE/Pong-v5, not ${shown(value)}`, code: 'unknown_environment' }
    }
    const ids = listEnvironments().map((spec) => spec.id)
    if (typeof value === 'string' && ids.includes(value)) return { value }
    return { fault: unknown('environment', value, ids), code: 'unknown_environment' }
  }),
  algo: field((value) => {
    const algorithm = ALGORITHMS.find((id) => id === value)
    return algorithm === undefined ? { fault: unknown('algorithm', value, ALGORITHMS), code: 'unknown_algorithm' } : { value: algorithm }
  }),
  // Which there are depends on the algorithm and the environment.
  preset: field((value) => (typeof value === 'string' ? { value } : { fault: `must be a name, not ${shown(value)}` })),
  seed: field((value) => wholeNumber(value, 0, MAX_SEED)),
  strategy: field((value) => oneOf('strategy', value, ['auto', ...strategyNames()])),
  partner: field((value) => oneOf('partner rule', value, PARTNER_RULES)),
  server: field((value) =>
    typeof value === 'string' && peerIdBytes(value) !== null
      ? { value }
      : { fault: `must be the id of a peer (12D3KooW...), not ${shown(value)}` },
  ),
  codec: field(readCodec),
  period: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 1, MAX_PERIOD_UPDATES, ', or auto'))),
  outer: field((value) => oneOf('outer step', value, OUTER_STEPS)),
  moments: field((value) => oneOf('policy of moments', value, MOMENTS)),
  robust: field((value) => oneOf('robust rule', value, ROBUST_RULES)),
  'share-experience': field(readShare),
  'init-from': field((value) => readFileName(value)),
  name: field(readName),
}

const localShape = {
  set: field(readAssignments),
  'data-dir': field((value) =>
    typeof value === 'string' && value !== '' ? { value } : { fault: `must be a folder, not ${shown(value)}` },
  ),
  listen: field((value) => addresses(value, 'listen')),
  announce: field((value) => ofOneHost(addresses(value, 'dial'))),
  lan: field(yesOrNo),
  'no-mdns': field(yesOrNo),
  metrics: field(readMetrics),
  nice: field((value) => wholeNumber(value, 0, MAX_NICENESS)),
  http: field(readHttp),
  'no-http': field(yesOrNo),
  engine: field((value) => oneOf('engine', value, ENGINES)),
  // Read and judged elsewhere: it is code.
  network: field((value) =>
    typeof value === 'string' && value !== '' ? { value } : { fault: `must be the file of a module, not ${shown(value)}` },
  ),
  actors: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 0, MAX_ACTORS, ', or auto'))),
  threads: field<number | 'auto'>((value) => (value === 'auto' ? { value } : wholeNumber(value, 1, MAX_ENGINE_THREADS, ', or auto'))),
  deterministic: field(yesOrNo),
  'allow-python': field(yesOrNo),
  'swarm-key': field((value) => readFileName(value)),
  allow: field((value) => readFileName(value)),
  'strict-quotas': field(yesOrNo),
  relay: field(yesOrNo),
  upnp: field(yesOrNo),
  resume: field<string | boolean>((value) =>
    typeof value === 'boolean' || (typeof value === 'string' && value !== '')
      ? { value }
      : { fault: `must be a data folder, not ${shown(value)}` },
  ),
  observe: field(yesOrNo),
  'checkpoint-replay': field(yesOrNo),
  'max-memory': field(readMemory),
  until: field(readUntil),
  threshold: field((value) => {
    const number = asNumber(value)
    return Number.isFinite(number) ? { value: number } : { fault: `must be a number, not ${shown(value)}` }
  }),
  'eval-every': field((value) => wholeNumber(value, 1, Number.MAX_SAFE_INTEGER)),
  'wait-for-peers': field((value) => wholeNumber(value, 0, MAX_WAIT_FOR_PEERS)),
}

export const settingsSchema = z.strictObject({ ...foundingShape, ...localShape })

export const FOUNDING_NAMES: readonly string[] = Object.keys(foundingShape)
export const SETTING_NAMES: readonly string[] = Object.keys(settingsSchema.shape)

export type GivenSettings = z.output<typeof settingsSchema>

/** Actor threads: `auto` is every core but the learner's, or none where the same curve is wanted twice, which threads cannot give. */
export function actorCount({ actors, deterministic }: GivenSettings, cores: number): number | 'not deterministic' {
  if (actors === 'auto') return deterministic === true ? 0 : Math.max(0, cores - 1)
  return deterministic === true && actors !== undefined && actors > 0 ? 'not deterministic' : (actors ?? 0)
}

/** Threads of the engine: `auto` is one more where a core is left for it, but not where the same curve is wanted on machines of any size. */
export function engineThreads({ threads, deterministic }: GivenSettings, actors: number, cores: number): number {
  if (threads !== 'auto') return threads ?? 1
  return deterministic === true ? 1 : Math.min(MAX_ENGINE_THREADS, Math.max(1, cores - actors))
}

export function field<T>(read: (value: unknown) => Read<T>) {
  return z
    .unknown()
    .transform((value, context) => {
      const result = read(value)
      if ('value' in result) return result.value
      context.addIssue({ code: 'custom', message: result.fault, params: { code: result.code ?? 'usage' } })
      return z.NEVER
    })
    .optional()
}

export function shown(value: unknown): string {
  // JSON has no NaN and no infinity.
  return typeof value === 'string' ? `"${value}"` : typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function unknown(kind: string, value: unknown, choices: readonly string[]): string {
  const [close] = nearest(String(value), choices, 1)
  const hint = close === undefined ? `choose one of ${choices.join(', ')}` : `did you mean ${close}?`
  return `names no ${kind} known here: ${shown(value)}; ${hint}`
}

export function oneOf<const T extends string>(kind: string, value: unknown, choices: readonly T[]): Read<T> {
  const choice = choices.find((id) => id === value)
  return choice === undefined ? { fault: unknown(kind, value, choices) } : { value: choice }
}

/** A number, or a text that writes one in decimals: 0.004, 1e-3, 500_000. NaN for everything else. */
export function asNumber(value: unknown): number {
  if (typeof value === 'number') return value
  const written = typeof value === 'string' && /^[+-]?(\d[\d_]*(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value)
  return written ? Number(value.replaceAll('_', '')) : Number.NaN
}

export function wholeNumber(value: unknown, min: number, max: number, instead = ''): Read<number> {
  const number = asNumber(value)
  if (Number.isSafeInteger(number) && number >= min && number <= max) return { value: number }
  return { fault: `must be a whole number from ${min} to ${max}${instead}, not ${shown(value)}` }
}

/** In its one form. */
function readCodec(value: unknown): Read<string> {
  const choice = typeof value === 'string' ? readCodecName(value) : null
  return choice === null ? { fault: unknown('codec', value, CODEC_FORMS) } : { value: choice.name }
}

function yesOrNo(value: unknown): Read<boolean> {
  return typeof value === 'boolean' ? { value } : { fault: `must be true or false, not ${shown(value)}` }
}

/** Bytes of a text such as 2GiB or 512MiB. */
function readMemory(value: unknown): Read<number> {
  const [, amount, unit] = typeof value === 'string' ? (/^(\d+(?:\.\d+)?) ?([MG])i?B$/i.exec(value) ?? []) : []
  const bytes = Math.floor(Number(amount) * (unit?.toUpperCase() === 'G' ? 1_073_741_824 : 1_048_576))
  if (bytes >= MIN_MAX_MEMORY_BYTES && bytes <= MAX_MAX_MEMORY_BYTES) return { value: bytes }
  return {
    fault: `must be from ${MIN_MAX_MEMORY_BYTES / 1_048_576}MiB to ${MAX_MAX_MEMORY_BYTES / 1_073_741_824}GiB, such as 2GiB, not ${shown(value)}`,
  }
}

function readShare(value: unknown): Read<number> {
  const share = asNumber(value)
  if (share > 0 && share <= MAX_FOREIGN_SHARE) return { value: share }
  return { fault: `must be a number above 0 and at most ${MAX_FOREIGN_SHARE}, not ${shown(value)}` }
}

function readFileName(value: unknown): Read<string> {
  return typeof value === 'string' && value !== '' ? { value } : { fault: `must be a file, not ${shown(value)}` }
}

function readName(value: unknown): Read<string> {
  const fine = typeof value === 'string' && value.length >= 1 && value.length <= MAX_NAME_LENGTH && !/\p{C}/u.test(value)
  return fine ? { value } : { fault: `must be 1 to ${MAX_NAME_LENGTH} printable characters, not ${shown(value)}` }
}

function address(text: unknown, use: AddressUse): Read<string> {
  if (typeof text !== 'string') return { fault: `must be an address, not ${shown(text)}`, code: 'malformed' }
  const verdict = readAddress(text, use)
  if ('fault' in verdict) return { fault: `has no valid address in ${shown(text)}: ${verdict.fault}`, code: 'malformed' }
  return { value: written(verdict) }
}

function written({ target, peer }: Extract<AddressVerdict, { readonly target: string }>): string {
  return peer === null ? target : `${target}/p2p/${peer}`
}

/** One address or a list of them. */
function addresses(value: unknown, use: AddressUse): Read<readonly string[]> {
  const given = Array.isArray(value) ? value : [value]
  if (given.length < 1 || given.length > MAX_ADDRESSES_GIVEN)
    return { fault: `takes 1 to ${MAX_ADDRESSES_GIVEN} addresses, not ${given.length}` }
  const read = given.map((text) => address(text, use))
  const bad = read.find((result) => 'fault' in result)
  return bad ?? { value: read.flatMap((result) => ('value' in result ? [result.value] : [])) }
}

/** What is told others must lead to this machine, and an address of all interfaces leads each to itself. */
function ofOneHost(read: Read<readonly string[]>): Read<readonly string[]> {
  const all = 'value' in read ? read.value.find((text) => /^\/(ip4\/0\.0\.0\.0|ip6\/[0:]+)\//.test(text)) : undefined
  if (all === undefined) return read
  return { fault: `must be an address that leads others here, and ${all} stands for every interface; write that of one`, code: 'malformed' }
}

/** One or more names with commas between, or a list of them. */
function readMetrics(value: unknown): Read<readonly MetricFile[]> {
  const names = Array.isArray(value) ? value : String(value).split(',')
  const read = names.map((name) => oneOf('file of metrics', typeof name === 'string' ? name.trim() : name, METRIC_FILES))
  const bad = read.find((result) => 'fault' in result)
  return bad ?? { value: [...new Set(read.flatMap((result) => ('value' in result ? [result.value] : [])))] }
}

/** ADDR:PORT, the address as digits: names may lead elsewhere tomorrow. */
export function readHttp(value: unknown): Read<{ readonly host: string; readonly port: number }> {
  const [, v6, v4, port] = /^(?:\[([\da-f:.]+)\]|(\d+(?:\.\d+){3})):(\d{1,5})$/i.exec(String(value)) ?? []
  const host = v6 ?? v4
  const literal = host !== undefined && z.union([z.ipv4(), z.ipv6()]).safeParse(host).success
  if (literal && Number(port) <= MAX_PORT) return { value: { host, port: Number(port) } }
  return { fault: `must be ADDRESS:PORT with an IP address, such as 127.0.0.1:8080, not ${shown(value)}` }
}

type UntilGiven =
  | { readonly kind: 'solved' }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'minutes'; readonly minutes: number }

function readUntil(value: unknown): Read<UntilGiven> {
  if (value === 'solved') return { value: { kind: 'solved' } }
  const [, kind, amount] = typeof value === 'string' ? (/^(steps|minutes)=(.+)$/.exec(value) ?? []) : []
  if (kind === undefined) return { fault: `must be solved, steps=N or minutes=M, not ${shown(value)}` }
  const number = asNumber(amount)
  if (kind === 'steps') {
    const steps = wholeNumber(amount, 1, Number.MAX_SAFE_INTEGER)
    return 'value' in steps ? { value: { kind, steps: steps.value } } : { fault: `steps ${steps.fault}` }
  }
  if (number > 0 && number <= MAX_UNTIL_MINUTES) return { value: { kind: 'minutes', minutes: number } }
  return { fault: `minutes must be a number above 0 and at most ${MAX_UNTIL_MINUTES}, not ${shown(amount)}` }
}

/** KEY=VALUE texts (flags) or a map (a file). Numbers, true, false and null are taken as such, everything else as text. */
function readAssignments(value: unknown): Read<Readonly<Record<string, HyperValue>>> {
  const pairs = Array.isArray(value)
    ? value.map(splitAssignment)
    : value !== null && typeof value === 'object'
      ? Object.entries(value)
      : null
  if (pairs === null) return { fault: `must be KEY=VALUE or a map of names to values, not ${shown(value)}` }
  const assignments: [string, HyperValue][] = []
  for (const pair of pairs) {
    if (!Array.isArray(pair)) return { fault: `must be KEY=VALUE, not ${shown(pair)}` }
    const [key, given] = pair
    if (
      (given !== null && !['string', 'number', 'boolean'].includes(typeof given)) ||
      (typeof given === 'number' && !Number.isFinite(given))
    ) {
      return { fault: `takes finite numbers, text, true, false or null for ${key}, not ${shown(given)}` }
    }
    assignments.push([key, given as HyperValue])
  }
  return { value: Object.fromEntries(assignments) }
}

/** The text itself where it is no assignment. */
function splitAssignment(text: unknown): [string, HyperValue] | unknown {
  const [, key, value] = typeof text === 'string' ? (/^([^=]+)=(.*)$/s.exec(text) ?? []) : []
  if (key === undefined || value === undefined) return text
  if (value === 'true' || value === 'false') return [key, value === 'true']
  if (value === 'null') return [key, null]
  const number = asNumber(value)
  return [key, Number.isFinite(number) ? number : value]
}
