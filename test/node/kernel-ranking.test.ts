import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import { shareKernelRanking } from '../../src/node/kernel-ranking.ts'
import { startLearnerThread } from '../../src/node/learner-thread.ts'
import type { LearnerSettings } from '../../src/ports/learner.ts'

const { hyperparameters, network, horizonSteps } = preset('a2c', 'CartPole-v1')
const settings: LearnerSettings = {
  environment: { id: 'CartPole-v1', options: {} },
  modules: [],
  wrappers: [],
  algorithm: { id: 'a2c', hyperparameters, horizonSteps },
  network: presetNetwork('a2c', network, 'CartPole-v1', {}),
  weightsSeed: 1,
  actorSeed: 2,
  engine: 'wasm',
  deterministic: false,
  threads: 1,
  actors: 0,
  threshold: null,
  untilSteps: null,
}

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
