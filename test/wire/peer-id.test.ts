import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { PEER_ID_BYTES, peerIdBytes, peerIdText } from '../../src/wire/peer-id.ts'
import { examplePeerId } from '../support/peer-ids.ts'

test('Ed25519 peer ids become the 38 bytes that libp2p gives them, and back', async () => {
  const id = examplePeerId(7)
  const bytes = peerIdBytes(id)!
  assert.equal(bytes.length, PEER_ID_BYTES)
  assert.deepEqual([...bytes], [...peerIdFromString(id).toMultihash().bytes])
  assert.equal(peerIdText(bytes), id)
  const generated = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  assert.equal(peerIdText(peerIdBytes(generated)!), generated)
})

test('everything else is none', () => {
  const secp256k1 = '16Uiu2HAm8Ahuj7Wqp9Hq8N5Dn8t9oN9ZVqyb6rCFhbTpPvRAWjJw'
  for (const text of ['', 'x', secp256k1, `${examplePeerId(1)}1`, examplePeerId(1).slice(1), '0OIl', '1'.repeat(100_000)]) {
    assert.equal(peerIdBytes(text), null)
  }
  assert.equal(peerIdText(new Uint8Array(PEER_ID_BYTES)), null)
  assert.equal(peerIdText(new Uint8Array(0)), null)
})
