/** Two real daemons on loopback share what they experience, and nothing else. Every step waits for an event, or asks a daemon how it stands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grapevine } from '../cli/spawn.ts'
import { TestDaemon } from '../support/daemon.ts'

// For two cores with much else to do; a quiet machine needs a tenth.
const START_DEADLINE_MS = 60_000
const SHARE_DEADLINE_MS = 90_000

test('two daemons with Ape-X learn from each other without averaging', async (context) => {
  const flags = ['--algo', 'apex', '--strategy', 'none', '--share-experience', '0.2', '--seed', '1', '--set', 'minPeriodMs=20', '--no-http']
  const founder = TestDaemon.spawn(context, ['start', ...flags])
  const [address] = (await founder.event('listening', START_DEADLINE_MS)).addresses
  const joiner = TestDaemon.spawn(context, ['join', address!, '--set', 'minPeriodMs=20', '--no-http'])
  await joiner.event('joined', START_DEADLINE_MS)
  for (const daemon of [founder, joiner]) {
    const { counters, strategy } = await daemon.status(
      SHARE_DEADLINE_MS,
      ({ counters: { experienceIn = 0, experienceOut = 0 } }) => experienceIn >= 128 && experienceOut >= 128,
    )
    assert.equal(strategy, 'none')
    assert.equal(counters.experienceRefused, 0)
    assert.ok(!Object.keys(counters).some((name) => name.startsWith('refused_')))
    assert.equal(daemon.all('mix').length, 0)
  }
  assert.deepEqual(await Promise.all([joiner.terminate(), founder.terminate()]), [0, 0])
})

test('an algorithm that cannot share says so in a sentence and leaves with 2', async (context) => {
  const { code, err } = await grapevine(['start', '--algo', 'ppo', '--share-experience', '0.1'], import.meta.dirname)
  context.diagnostic(err)
  assert.equal(code, 2)
  assert.match(
    err,
    /^.*Experience is shared \(--share-experience\) with the algorithms apex and impala only; ppo learns from nothing but what its own policy just did\.$/m,
  )
})
