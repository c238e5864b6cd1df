/** Two daemons with one identity: somebody copied a data folder. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestDaemon } from '../support/daemon.ts'

const DEADLINE_MS = 120_000
const GENTLE = ['--no-http', '--set', 'maxStepsPerSecond=2000']

test('a peer that runs on a copy of the data folder of another is told so, and the other and the swarm do not notice', async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--seed', '1', ...GENTLE])
  const [address = ''] = (await founder.event('listening', DEADLINE_MS)).addresses
  const first = TestDaemon.spawn(context, ['join', address, ...GENTLE])
  await first.event('mix', DEADLINE_MS)
  const folder = mkdtempSync(join(tmpdir(), 'grapevine-twin-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['identity.key', 'incarnation']) cpSync(join(first.dataDir, name), join(folder, name))

  const copy = TestDaemon.spawn(context, ['join', address, ...GENTLE], { dataDir: folder })
  assert.equal((await copy.ended).code, 3)
  const [error] = copy.all('error')
  assert.equal(error?.code, 'not_admitted')
  assert.match(error?.message ?? '', /another peer that runs on a copy of our data folder/)
  // Nor can it join through the other itself.
  const [theirs = ''] = (await first.event('listening', DEADLINE_MS)).addresses
  const again = TestDaemon.spawn(context, ['join', theirs, ...GENTLE], { dataDir: folder })
  assert.equal((await again.ended).code, 3)
  assert.match(again.all('error')[0]?.message ?? '', /is this very peer, or one that runs with a copy of its data folder/)

  for (const daemon of [founder, first]) {
    await daemon.event('mix', DEADLINE_MS, () => true, daemon.events.length)
    assert.deepEqual(daemon.all('refused'), [])
    assert.deepEqual(
      daemon.all('peer').map(({ state }) => state),
      ['connecting', 'alive'],
    )
  }
  for (const daemon of [first, founder]) assert.equal(await daemon.terminate(), 0)
})
