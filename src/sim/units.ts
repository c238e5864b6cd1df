/** Times and rates as people write them. */
import { asNumber, type Read, shown } from '../peer/settings/values.ts'

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 }

/** Bits per second. */
const BITS_PER: Readonly<Record<string, number>> = { 'kbit/s': 1e3, 'Mbit/s': 1e6, 'Gbit/s': 1e9 }

/** Slowest that a peer can be made. */
const MAX_TIMES = 1_000_000

/** Longest time that is understood: a month of virtual time, in milliseconds. */
const MAX_DURATION_MS = 2_678_400_000

/** `20ms`, `1.5s`, `2min`, `1h` in milliseconds; 0 needs no unit. */
export function readDuration(value: unknown, maxMs = MAX_DURATION_MS): Read<number> {
  if (asNumber(value) === 0) return { value: 0 }
  const [, amount, unit = ''] = typeof value === 'string' ? (/^([\d._]+(?:e[+-]?\d+)?) ?([a-zA-Z/]+)$/.exec(value.trim()) ?? []) : []
  const factor = Object.hasOwn(MS_PER, unit) ? MS_PER[unit] : undefined
  const ms = asNumber(amount) * (factor ?? Number.NaN)
  if (ms >= 0 && ms <= maxMs) return { value: ms }
  if (amount !== undefined && factor === undefined)
    return { fault: `must be a time with one of the units ${Object.keys(MS_PER).join(', ')}, not ${shown(value)}` }
  return { fault: `must be a time such as 20ms, 1.5s or 2min, not ${shown(value)}` }
}

/** `10Mbit/s` in bytes per millisecond. */
export function readBandwidth(value: unknown): Read<number> {
  const [, amount, unit = ''] = typeof value === 'string' ? (/^([\d._]+(?:e[+-]?\d+)?) ?([a-zA-Z/]+)$/.exec(value.trim()) ?? []) : []
  const factor = Object.hasOwn(BITS_PER, unit) ? BITS_PER[unit] : undefined
  const bitsPerSecond = asNumber(amount) * (factor ?? Number.NaN)
  if (bitsPerSecond > 0 && Number.isFinite(bitsPerSecond)) return { value: bitsPerSecond / 8_000 }
  return { fault: `must be a rate with one of the units ${Object.keys(BITS_PER).join(', ')}, such as 10Mbit/s, not ${shown(value)}` }
}

export function readProbability(value: unknown): Read<number> {
  const number = asNumber(value)
  if (number >= 0 && number < 1) return { value: number }
  return { fault: `must be a probability from 0 to below 1, not ${shown(value)}` }
}

/** `20ms`, or `10ms-50ms` for one drawn between the two for each message. */
export function readLatency(value: unknown): Read<readonly [number, number]> {
  const [low, high = low] = typeof value === 'string' ? value.split('-') : [value]
  const [from, to] = [readDuration(low), readDuration(high)]
  if ('fault' in from || 'fault' in to) return { fault: `must be a time such as 20ms, or a range such as 10ms-50ms, not ${shown(value)}` }
  if (from.value > to.value) return { fault: `goes from more to less in ${shown(value)}` }
  return { value: [from.value, to.value] }
}

/** How many times slower. */
export function readTimes(value: unknown): Read<number> {
  const number = asNumber(value)
  return number >= 1 && number <= MAX_TIMES ? { value: number } : { fault: `must be a number from 1 to ${MAX_TIMES}, not ${shown(value)}` }
}

/** A duration that may be negative, in seconds. */
export function readSignedDuration(value: unknown): Read<number> {
  const negative = typeof value === 'string' && value.startsWith('-')
  const read = readDuration(negative ? value.slice(1) : value)
  return 'fault' in read ? read : { value: Math.round((negative ? -read.value : read.value) / 1_000) }
}
