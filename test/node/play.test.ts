import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialParameters } from '../../src/learn/initialise.ts'
import { playPolicy } from '../../src/node/play-thread.ts'
import type { PlayFrame } from '../../src/ports/play.ts'
import { presetSettings } from '../support/preset-settings.ts'

const settings = presetSettings('a2c', 'CartPole-v1')
const replica = async () => ({
  parameters: initialParameters(settings.network, 1),
  target: null,
  version: 5,
  steps: 0,
  normalisers: [],
})

test('plays in its own thread until nobody watches', async () => {
  const frames: PlayFrame[] = []
  const enough = Promise.withResolvers<void>()
  const stop = playPolicy(settings, replica, {
    show: (frame) => {
      frames.push(frame)
      if (frames.length === 5) enough.resolve()
    },
    failed: (message) => enough.reject(new Error(message)),
  })
  await enough.promise
  const stopped = stop()
  const seen = frames.length
  assert.deepEqual(
    frames.slice(0, 5).map(({ step, version }) => [step, version]),
    [0, 1, 2, 3, 4].map((step) => [step, 5]),
  )
  await stopped
  assert.equal(frames.length, seen)
})

test('an environment that its thread does not know is told of, once', async () => {
  const failures: string[] = []
  const told = Promise.withResolvers<void>()
  const strange = { ...settings, environment: { id: 'Nowhere-v0', options: {} } }
  const stop = playPolicy(strange, replica, {
    show: () => assert.fail('nothing to show'),
    failed: (message) => {
      failures.push(message)
      told.resolve()
    },
  })
  await told.promise
  await stop()
  assert.deepEqual(failures, ['Environment "Nowhere-v0" is not registered here; `grapevine envs` lists those that are'])
})
