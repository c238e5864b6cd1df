import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as corridor from '../../scripts/examples/my-env.ts'
import { registerModule } from '../../src/envs/module.ts'
import { findEnvironment, makeEnv } from '../../src/envs/registry.ts'

test('a module is registered under its id, with its facts and its digest', () => {
  assert.equal(registerModule('scripts/examples/my-env.ts', corridor, 'abc'), 'Corridor-v0')
  const { threshold, maxEpisodeSteps, version } = findEnvironment('Corridor-v0')
  assert.deepEqual({ threshold, maxEpisodeSteps, version }, { threshold: 0.95, maxEpisodeSteps: 50, version: 'abc' })
  const env = makeEnv('Corridor-v0')
  const { observation } = env.reset({ seed: 4 })
  const towards = observation[1]! < 0 ? 0 : 1
  let sum = 0
  for (let i = 0; i < 4; i++) sum += env.step(towards).reward
  assert.ok(Math.abs(sum - 0.97) < 1e-12)
})

test('without an id the file names it', () => {
  assert.equal(registerModule('./some/Where else.mjs', { make: corridor.make }, '1'), 'Where-else-v0')
})

test('what is amiss is said', () => {
  const refused: [Record<string, unknown>, RegExp][] = [
    [{}, /my\.ts .*it must export a function "make", but exports nothing/],
    [{ default: 3 }, /but exports default/],
    [{ make: 3 }, /"make" must be a function/],
    [{ make: corridor.make, id: 3 }, /"id" must be a text/],
    [{ make: corridor.make, threshold: 'high' }, /"threshold" must be a number/],
    [{ make: corridor.make, maxEpisodeSteps: 0 }, /"maxEpisodeSteps" must be an integer/],
    [{ make: corridor.make, makeVector: 1 }, /"makeVector" must be a function/],
    [{ make: corridor.make, description: 1 }, /"description" must be a text/],
  ]
  for (const [exported, message] of refused)
    assert.throws(() => registerModule('my.ts', exported, '1'), { code: 'environment_module', message })
})
