import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { keyFromSeed, peerIdOfKey } from '../../src/swarm/identity.ts'

test('a seed gives the key that libp2p derives from it', async () => {
  for (const fill of [0, 1, 255]) {
    const seed = new Uint8Array(32).fill(fill)
    const theirs = await generateKeyPairFromSeed('Ed25519', seed)
    assert.deepEqual(keyFromSeed(seed).raw, theirs.raw)
    assert.ok(keyFromSeed(seed).equals(theirs))
  }
})

/** The public key of RFC 8032, section 7.1, test 1, as a peer id: identity multihash of the protobuf around it, base58. */
test('the peer id of a seed is known beforehand and never changes', () => {
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
  const key = keyFromSeed(seed)
  assert.equal(Buffer.from(key.publicKey.raw).toString('hex'), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
  assert.match(peerIdOfKey(key), /^12D3KooW/)
})

test('a seed of another length is refused', () => {
  for (const length of [0, 31, 33, 64]) assert.throws(() => keyFromSeed(new Uint8Array(length)), RangeError)
})
