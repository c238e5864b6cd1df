/**
 * The file of a private swarm's key, as all of libp2p writes it: two header lines and the key in hex, 95 bytes. [libp2p specs, pnet,
 * "Private Networks", section PSK file format]
 */
import { fromString } from 'uint8arrays/from-string'
import { toString as asText } from 'uint8arrays/to-string'
import { SWARM_KEY_BYTES } from './limits.ts'

const HEADER = '/key/swarm/psk/1.0.0/\n/base16/\n'

export function encodeSwarmKey(key: Uint8Array): Uint8Array {
  if (key.length !== SWARM_KEY_BYTES) throw new RangeError(`a swarm key has ${SWARM_KEY_BYTES} bytes, not ${key.length}`)
  return new TextEncoder().encode(HEADER + asText(key, 'base16'))
}

/** The key in a file's bytes; null when they are no such file. A newline at the end, which editors add, and upper case are taken. */
export function decodeSwarmKey(file: Uint8Array): Uint8Array | null {
  const text = new TextDecoder().decode(file.subarray(0, 4 * (HEADER.length + 2 * SWARM_KEY_BYTES)))
  const [, hex] = /^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n([0-9a-fA-F]{64})\s*$/.exec(text) ?? []
  return hex === undefined ? null : fromString(hex.toLowerCase(), 'base16')
}
