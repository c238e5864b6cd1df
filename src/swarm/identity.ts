/** The libp2p identity of a peer: the Ed25519 key that a 32-byte seed gives (RFC 8032), and the peer id that names its public half. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { PeerId } from '../ports/network.ts'

/** PKCS #8 around an Ed25519 seed (RFC 8410): everything before the 32 bytes of the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32
/** The public key is the end of the SubjectPublicKeyInfo that Node exports. */
const PUBLIC_KEY_BYTES = 32

/** libp2p's own way from a seed to a key is asynchronous; the identity must be known before anything starts. */
export function keyFromSeed(seed: Uint8Array): Ed25519PrivateKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an identity seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_BYTES)
  const key = privateKeyFromRaw(Buffer.concat([seed, publicKey]))
  if (key.type !== 'Ed25519') throw new Error(`libp2p read an Ed25519 key as ${key.type}`)
  return key
}

export function peerIdOfKey(key: Ed25519PrivateKey): PeerId {
  return peerIdFromPrivateKey(key).toString()
}
