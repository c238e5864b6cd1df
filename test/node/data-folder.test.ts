import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { findDaemon, openDataFolder } from '../../src/node/data-folder.ts'
import { MAX_DEFAULT_FOLDERS } from '../../src/node/limits.ts'
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

test('every default folder is held', async (context) => {
  const home = await temporaryFolder(context)
  const held = await Promise.all(
    Array.from({ length: MAX_DEFAULT_FOLDERS }, (_, i) =>
      openDataFolder(join(home, '.grapevine', i === 0 ? 'default' : `default-${i + 1}`)),
    ),
  )
  await assert.rejects(openDataFolder(null, home), {
    code: 'data_dir',
    message: `All ${MAX_DEFAULT_FOLDERS} default data folders in ${join(home, '.grapevine')} are in use; choose one with --data-dir.`,
  })
  for (const folder of held) await folder.release()
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
  await assert.rejects(findDaemon(null, home), {
    code: 'several_daemons',
    message: `2 daemons run here; say which with --data-dir: ${first.path}, ${second.path}.`,
  })
  assert.equal(await findDaemon(second.path, home), second.path)
  await first.release()
  await second.release()
  await assert.rejects(findDaemon(null, home), { code: 'no_daemon' })
})
