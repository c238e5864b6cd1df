/** The values that a peer's settings have forms of their own for: sizes, shares, names, addresses, ends, assignments. */
import { z } from 'zod'
import { MAX_FOREIGN_SHARE } from '../../learn/limits.ts'
import { METRIC_FILES, type MetricFile } from '../../observe/metric-files.ts'
import type { HyperValue } from '../../ports/learner.ts'
import { type AddressUse, multiaddrOf, readAddress } from '../../wire/address.ts'
import { CODEC_FORMS, readCodecName } from '../../wire/codec-names.ts'
import { MAX_ADDRESSES_GIVEN, MAX_MAX_MEMORY_BYTES, MAX_NAME_LENGTH, MAX_UNTIL_MINUTES, MIN_MAX_MEMORY_BYTES } from '../limits.ts'
import { asNumber, oneOf, type Read, shown, unknown, wholeNumber } from './values.ts'

const MAX_PORT = 65_535

/** In its one form. */
export function readCodec(value: unknown): Read<string> {
  const choice = typeof value === 'string' ? readCodecName(value) : null
  return choice === null ? { fault: unknown('codec', value, CODEC_FORMS) } : { value: choice.name }
}

export function yesOrNo(value: unknown): Read<boolean> {
  return typeof value === 'boolean' ? { value } : { fault: `must be true or false, not ${shown(value)}` }
}

/** Bytes of a text such as 2GiB or 512MiB. */
export function readMemory(value: unknown): Read<number> {
  const [, amount, unit] = typeof value === 'string' ? (/^(\d+(?:\.\d+)?) ?([MG])i?B$/i.exec(value) ?? []) : []
  const bytes = Math.floor(Number(amount) * (unit?.toUpperCase() === 'G' ? 1_073_741_824 : 1_048_576))
  if (bytes >= MIN_MAX_MEMORY_BYTES && bytes <= MAX_MAX_MEMORY_BYTES) return { value: bytes }
  return {
    fault: `must be from ${MIN_MAX_MEMORY_BYTES / 1_048_576}MiB to ${MAX_MAX_MEMORY_BYTES / 1_073_741_824}GiB, such as 2GiB, not ${shown(value)}`,
  }
}

export function readShare(value: unknown): Read<number> {
  const share = asNumber(value)
  if (share > 0 && share <= MAX_FOREIGN_SHARE) return { value: share }
  return { fault: `must be a number above 0 and at most ${MAX_FOREIGN_SHARE}, not ${shown(value)}` }
}

export function readFileName(value: unknown): Read<string> {
  return typeof value === 'string' && value !== '' ? { value } : { fault: `must be a file, not ${shown(value)}` }
}

export function readName(value: unknown): Read<string> {
  const fine = typeof value === 'string' && value.length >= 1 && value.length <= MAX_NAME_LENGTH && !/\p{C}/u.test(value)
  return fine ? { value } : { fault: `must be 1 to ${MAX_NAME_LENGTH} printable characters, not ${shown(value)}` }
}

function address(text: unknown, use: AddressUse): Read<string> {
  if (typeof text !== 'string') return { fault: `must be an address, not ${shown(text)}`, code: 'malformed' }
  const verdict = readAddress(text, use)
  if ('fault' in verdict) return { fault: `has no valid address in ${shown(text)}: ${verdict.fault}`, code: 'malformed' }
  return { value: multiaddrOf(verdict) }
}

/** One address or a list of them. */
export function addresses(value: unknown, use: AddressUse): Read<readonly string[]> {
  const given = Array.isArray(value) ? value : [value]
  if (given.length < 1 || given.length > MAX_ADDRESSES_GIVEN)
    return { fault: `takes 1 to ${MAX_ADDRESSES_GIVEN} addresses, not ${given.length}` }
  const read = given.map((text) => address(text, use))
  const bad = read.find((result) => 'fault' in result)
  return bad ?? { value: read.flatMap((result) => ('value' in result ? [result.value] : [])) }
}

/** What is told others must lead to this machine, and an address of all interfaces leads each to itself. */
export function ofOneHost(read: Read<readonly string[]>): Read<readonly string[]> {
  const all = 'value' in read ? read.value.find((text) => /^\/(ip4\/0\.0\.0\.0|ip6\/[0:]+)\//.test(text)) : undefined
  if (all === undefined) return read
  return { fault: `must be an address that leads others here, and ${all} stands for every interface; write that of one`, code: 'malformed' }
}

/** One or more names with commas between, or a list of them. */
export function readMetrics(value: unknown): Read<readonly MetricFile[]> {
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

export function readUntil(value: unknown): Read<UntilGiven> {
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
export function readAssignments(value: unknown): Read<Readonly<Record<string, HyperValue>>> {
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
