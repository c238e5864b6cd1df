/**
 * How the value of a setting is read: it is the value, or what is wrong with it, as the rest of a sentence that begins with the name of the flag or
 * field. A simulation's options are read so, too.
 */
import { z } from 'zod'
import { nearest } from '../../util/nearest.ts'

export type Read<T> = { readonly value: T } | { readonly fault: string; readonly code?: string }

/** As a part of a schema that a person may leave out. */
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

export function unknown(kind: string, value: unknown, choices: readonly string[]): string {
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
