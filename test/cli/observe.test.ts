/** `--observe` with real processes, and what does not go with it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveSettings } from '../../src/peer/settings.ts'
import { TestDaemon } from '../support/daemon.ts'
import { grapevine } from './spawn.ts'

const START_MS = 60_000

test('an observer follows a founder, is no partner of it, and leaves a checkpoint that can be evaluated', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gv-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const founder = TestDaemon.spawn(context, ['start', '--seed', '3', '--until', 'minutes=4'])
  const { addresses, peer } = await founder.event('listening', START_MS)
  const observer = TestDaemon.spawn(context, ['join', addresses[0]!, '--observe'])
  const { version } = await observer.event('joined', START_MS)
  const mix = await observer.event('mix', START_MS)
  assert.deepEqual([mix.with, mix.strategy], [peer, 'observe'])
  const id = (await observer.event('listening', START_MS)).peer
  await founder.event('peer', START_MS, (event) => event.id === id && event.state === 'alive')
  const seen = founder.events.length
  assert.equal((await founder.event('stats', START_MS, () => true, seen)).peers, 0)
  const { steps, updates, peers } = await observer.event('stats', START_MS, ({ peers }) => peers === 1)
  assert.deepEqual([steps, updates, peers], [0, 0, 1])
  const status = await grapevine(['status', '--data-dir', observer.dataDir, '--json'], folder)
  assert.equal(JSON.parse(status.out).observing, true)
  assert.equal(await observer.terminate(), 0)
  assert.equal(founder.events.filter(({ event }) => event === 'mix').length, 0)
  const evaluated = await grapevine(['eval', observer.dataDir, '--episodes', '2', '--json'], folder)
  assert.equal(evaluated.code, 0, evaluated.err)
  assert.ok(JSON.parse(evaluated.out).version > version)
  assert.equal(await founder.terminate(), 0)
})

test('what an observer has no use for is refused in a sentence', () => {
  const fault = (command: 'start' | 'join', flags: Readonly<Record<string, unknown>>) => {
    try {
      const addresses = command === 'join' ? ['127.0.0.1:1'] : []
      resolveSettings({ command, addresses, flags: { observe: true, ...flags }, file: null, randomSeed: 1 })
    } catch (error) {
      return (error as Error).message
    }
    return null
  }
  assert.equal(fault('join', {}), null)
  assert.equal(fault('join', { until: 'minutes=3', actors: '0' }), null)
  assert.equal(fault('start', { resume: './run' }), null)
  assert.equal(
    fault('start', {}),
    '--observe follows a run of others, and start founds a new one with nobody to follow: grapevine join ADDRESS --observe.',
  )
  const counts = 'counts what this peer learns, and with --observe it learns nothing'
  assert.equal(fault('join', { until: 'steps=5' }), `--until ${counts}; choose --until minutes=M.`)
  assert.equal(fault('join', { until: 'solved' }), `--until ${counts}; choose --until minutes=M.`)
  assert.equal(fault('join', { 'eval-every': '5' }), `--eval-every ${counts}; evaluate its checkpoints with grapevine eval.`)
  assert.equal(fault('join', { actors: '2' }), `--actors ${counts}; leave it out.`)
  assert.match(fault('join', { observe: 'perhaps' }) ?? '', /^--observe must be true or false, not "perhaps"\.$/)
})
