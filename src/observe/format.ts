/** Numbers, times and names as a person reads them in a terminal. Unknown (null) is a dash. */

const UNKNOWN = '-'

/** 143000 -> "143,000" */
export function count(value: number | null): string {
  return value === null ? UNKNOWN : Math.round(value).toLocaleString('en-US')
}

/** Three digits and a unit that fit a narrow column: 35214 -> "35.2k" */
export function compact(value: number | null): string {
  if (value === null) return UNKNOWN
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    // From 0.9995 of a unit on three digits would round up to it.
    if (value >= 0.9995 * size) return `${(value / size).toPrecision(3)}${unit}`
  }
  return String(Math.round(value))
}

/** A mean return: one decimal. */
export function mean(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(1)
}

/** A distance: two significant digits, small ones in scientific notation. */
export function distance(value: number | null): string {
  if (value === null) return UNKNOWN
  return value === 0 ? '0' : value >= 0.001 ? Number(value.toPrecision(2)).toString() : value.toExponential(1)
}

/** 4.13 -> "4.1 s", 125 -> "2 min 5 s", 11520 -> "3 h 12 min" */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** 1795990541 -> "2026-11-29 22:15 UTC" */
export function date(unixSeconds: number): string {
  const text = new Date(unixSeconds * 1_000).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}

/** The end of a peer id: all begin with the same letters. */
export function shortId(id: string): string {
  return `..${id.slice(-8)}`
}

export function plural(amount: number, word: string): string {
  return `${count(amount)} ${word}${amount === 1 ? '' : 's'}`
}

/**
 * What came from other peers may hold control characters, which on a terminal move the cursor or forge lines: each run of them becomes one
 * space.
 */
export function harmless(text: string): string {
  return text.replace(/\p{C}+/gu, ' ')
}
