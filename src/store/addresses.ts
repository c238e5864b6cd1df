/**
 * Addresses of other peers of a run, kept across restarts in `addresses.json`, newest first and bounded. They are hints: a file that
 * cannot be understood counts as empty.
 */
import { z } from 'zod'
import type { Storage } from '../ports/storage.ts'
import { MAX_STORED_ADDRESSES, MAX_STORED_RUNS } from './limits.ts'

const FILE = 'addresses.json'

const schema = z.array(z.object({ run: z.string(), addresses: z.array(z.string()) }))
type Stored = z.infer<typeof schema>

/** Addresses stored for `run` (its id in hex), newest first; none when it is not known. */
export async function loadAddresses(storage: Storage, run: string): Promise<readonly string[]> {
  const stored = await load(storage)
  return stored.find((entry) => entry.run === run)?.addresses ?? []
}

/** The run that was taken part in last, with the addresses stored for it; null when there is none. */
export async function storedRun(storage: Storage): Promise<{ readonly run: string; readonly addresses: readonly string[] } | null> {
  return (await load(storage))[0] ?? null
}

/** Puts `addresses` (newest first) before those already stored for `run`, and the run before the others; what is over the limits is forgotten. */
export async function saveAddresses(storage: Storage, run: string, addresses: readonly string[]): Promise<void> {
  const stored = await load(storage)
  const older = stored.find((entry) => entry.run === run)?.addresses ?? []
  const kept = [...new Set([...addresses, ...older])].slice(0, MAX_STORED_ADDRESSES)
  const runs = [{ run, addresses: kept }, ...stored.filter((entry) => entry.run !== run)].slice(0, MAX_STORED_RUNS)
  await storage.write(FILE, new TextEncoder().encode(`${JSON.stringify(runs, null, 2)}\n`))
}

async function load(storage: Storage): Promise<Stored> {
  const bytes = await storage.read(FILE)
  if (bytes === null) return []
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return []
  }
}
