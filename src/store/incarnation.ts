/**
 * The incarnation orders the lives of one identity: whatever a peer says carries a higher number than all it said in earlier lives, also
 * when its clock was set back. One decimal number in the file `incarnation`.
 */
import type { Storage } from '../ports/storage.ts'
import { GrapevineError } from '../util/errors.ts'

const FILE = 'incarnation'

/**
 * max(stored + 1, `unixSeconds`), written durably before it is returned: a number that was announced is never used again. Throws
 * `bad_incarnation` when the file is damaged, because a guess could repeat one.
 */
export async function nextIncarnation(storage: Storage, unixSeconds: number): Promise<number> {
  const stored = await storage.read(FILE)
  const next = Math.max(stored === null ? 0 : parse(stored) + 1, Math.floor(unixSeconds))
  await storage.write(FILE, new TextEncoder().encode(`${next}\n`))
  return next
}

function parse(file: Uint8Array): number {
  const text = new TextDecoder().decode(file)
  const value = Number(text)
  // One less than the largest, so that there is a next one.
  if (!/^\d{1,16}\n$/.test(text) || value >= Number.MAX_SAFE_INTEGER) {
    const message = `The file ${FILE} in the data folder is damaged: delete it and identity.key to go on as a new peer.`
    throw new GrapevineError('bad_incarnation', 'local', message, { file: FILE })
  }
  return value
}
