/**
 * The identity of a peer: the 32-byte seed of its Ed25519 key (RFC 8032) in `identity.key`, readable by its owner only. Behind the seed
 * stand the first four bytes of its SHA-256, so that a damaged file is not taken for somebody else.
 */
import type { Random } from '../ports/random.ts'
import type { Storage } from '../ports/storage.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { sha256 } from '../util/sha256.ts'

const FILE = 'identity.key'
const SEED_BYTES = 32
const CHECK_BYTES = 4

/** The stored seed; on the first call a new one from `random`, stored before it is returned. Throws `bad_identity` when the file is damaged. */
export async function loadIdentity(storage: Storage, random: Random): Promise<Uint8Array> {
  const stored = await storage.read(FILE)
  if (stored !== null) return checkedSeed(stored)
  const seed = new Uint8Array(Uint32Array.from({ length: SEED_BYTES / 4 }, () => random.uint32()).buffer)
  await storage.write(FILE, Buffer.concat([seed, checkOf(seed)]), { secret: true })
  return seed
}

function checkedSeed(file: Uint8Array): Uint8Array {
  const seed = file.slice(0, SEED_BYTES)
  if (file.length !== SEED_BYTES + CHECK_BYTES || !equalBytes(checkOf(seed), file.subarray(SEED_BYTES))) {
    const message = `The file ${FILE} in the data folder is damaged: restore it from a copy, or delete it to go on as a new peer.`
    throw new GrapevineError('bad_identity', 'local', message, { file: FILE })
  }
  return seed
}

function checkOf(seed: Uint8Array): Uint8Array {
  return sha256(seed).subarray(0, CHECK_BYTES)
}
