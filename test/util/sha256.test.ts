import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parameterDigest, SHA256_BYTES, sha256, sha256Hex } from '../../src/util/sha256.ts'

test('SHA-256 of "abc" is that of FIPS 180-2', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const bytes = new TextEncoder().encode('abc')
  assert.equal(sha256Hex(bytes), expected)
  assert.equal(Buffer.from(sha256(bytes)).toString('hex'), expected)
  assert.equal(sha256(bytes).length, SHA256_BYTES)
})

test('the digest of parameters is over their little-endian bytes, views and shared memory included', () => {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setFloat32(0, 1.5, true)
  view.setFloat32(4, -3e-8, true)
  const shared = new Float32Array(new SharedArrayBuffer(16), 4, 2)
  shared.set([1.5, -3e-8])
  assert.deepEqual(parameterDigest(Float32Array.of(1.5, -3e-8)), sha256(bytes))
  assert.deepEqual(parameterDigest(shared), sha256(bytes))
  assert.deepEqual(parameterDigest(Float32Array.of(9, 1.5, -3e-8).subarray(1)), sha256(bytes))
})
