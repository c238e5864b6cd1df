/** Numbers, times and names as a person reads them. Unknown (null) is a dash. */

/** 35214 -> "35.2k" @param {number | null | undefined} value */
export function compact(value) {
  if (value === null || value === undefined) return '–'
  for (const [unit, size] of /** @type {const} */ ([
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ])) {
    if (Math.abs(value) >= 0.9995 * size) return `${(value / size).toPrecision(3)}${unit}`
  }
  return String(Math.round(value))
}

/** @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? '–' : Math.round(value).toLocaleString('en-US')
}

/** @param {number | null | undefined} value */
export function mean(value) {
  return value === null || value === undefined ? '–' : value.toFixed(1)
}

/** Two significant digits, whatever the size. @param {number | null | undefined} value */
export function short(value) {
  if (value === null || value === undefined) return '–'
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1e4 ? compact(value) : size >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(1)
}

/** "42 s", "3 min", "2 h" @param {number | null} seconds */
export function ago(seconds) {
  if (seconds === null) return '–'
  if (seconds < 90) return `${Math.round(seconds)} s ago`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`
  return `${Math.round(seconds / 3_600)} h ago`
}

/** 3725 -> "1:02:05" @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0')
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** The end of a peer id: all begin with the same letters. @param {string} id */
export function shortId(id) {
  return `…${id.slice(-6)}`
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}.`)
  return found
}

/** A colour of the style sheet, as canvases need it. @param {string} name */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
