import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerEnv } from '../../src/envs/registry.ts'
import { boxSpace } from '../../src/envs/spaces.ts'
import type { Engine } from '../../src/learn/engine.ts'
import { initialParameters } from '../../src/learn/initialise.ts'
import { playPictures } from '../../src/learn/play.ts'
import { facts, NETWORKS } from '../support/exported.ts'

test('an environment that draws nothing has no animation', () => {
  const network = NETWORKS.MLP!
  const policy = { facts: facts(network), parameters: initialParameters(network, 1) }
  registerEnv(policy.facts.environment.id, () => ({
    observationSpace: boxSpace([4], 0, 1),
    actionSpace: { kind: 'discrete', n: 2 },
    reset: () => ({ observation: new Float32Array(4), info: {} }),
    step: () => ({ observation: new Float32Array(4), reward: 0, terminated: true, truncated: false, info: {} }),
    close() {},
  }))
  const how = { deterministic: true, seed: 1, width: 8, height: 8, maxFrames: 2 }
  assert.throws(() => playPictures(policy, null as unknown as Engine, how).next(), {
    code: 'no_picture',
    message: 'Environment Test-v0 draws no pictures; leave out --gif.',
  })
})
