/**
 * Peers that are kept out, in `bans.json`, so that a restart does not let them in again. A file that cannot be understood is an error
 * (`bad_bans`): taking it for empty would let everyone in whom somebody kept out.
 */
import { z } from 'zod'
import type { PeerId } from '../ports/network.ts'
import type { Storage } from '../ports/storage.ts'
import { GrapevineError } from '../util/errors.ts'
import { MAX_STORED_BANS } from './limits.ts'

const FILE = 'bans.json'

const schema = z.array(z.object({ peer: z.string(), why: z.string(), sinceSeconds: z.int(), untilSeconds: z.int().nullable() }))

export interface Ban {
  readonly peer: PeerId
  /** The cause, for a person. */
  readonly why: string
  /** Unix seconds. `untilSeconds` null: until it is taken back. */
  readonly sinceSeconds: number
  readonly untilSeconds: number | null
}

/** In the order in which they were made. */
export async function loadBans(storage: Storage): Promise<readonly Ban[]> {
  const bytes = await storage.read(FILE)
  if (bytes === null) return []
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    const message = `The file ${FILE} in the data folder is damaged: restore it from a copy, or delete it to lift all bans.`
    throw new GrapevineError('bad_bans', 'local', message, { file: FILE })
  }
}

/** Over MAX_STORED_BANS the oldest are forgotten. */
export async function saveBans(storage: Storage, bans: readonly Ban[]): Promise<void> {
  await storage.write(FILE, new TextEncoder().encode(`${JSON.stringify(bans.slice(-MAX_STORED_BANS), null, 2)}\n`))
}
