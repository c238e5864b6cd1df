/**
 * The two files that say who may take part: the key of a private swarm, and a list of peer ids, one per line, `#` before a comment.
 * Both fail with a sentence that names the file: `swarm_key_file`, `allow_file`.
 */
import { open } from 'node:fs/promises'
import { fromString as decodeText } from 'uint8arrays/from-string'
import type { PeerId } from '../ports/network.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { peerIdBytes } from '../wire/peer-id.ts'
import { decodeSwarmKey } from '../wire/swarm-key.ts'
import { MAX_ACCESS_FILE_BYTES } from './limits.ts'

/** The key itself or the file that holds it; null: the swarm has none. */
export async function swarmKeyOf(given: { readonly file: string } | { readonly hex: string } | null): Promise<Uint8Array | null> {
  if (given === null) return null
  return 'file' in given ? readSwarmKey(given.file) : decodeText(given.hex, 'base16')
}

async function readSwarmKey(path: string): Promise<Uint8Array> {
  const key = decodeSwarmKey(await readBounded(path, 'swarm_key_file', 'the swarm key (--swarm-key)'))
  if (key !== null) return key
  const message = `${path} is no swarm key: make one with grapevine keygen, or copy the file of the swarm again.`
  throw new GrapevineError('swarm_key_file', 'local', message, { path })
}

export async function readAllowList(path: string): Promise<ReadonlySet<PeerId>> {
  const text = new TextDecoder().decode(await readBounded(path, 'allow_file', 'the allow-list (--allow)'))
  const lines = text.split(/\r?\n/).map((line) => line.replace(/#.*/, '').trim())
  const bad = lines.findIndex((line) => line !== '' && peerIdBytes(line) === null)
  if (bad >= 0) {
    const message = `Line ${bad + 1} of ${path} (--allow) is no peer id: each line is one, such as 12D3KooW..., as grapevine status prints it.`
    throw new GrapevineError('allow_file', 'local', message, { path, line: bad + 1 })
  }
  return new Set(lines.filter((line) => line !== ''))
}

async function readBounded(path: string, code: string, what: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_ACCESS_FILE_BYTES + 1), 0, MAX_ACCESS_FILE_BYTES + 1, 0)
      if (bytesRead > MAX_ACCESS_FILE_BYTES) throw new Error(`it is larger than ${MAX_ACCESS_FILE_BYTES} bytes`)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    const reason = messageOf(error)
    throw new GrapevineError(code, 'local', `Cannot read ${what} in ${path}: ${reason}.`, { path })
  }
}
