import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { make, maxEpisodeSteps } from '../../scripts/examples/my-env.ts'
import { allocateActions, allocateBuffers } from '../../src/envs/buffers.ts'
import { listEnvironments, makeEnv, makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import { environmentContract } from './environment.ts'

registerEnv('Example-v0', { make, maxEpisodeSteps })
// An environment with saved states and pictures whose vector form the registry has to build.
registerEnv('Singles-v0', { make: () => makeEnv('CartPole-v1', { maxEpisodeSteps: null }), maxEpisodeSteps: 20 })

const EXPECTED = [
  'Acrobot-v1',
  'CartPole-v1',
  'DeepSea-v0',
  'Example-v0',
  'LunarLander-v3',
  'LunarLanderContinuous-v3',
  'MinAtar/Asterix-v0',
  'MinAtar/Asterix-v1',
  'MinAtar/Breakout-v0',
  'MinAtar/Breakout-v1',
  'MinAtar/Freeway-v0',
  'MinAtar/Freeway-v1',
  'MinAtar/Seaquest-v0',
  'MinAtar/Seaquest-v1',
  'MinAtar/SpaceInvaders-v0',
  'MinAtar/SpaceInvaders-v1',
  'MountainCar-v0',
  'MountainCarContinuous-v0',
  'Pendulum-v1',
  'Singles-v0',
  'Spread-v0',
]

const ids = listEnvironments().map(({ id }) => id)

test('every environment that comes along is listed, and so is the example', () => assert.deepEqual(ids, EXPECTED))

for (const id of ids) environmentContract(id)

test('the heap does not grow from step to step', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (const [id, steps] of [
    ['CartPole-v1', 100_000],
    ['MinAtar/Seaquest-v0', 10_000],
    ['Spread-v0', 20_000],
    ['DeepSea-v0', 20_000],
    ['LunarLander-v3', 2_000],
  ] as const) {
    const env = makeVectorEnv(id, 8)
    const out = allocateBuffers(env)
    const actions = allocateActions(env.actionSpace, env.count)
    env.reset(0, out.observations)
    const used = (): number => {
      for (let i = 0; i < steps; i++) env.step(actions, out)
      collect()
      return process.memoryUsage().heapUsed
    }
    used()
    const before = used()
    const grown = used() - before
    // Growth by one small object a step would show as several hundred kilobytes.
    assert.ok(grown < 200_000, `${id}: ${grown} bytes over ${steps} steps`)
  }
})
