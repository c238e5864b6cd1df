/** The dashboard of one daemon, and the token that its commands need: it lies beside the key, for this user only, and is gone when the daemon is. */
import type { Observed } from '../observe/http/source.ts'
import type { Storage } from '../ports/storage.ts'
import type { Closers } from './closers.ts'

/** Where it is, and what its commands need. */
export interface Dashboard {
  readonly url: string
  readonly token: string
}

/** In the data folder. */
const TOKEN_FILE = 'http-token'

export async function openDashboard(
  observed: Observed,
  http: { readonly host: string; readonly port: number },
  token: string,
  storage: Storage,
  closers: Closers,
): Promise<Dashboard> {
  await storage.write(TOKEN_FILE, new TextEncoder().encode(`${token}\n`), { secret: true })
  closers.push(() => storage.remove(TOKEN_FILE))
  const { serveDashboard } = await import('../observe/http/server.ts')
  const dashboard = await serveDashboard(observed, http, token)
  closers.push(() => dashboard.close())
  return { url: dashboard.url, token }
}
