/** A private swarm of real daemons: who has its key and is on its list takes part; everyone else gets one sentence and exit code 3. */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { grapevine } from '../cli/spawn.ts'
import { TestDaemon } from '../support/daemon.ts'

const DEADLINE_MS = 60_000

test('without the key, with another one, or not on the list: one sentence, exit 3, and the swarm sees nobody', async (context) => {
  const member = TestDaemon.spawn(context, ['start', '--wait-for-peers', '9'])
  const { peer: memberId } = await member.event('listening', DEADLINE_MS)
  await member.terminate()
  const home = member.dataDir
  const file = (name: string) => join(home, name)
  for (const name of ['swarm.key', 'other.key']) assert.equal((await grapevine(['keygen', file(name)], home)).code, 0)
  assert.equal(statSync(file('swarm.key')).mode & 0o777, 0o600)
  const before = readFileSync(file('swarm.key'))
  assert.equal((await grapevine(['keygen', file('swarm.key')], home)).code, 1)
  assert.deepEqual(readFileSync(file('swarm.key')), before)
  writeFileSync(file('allow'), `# the laboratory\n${memberId} # the one machine\n`)

  const founder = TestDaemon.spawn(context, ['start', '--wait-for-peers', '9', '--swarm-key', file('swarm.key'), '--allow', file('allow')])
  const { addresses, peer } = await founder.event('listening', DEADLINE_MS)
  const refused = async (flags: readonly string[], sentence: RegExp) => {
    const { code, out, err } = await grapevine(['join', addresses[0]!, '--data-dir', file('stranger'), ...flags], home)
    assert.deepEqual([code, out], [3, ''], err)
    assert.match(err, /^grapevine: [^\n]+\n$/)
    assert.match(err, sentence)
  }
  await refused([], /belongs to a private swarm/)
  await refused(['--swarm-key', file('other.key')], /another key/)
  await refused(['--swarm-key', file('swarm.key')], /not on its allow-list/)
  assert.deepEqual(founder.all('peer'), [])

  const word = (await grapevine(['invite', '--with-key', '--data-dir', founder.dataDir], home)).out.trim()
  const plan = await grapevine(['join', word, '--dry-run'], home)
  assert.equal(plan.code, 0, plan.err)
  assert.ok(!plan.out.includes(before.toString().slice(-64)))
  const joiner = TestDaemon.spawn(context, ['join', word], { dataDir: home })
  assert.equal((await joiner.event('joined', DEADLINE_MS)).from, peer)

  const banned = await grapevine(['peers', '--ban', memberId, '--for', '1h', '--why', 'noise', '--data-dir', founder.dataDir], home)
  assert.deepEqual([banned.code, banned.out], [0, `banned ${memberId} for 1h\n`], banned.err)
  await founder.event('peer', DEADLINE_MS, (event) => event.id === memberId && event.state === 'banned')
  const list = await grapevine(['peers', '--data-dir', founder.dataDir], home)
  assert.match(list.out, /is banned for another [^:]+: noise\n$/)
  const rows = JSON.parse((await grapevine(['peers', '--json', '--data-dir', founder.dataDir], home)).out).peers
  assert.deepEqual([rows[0].id, rows[0].state, rows[0].ban.why], [memberId, 'banned', 'noise'])
  const freed = await grapevine(['peers', '--unban', memberId.slice(-8), '--data-dir', founder.dataDir], home)
  assert.equal(freed.code, 0, freed.err)
  const since = founder.events.length
  await founder.event('peer', DEADLINE_MS, (event) => event.id === memberId && event.state === 'alive', since)
  assert.deepEqual(await Promise.all([founder.terminate(), joiner.terminate()]), [0, 0])
})
