import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { acquireLock, lockHolder } from '../../src/node/lock.ts'
import { temporaryFolder } from './folder.ts'

test('a held folder is refused naming its process; a released one is free', async (context) => {
  const folder = join(await temporaryFolder(context), 'data')
  const lock = await acquireLock(folder)
  await assert.rejects(acquireLock(folder), { code: 'data_dir_in_use', message: new RegExp(`process ${process.pid}\\b`) })
  assert.equal((await lockHolder(folder))?.pid, process.pid)
  await lock.release()
  await lock.release()
  assert.equal(await lockHolder(folder), null)
  assert.deepEqual(await readdir(folder), [])
  await (await acquireLock(folder)).release()
})

test('missing folders are made; where none can be made, that is said at once', async (context) => {
  const folder = join(await temporaryFolder(context), 'a', 'b', 'c')
  const [lock] = await Promise.all([acquireLock(folder), acquireLock(join(folder, 'd')).then((other) => other.release())])
  await lock.release()
  const file = join(folder, 'file')
  await writeFile(file, '')
  for (const place of [file, join(file, 'below'), ...(process.platform === 'linux' ? ['/proc/grapevine/data'] : [])]) {
    await assert.rejects(acquireLock(place), { code: 'data_dir' })
  }
})

test('the lock of a process that is gone is taken over', async (context) => {
  const folder = await temporaryFolder(context)
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: child.pid, began: null, token: 'old' }))
  assert.equal(await lockHolder(folder), null)
  const lock = await acquireLock(folder)
  assert.equal((await lockHolder(folder))?.pid, process.pid)
  await lock.release()
})

test('a process id that was given to another process since does not hold the lock', {
  skip: process.platform === 'win32',
}, async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: process.pid, began: 'long ago', token: 'old' }))
  await (await acquireLock(folder)).release()
})

test('a broken lock file is taken over', async (context) => {
  const folder = await temporaryFolder(context)
  for (const text of ['', '{"pid":', '{"pid":-1,"token":"x"}', 'null']) {
    await writeFile(join(folder, 'lock'), text)
    await (await acquireLock(folder)).release()
  }
})

test('a crash while a dead lock was taken over does not keep the folder', async (context) => {
  const folder = await temporaryFolder(context)
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  const gone = (token: string) => JSON.stringify({ pid: child.pid, began: null, token })
  // Of the holder of the guard, its name or half of it.
  for (const guard of [gone('later'), '', gone('later').slice(0, 9)]) {
    await writeFile(join(folder, 'lock'), gone('old'))
    await writeFile(join(folder, 'lock.takeover'), guard)
    const many = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(folder)))
    const winners = many.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    assert.equal(winners.length, 1)
    await winners[0]!.release()
    assert.deepEqual(await readdir(folder), [])
  }
})

test('of many who want one dead folder exactly one gets it', async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 30, began: null, token: 'old' }))
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(folder)))
  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  assert.equal(won.length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'data_dir_in_use')
  assert.deepEqual(await readdir(folder), ['lock'])
  await won[0]!.value.release()
})

test('releasing does not touch the lock of a successor', async (context) => {
  const folder = await temporaryFolder(context)
  const lock = await acquireLock(folder)
  const theirs = JSON.stringify({ pid: process.pid, began: null, token: 'successor' })
  await writeFile(join(folder, 'lock'), theirs)
  await lock.release()
  assert.equal(await readFile(join(folder, 'lock'), 'utf8'), theirs)
})

test('a folder that cannot be made says so', async (context) => {
  const folder = await temporaryFolder(context)
  await writeFile(join(folder, 'file'), '')
  await assert.rejects(acquireLock(join(folder, 'file')), { code: 'data_dir', message: /Cannot use the data folder .*--data-dir/ })
})
