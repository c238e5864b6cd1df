import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { loadAddresses, saveAddresses } from '../../src/store/addresses.ts'
import { MAX_STORED_ADDRESSES, MAX_STORED_RUNS } from '../../src/store/limits.ts'

test('addresses of a run come back newest first, each once', async () => {
  const storage = new MemoryStorage()
  assert.deepEqual(await loadAddresses(storage, 'aa'), [])
  await saveAddresses(storage, 'aa', ['one', 'two'])
  await saveAddresses(storage, 'bb', ['three'])
  await saveAddresses(storage, 'aa', ['four', 'two'])
  assert.deepEqual(await loadAddresses(storage, 'aa'), ['four', 'two', 'one'])
  assert.deepEqual(await loadAddresses(storage, 'bb'), ['three'])
})

test('the oldest addresses and runs over the limits are forgotten', async () => {
  const storage = new MemoryStorage()
  for (let run = 0; run <= MAX_STORED_RUNS; run++) {
    await saveAddresses(
      storage,
      `run ${run}`,
      Array.from({ length: MAX_STORED_ADDRESSES + 1 }, (_, i) => `address ${i}`),
    )
  }
  assert.deepEqual(await loadAddresses(storage, 'run 0'), [])
  const kept = await loadAddresses(storage, 'run 1')
  assert.equal(kept.length, MAX_STORED_ADDRESSES)
  assert.equal(kept.at(-1), `address ${MAX_STORED_ADDRESSES - 1}`)
})

test('a file that cannot be understood counts as empty, and is replaced', async () => {
  const storage = new MemoryStorage()
  for (const text of ['', '{', '[1]', '{"run": []}', '[{"run": "aa", "addresses": [1]}]']) {
    storage.files.set('addresses.json', new TextEncoder().encode(text))
    assert.deepEqual(await loadAddresses(storage, 'aa'), [])
    await saveAddresses(storage, 'aa', ['one'])
    assert.deepEqual(await loadAddresses(storage, 'aa'), ['one'])
  }
})
