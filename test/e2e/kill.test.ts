/** A daemon killed without warning, some times in a row: the cheap form of `npm run bench -- kill --daemon`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killDaemon } from '../../scripts/bench/kill/daemon.ts'

const KILLS = 4
const MINUTES = 10

test('killed at random moments, a daemon goes on as itself from a whole checkpoint, under a higher incarnation, in its swarm', async () => {
  const outcome = await killDaemon(KILLS, 1, MINUTES, () => undefined)
  const { listened, averaged, caughtUp, ...rest } = outcome
  assert.deepEqual(rest, { kills: KILLS, lost: 0, damaged: 0, strangers: 0, reused: 0, refused: {} })
  // Every second life is killed after it averaged.
  assert.ok(averaged >= KILLS / 2 && listened >= averaged && caughtUp >= 1, JSON.stringify(outcome))
})
