import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderStorage } from '../../src/node/storage.ts'
import { temporaryFolder } from './folder.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

test('what is written is read, replaced whole, appended to, listed and removed', async (context) => {
  const folder = await temporaryFolder(context)
  const storage = folderStorage(join(folder, 'new'))
  assert.equal(await storage.read('a'), null)
  assert.deepEqual(await storage.list(''), [])
  await storage.write('a', bytes(1, 2, 3))
  await storage.write('a', bytes(4))
  await storage.append('a', bytes(5))
  await storage.write('checkpoints/b', bytes(6))
  await storage.append('log/c', bytes(7))
  assert.deepEqual(await storage.read('a'), bytes(4, 5))
  assert.deepEqual(await storage.read('checkpoints/b'), bytes(6))
  assert.deepEqual(await storage.list(''), ['a'])
  assert.deepEqual(await storage.list('checkpoints'), ['b'])
  await storage.remove('a')
  await storage.remove('a')
  assert.equal(await storage.read('a'), null)
})

test('writes to one name happen one after the other, in order', async (context) => {
  const storage = folderStorage(await temporaryFolder(context))
  await Promise.all(Array.from({ length: 20 }, (_, i) => storage.write('counter', bytes(i))))
  assert.deepEqual(await storage.read('counter'), bytes(19))
})

test('a write that fails says why and leaves nothing behind', async (context) => {
  const folder = await temporaryFolder(context)
  await mkdir(join(folder, 'key', 'taken'), { recursive: true })
  await assert.rejects(folderStorage(folder).write('key', bytes(1)), { code: 'storage', message: /^Cannot write key in .*: .+\.$/ })
  assert.deepEqual(await readdir(folder), ['key'])
})

test('a write that a crash cut off neither shows nor hinders', async (context) => {
  const folder = await temporaryFolder(context)
  const storage = folderStorage(folder)
  await storage.write('key', bytes(1), { secret: true })
  await writeFile(join(folder, 'key.new'), 'half', { mode: 0o644 })
  assert.deepEqual(await storage.list(''), ['key'])
  await storage.write('key', bytes(2), { secret: true })
  assert.deepEqual(await storage.read('key'), bytes(2))
  assert.deepEqual(await readdir(folder), ['key'])
  if (process.platform !== 'win32') assert.equal((await stat(join(folder, 'key'))).mode & 0o777, 0o600)
})

test('no name leaves the folder', async (context) => {
  const storage = folderStorage(await temporaryFolder(context))
  for (const name of ['../x', 'a/../../x', '/etc/x', 'a//b', './a', '', 'a\\b', 'C:x', 'a\0b', 'x.new']) {
    await assert.rejects(storage.write(name, bytes(1)), { code: 'storage_name' }, name)
    await assert.rejects(storage.read(name), { code: 'storage_name' }, name)
  }
})

test('what the system refuses names the file', async (context) => {
  const folder = await temporaryFolder(context)
  await mkdir(join(folder, 'taken'))
  await assert.rejects(folderStorage(folder).write('taken', bytes(1)), {
    code: 'storage',
    message: /^Cannot write taken in the data folder: /,
  })
  await assert.rejects(folderStorage(folder).read('taken'), { code: 'storage', message: /^Cannot read taken in .*: EISDIR.*\.$/ })
})
