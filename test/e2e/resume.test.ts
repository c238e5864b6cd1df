/** Real processes killed without warning go on from their data folders: identity kept, incarnation never reused, back in the swarm by themselves. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { grapevine } from '../cli/spawn.ts'
import { TestDaemon } from '../support/daemon.ts'

/** Generous: the machines that run this are slow and busy. */
const DEADLINE_MS = 60_000

const incarnationOf = ({ dataDir }: TestDaemon) => Number(readFileSync(join(dataDir, 'incarnation'), 'utf8'))
const resumed = (context: Parameters<typeof TestDaemon.spawn>[0], dataDir: string) =>
  TestDaemon.spawn(context, ['start', '--resume', '--set', 'checkpointSeconds=1'], { dataDir })

test('killed after a mix or a checkpoint, a peer of a swarm goes on, takes over what it missed and averages again', async (context) => {
  const founder = TestDaemon.spawn(context, ['start'])
  const { addresses } = await founder.event('listening', DEADLINE_MS)
  let peer = TestDaemon.spawn(context, ['join', addresses[0]!, '--set', 'checkpointSeconds=1'])
  const { peer: id, run } = await peer.event('listening', DEADLINE_MS)
  await peer.event('mix', DEADLINE_MS)
  await peer.event('checkpoint', DEADLINE_MS)
  for (const moment of ['mix', 'checkpoint'] as const) {
    await peer.event(moment, DEADLINE_MS, () => true, peer.events.length)
    const before = incarnationOf(peer)
    await peer.kill()
    peer = resumed(context, peer.dataDir)
    const listening = await peer.event('listening', DEADLINE_MS)
    assert.deepEqual([listening.peer, listening.run], [id, run])
    assert.ok(incarnationOf(peer) > before)
    const { from, version } = await peer.event('joined', DEADLINE_MS)
    assert.equal(from, (await founder.event('listening', 1)).peer)
    assert.ok(version > 0)
    await peer.event('mix', DEADLINE_MS)
  }
  assert.equal(await peer.terminate(), 0)
  // The last word is a checkpoint.
  assert.deepEqual(
    peer.events.slice(-2).map(({ event, ...rest }) => (event === 'warning' ? { event, ...rest } : event)),
    ['checkpoint', 'stopped'],
  )
})

test('alone, a stopped run goes on where it stood; what cannot be resumed says why', async (context) => {
  const first = TestDaemon.spawn(context, ['start', '--until', 'steps=20000', '--deterministic'])
  assert.equal((await first.event('stopped', DEADLINE_MS)).steps, 20_000)
  await first.ended
  const folder = join(first.dataDir, 'checkpoints')
  const newest = readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .sort()
    .at(-1)!
  const second = TestDaemon.spawn(context, ['start', '--resume', '--until', 'steps=40000', '--deterministic'], first)
  const stats = await second.event('stats', DEADLINE_MS).catch(() => null)
  assert.ok(stats === null || stats.steps >= 20_000)
  assert.equal((await second.event('stopped', DEADLINE_MS)).steps, 40_000)
  await second.ended

  for (const name of readdirSync(folder)) if (name !== newest) writeFileSync(join(folder, name), 'damaged')
  const older = TestDaemon.spawn(context, ['start', '--resume'], first)
  const warning = await older.event('warning', DEADLINE_MS)
  assert.equal(warning.code, 'bad_checkpoint')
  assert.match(warning.message, new RegExp(`going on from checkpoints/${newest}`))
  await older.kill()
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'damaged')
  const none = await grapevine(['start', '--resume', first.dataDir], tmpdir())
  assert.equal(none.code, 1)
  assert.match(none.err, /^grapevine: No checkpoint of the run in .* is whole: /)
  const missing = await grapevine(['start', '--resume', join(first.dataDir, 'nowhere')], tmpdir())
  assert.equal(missing.code, 1)
  assert.match(missing.err, /^grapevine: There is no folder .*nowhere; name the data folder of an earlier run\.$/m)
})
