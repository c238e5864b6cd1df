/**
 * Who may ask what of the dashboard: one decision over a request's headers, made before anything else looks at it.
 *
 * - The Host must be an address that was listened on, written as digits: a name that a stranger's server made point here is refused.
 * - A page of another origin neither reads nor commands, whatever its browser sends along.
 * - Commands need the own origin, JSON and `Authorization: Bearer TOKEN`.
 * - Beyond this machine everything needs the token; browsers may send it as the password that they ask for (Basic), but not with commands.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { TOKEN_BYTES } from '../limits.ts'

export interface Door {
  /** Values of the Host header that are this server's: `127.0.0.1:8080`. */
  readonly hosts: ReadonlySet<string>
  /** Whether other machines can connect. */
  readonly open: boolean
  readonly token: string
}

export interface Knock {
  readonly method: string
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  /** The headers Sec-Fetch-Site and Sec-Fetch-Mode, which a browser sets and a page cannot. */
  readonly fetchSite: string | undefined
  readonly fetchMode: string | undefined
}

export interface Refusal {
  readonly status: number
  readonly code: 'host' | 'method' | 'token' | 'origin' | 'content_type'
  readonly message: string
}

/** A token that nobody guesses. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** null: come in. */
export function judge(knock: Knock, door: Door): Refusal | null {
  const { method, host, origin } = knock
  if (host === undefined || !door.hosts.has(host)) {
    const [address] = door.hosts
    return refuse(403, 'host', `This dashboard answers to its address only; open http://${address}/.`)
  }
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return refuse(405, 'method', 'Only GET and POST are answered here.')
  if (door.open && !showsToken(knock.authorization, door.token, true)) {
    return refuse(401, 'token', 'This dashboard is open to other machines, so it needs the token that the daemon printed on start.')
  }
  if (origin !== undefined && origin !== `http://${host}`) return refuse(403, 'origin', 'Pages of other origins may not ask here.')
  if (!comesFromHere(knock)) return refuse(403, 'origin', 'Pages of other origins may not ask here.')
  if (method !== 'POST') return null
  if (origin === undefined) return refuse(403, 'origin', `A command needs the header Origin: http://${host}.`)
  if (knock.contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return refuse(415, 'content_type', 'A command is JSON: send it with Content-Type: application/json.')
  }
  if (!showsToken(knock.authorization, door.token, false)) {
    return refuse(401, 'token', 'A command needs Authorization: Bearer with the token that the daemon printed on start.')
  }
  return null
}

/** A link on another page may open this one; nothing else may come from there. */
function comesFromHere({ method, path, fetchSite, fetchMode }: Knock): boolean {
  if (fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none') return true
  return method === 'GET' && path === '/' && fetchMode === 'navigate'
}

function showsToken(authorization: string | undefined, token: string, orPassword: boolean): boolean {
  const [, scheme = '', credentials = ''] = /^(\w+) +(\S+)$/.exec(authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return same(credentials, token)
  if (scheme.toLowerCase() !== 'basic' || !orPassword) return false
  return same(
    Buffer.from(credentials, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, ''),
    token,
  )
}

/** In a time that tells nothing of where they differ. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

function refuse(status: number, code: Refusal['code'], message: string): Refusal {
  return { status, code, message }
}
