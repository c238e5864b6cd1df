import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vectorOfSingles } from '../../src/envs/from-singles.ts'
import { VECTOR_ROWS_MAX } from '../../src/envs/limits.ts'
import { findEnvironment, listEnvironments, makeEnv, makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import { boxSpace } from '../../src/envs/spaces.ts'
import type { Environment } from '../../src/envs/types.ts'

/** Counts its steps in the observation; ends when it reaches `end`. */
function counter(end: number): Environment {
  let steps = 0
  return {
    observationSpace: boxSpace([1], 0, 100),
    actionSpace: { kind: 'discrete', n: 2 },
    reset() {
      steps = 0
      return { observation: Float32Array.of(0), info: {} }
    },
    step() {
      steps += 1
      return { observation: Float32Array.of(steps), reward: 1, terminated: steps === end, truncated: false, info: {} }
    },
    close() {},
  }
}

test('an unknown id names the nearest ones', () => {
  assert.throws(() => findEnvironment('CartPole-v0'), {
    code: 'unknown_environment',
    fault: 'local',
    message: 'Environment "CartPole-v0" is not registered here; did you mean CartPole-v1?',
  })
  assert.throws(() => makeEnv('Qqqqqqqqqqqqqqqqqqqqq-v0'), { code: 'unknown_environment' })
})

test('a registered factory is made with its defaults, limited and listed', () => {
  registerEnv('Counter-v0', (options) => counter(options.end as number), { end: 5 })
  assert.ok(listEnvironments().some(({ id }) => id === 'Counter-v0'))
  const env = makeEnv('Counter-v0', { end: 3, maxEpisodeSteps: 3 })
  env.reset()
  env.step(0)
  assert.equal(env.step(0).truncated, false)
  const last = env.step(0)
  assert.ok(last.terminated && last.truncated)
  assert.throws(() => env.step(0), {
    code: 'episode_over',
    message: 'An environment was stepped after its episode ended; call reset first.',
  })
})

test('the generic vector form resets in the same step and keeps the final observation', () => {
  registerEnv('Counter-v1', { make: () => counter(3), maxEpisodeSteps: 10 })
  const env = makeVectorEnv('Counter-v1', 2)
  const out = {
    observations: new Float32Array(2),
    rewards: new Float32Array(2),
    terminated: new Uint8Array(2),
    truncated: new Uint8Array(2),
    finalObservations: new Float32Array(2),
  }
  env.reset(0, out.observations)
  for (let i = 0; i < 3; i++) env.step(Int32Array.of(0, 1), out)
  assert.deepEqual([...out.observations], [0, 0])
  assert.deepEqual([...out.finalObservations], [3, 3])
  assert.deepEqual([...out.terminated], [1, 1])
  assert.deepEqual([...out.truncated], [0, 0])
})

test('what is not finite or of another length is named, not passed on', () => {
  const broken = (observation: Float32Array, reward: number) => ({
    make: () => ({ ...counter(3), step: () => ({ observation, reward, terminated: false, truncated: false, info: {} }) }),
  })
  const out = {
    observations: new Float32Array(1),
    rewards: new Float32Array(1),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
    finalObservations: new Float32Array(1),
  }
  for (const [entry, code] of [
    [broken(Float32Array.of(Number.NaN), 0), 'observation'],
    [broken(Float32Array.of(1, 2), 0), 'observation'],
    [broken(Float32Array.of(1), Number.POSITIVE_INFINITY), 'reward'],
  ] as const) {
    registerEnv('Broken-v0', entry)
    const env = makeVectorEnv('Broken-v0', 1)
    env.reset(0, out.observations)
    assert.throws(() => env.step(Int32Array.of(0), out), { code, fault: 'local' })
  }
})

test('actions out of range, options unknown and counts out of bounds are refused', () => {
  const env = makeEnv('CartPole-v1')
  assert.throws(() => env.step(0), {
    code: 'episode_over',
    message: 'An environment was stepped before its first reset; call reset first.',
  })
  env.reset({ seed: 1 })
  for (const action of [-1, 2, 0.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => env.step(action), {
      code: 'action',
      message: `Action ${action} of row 0 is not one of 0 to 1; check what chose it.`,
    })
  }
  assert.throws(() => env.step(Float32Array.of(1)), { code: 'shape' })
  assert.throws(() => makeEnv('Acrobot-v1', { gravity: 3 }), {
    code: 'option',
    message: 'Acrobot-v1 has no option "gravity"; it has none.',
  })
  for (const [options, message] of [
    [{ gravty: 3 }, 'CartPole-v1 has no option "gravty"; it has gravity.'],
    [{ gravity: '3' }, 'Option "gravity" of CartPole-v1 must be a number, but it is "3".'],
    [{ length: 0 }, 'Option "length" of CartPole-v1 must be from 0.01 to 100, but it is 0.'],
    [{ tau: 1 }, 'Option "tau" of CartPole-v1 must be from 0.0001 to 0.1, but it is 1.'],
  ] as const) {
    assert.throws(() => makeEnv('CartPole-v1', options), { code: 'option', message })
    assert.throws(() => makeVectorEnv('CartPole-v1', 2, options), { code: 'option', message })
  }
  assert.throws(() => makeEnv('CartPole-v1', { maxEpisodeSteps: 0 }), { code: 'option' })
  for (const count of [0, 1.5, 1e9]) {
    const message = `A vector environment has 1 to ${VECTOR_ROWS_MAX} rows, but ${count} were asked for.`
    assert.throws(() => makeVectorEnv('CartPole-v1', count), { code: 'shape', message })
  }
  assert.throws(() => registerEnv('no spaces', () => counter(1)), {
    code: 'environment_id',
    message: 'An environment id may hold up to 100 letters, digits and _ . : / -, so "no spaces" is none.',
  })
  assert.throws(() => vectorOfSingles([]), { code: 'shape', message: 'A vector environment needs at least one environment.' })
})
