/**
 * Ed25519 peer ids as bytes: the identity multihash of a protobuf public key, always 38 bytes, of which the first six are fixed.
 * Their text is its base58 (12D3KooW...). [libp2p specs, peer-ids]
 */
import { fromString } from 'uint8arrays/from-string'
import { toString as asText } from 'uint8arrays/to-string'
import type { PeerId } from '../ports/network.ts'

export const PEER_ID_BYTES = 38

/** Identity multihash (0), 36 bytes long; key type (field 1) Ed25519 (1); key (field 2), 32 bytes long. */
const PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]

/** The bytes of an Ed25519 peer id; null for any other text. */
export function peerIdBytes(id: PeerId): Uint8Array | null {
  // A text of more characters cannot be one; base58 decoding takes quadratic time.
  if (id.length > 2 * PEER_ID_BYTES) return null
  try {
    const bytes = fromString(id, 'base58btc')
    return isEd25519(bytes) ? bytes : null
  } catch {
    return null
  }
}

/** The text of an Ed25519 peer id; null when `bytes` are none. */
export function peerIdText(bytes: Uint8Array): PeerId | null {
  return isEd25519(bytes) ? asText(bytes, 'base58btc') : null
}

function isEd25519(bytes: Uint8Array): boolean {
  return bytes.length === PEER_ID_BYTES && PREFIX.every((byte, i) => bytes[i] === byte)
}
