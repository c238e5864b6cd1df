import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { findDaemon, openDataFolder } from '../../src/node/data-folder.ts'
import { temporaryFolder } from './folder.ts'

test('without a name, the first default folder that nobody holds', async (context) => {
  const home = await temporaryFolder(context)
  const first = await openDataFolder(null, home)
  const second = await openDataFolder(null, home)
  assert.equal(first.path, join(home, '.grapevine', 'default'))
  assert.equal(second.path, join(home, '.grapevine', 'default-2'))
  await first.release()
  const third = await openDataFolder(null, home)
  assert.equal(third.path, first.path)
  await second.release()
  await third.release()
})

test('a named folder is used or fails', async (context) => {
  const home = await temporaryFolder(context)
  const named = join(home, 'mine')
  const held = await openDataFolder(named, home)
  assert.equal(held.path, named)
  await assert.rejects(openDataFolder(named, home), { code: 'data_dir_in_use' })
  await held.release()
})

test('status and stop find the one daemon that runs', async (context) => {
  const home = await temporaryFolder(context)
  await assert.rejects(findDaemon(null, home), { code: 'no_daemon' })
  const first = await openDataFolder(null, home)
  assert.equal(await findDaemon(null, home), first.path)
  const second = await openDataFolder(null, home)
  await assert.rejects(findDaemon(null, home), { code: 'several_daemons', message: new RegExp(`${first.path}, ${second.path}`) })
  assert.equal(await findDaemon(second.path, home), second.path)
  await first.release()
  await second.release()
  await assert.rejects(findDaemon(null, home), { code: 'no_daemon' })
})
