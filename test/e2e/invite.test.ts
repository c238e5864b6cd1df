/** Invitations between real daemons: what `grapevine invite` prints is all that `grapevine join` needs; a mangled one costs nobody anything. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeInvitation, encodeInvitation } from '../../src/wire/invitation.ts'
import { grapevine } from '../cli/spawn.ts'
import { TestDaemon } from '../support/daemon.ts'

const DEADLINE_MS = 60_000

test('an invitation leads into the run; one that is mangled or of another run exits with 3 and one sentence', async (context) => {
  const founder = TestDaemon.spawn(context, ['start', '--wait-for-peers', '9'])
  const { run, addresses } = await founder.event('listening', DEADLINE_MS)
  const home = founder.dataDir
  const printed = await grapevine(['invite', '--data-dir', home], home)
  assert.equal(printed.code, 0, printed.err)
  const word = printed.out.trim()
  assert.deepEqual(decodeInvitation(word), { run, addresses, swarmKey: null })

  const joiner = TestDaemon.spawn(context, ['join', word])
  assert.equal((await joiner.event('joined', DEADLINE_MS)).run, run)
  const refused = async (args: readonly string[], sentence: RegExp) => {
    const { code, out, err } = await grapevine(args, home)
    assert.deepEqual([code, out], [3, ''], err)
    assert.match(err, sentence)
  }
  await refused(['join', `${word.slice(0, 50)}x${word.slice(50)}`], /^grapevine: This invitation is mangled: [^\n]+\n$/)
  const another = encodeInvitation({ run: 'ab'.repeat(32), addresses, swarmKey: null })
  await refused(['join', another, '--data-dir', `${home}/other`], /^grapevine: The peer at [^\n]+ takes part in run [^\n]+\n$/)
  const keyless = await grapevine(['invite', '--with-key', '--data-dir', home], home)
  assert.deepEqual([keyless.code, keyless.err], [1, 'grapevine: This swarm has no key: leave out --with-key.\n'])

  await founder.terminate()
  const later = await grapevine(['invite', '--data-dir', joiner.dataDir], home)
  assert.ok(decodeInvitation(later.out).addresses.length > 0)
  assert.equal(await joiner.terminate(), 0)
  const fromFolder = await grapevine(['invite', '--data-dir', joiner.dataDir], home)
  assert.deepEqual(decodeInvitation(fromFolder.out), { run, addresses, swarmKey: null })
})
