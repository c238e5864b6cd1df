import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStorage } from '../../src/sim/storage.ts'
import { nextIncarnation } from '../../src/store/incarnation.ts'

test('incarnations rise with the clock, and without it', async () => {
  const storage = new MemoryStorage()
  assert.equal(await nextIncarnation(storage, 1_700_000_000), 1_700_000_000)
  assert.equal(await nextIncarnation(storage, 1_700_000_000), 1_700_000_001)
  assert.equal(await nextIncarnation(storage, 1_600_000_000), 1_700_000_002)
  assert.equal(await nextIncarnation(storage, 1_700_000_100.7), 1_700_000_100)
})

test('a number is stored before it is given out', async () => {
  const storage = new MemoryStorage()
  storage.write = async () => {
    throw new Error('disk full')
  }
  await assert.rejects(nextIncarnation(storage, 5), /disk full/)
})

test('a damaged file is refused', async () => {
  for (const text of ['', '12', 'abc\n', '-3\n', '1e3\n', '9007199254740991\n', '99999999999999999\n', '12\n\n']) {
    const storage = new MemoryStorage()
    storage.files.set('incarnation', new TextEncoder().encode(text))
    await assert.rejects(nextIncarnation(storage, 5), { code: 'bad_incarnation', fault: 'local' }, text)
  }
})
