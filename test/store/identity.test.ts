import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { loadIdentity } from '../../src/store/identity.ts'
import { seededRandom } from '../../src/util/random.ts'

test('an identity is made once, kept secret, and found again', async () => {
  const storage = new MemoryStorage()
  const seed = await loadIdentity(storage, seededRandom('first'))
  assert.equal(seed.length, 32)
  assert.ok(storage.secrets.has('identity.key'))
  assert.deepEqual(await loadIdentity(storage, seededRandom('second')), seed)
  assert.notDeepEqual(await loadIdentity(new MemoryStorage(), seededRandom('second')), seed)
})

test('a damaged identity is refused, never replaced', async () => {
  const storage = new MemoryStorage()
  await loadIdentity(storage, seededRandom('first'))
  const good = storage.files.get('identity.key')!
  const flipped = good.slice()
  flipped[5]! ^= 1
  for (const damaged of [flipped, good.subarray(0, 35), new Uint8Array(36), new Uint8Array(0), Buffer.concat([good, good])]) {
    storage.files.set('identity.key', damaged)
    await assert.rejects(loadIdentity(storage, seededRandom('second')), {
      code: 'bad_identity',
      fault: 'local',
      message: /identity\.key.*damaged.*delete/,
    })
    assert.equal(storage.files.get('identity.key'), damaged)
  }
})
