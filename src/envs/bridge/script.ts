/** Where the bridge's files lie, in the source tree and in the published package alike, and how its ids are written. */
import { fileURLToPath } from 'node:url'

const PREFIX = 'gym:'

/** The Python side. */
export const SCRIPT = fileURLToPath(new URL('./bridge.py', import.meta.url))

/** The entry of the thread that owns the children; it is `.js` in the published package. */
export const WORKER = new URL(`../../node/bridge-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export function isBridged(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** Is the rest a name that Gymnasium registers: no module to import, no path, always a version? */
export function isGymnasiumId(id: string): boolean {
  return /^gym:[A-Za-z0-9/_-]+-v\d+$/.test(id)
}

/** The id as Gymnasium knows it. */
export function gymnasiumId(id: string): string {
  return id.slice(PREFIX.length)
}
