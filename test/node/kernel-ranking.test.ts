import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareKernelRanking } from '../../src/node/kernel-ranking.ts'
import { startLearnerThread } from '../../src/node/learner-thread.ts'
import { presetSettings } from '../support/preset-settings.ts'

const settings = presetSettings('a2c', 'CartPole-v1', { deterministic: false })

async function engineOfThread(): Promise<string> {
  const learner = await startLearnerThread(settings)
  await learner.stop()
  return learner.describe().engine
}

test('a thread takes over what another one measured, and measures where nobody has', async () => {
  assert.equal(shareKernelRanking(), null)
  const measured = await engineOfThread()
  assert.equal(await engineOfThread(), measured)
  // A ranking that no measurement here would give shows that none was made.
  shareKernelRanking(['deterministic'])
  assert.equal(await engineOfThread(), 'wasm deterministic')
})
