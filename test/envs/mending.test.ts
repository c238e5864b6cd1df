import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENVIRONMENT_FAULTS_MAX, ENVIRONMENT_RECOVERED_STEPS } from '../../src/envs/limits.ts'
import { makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import type { Environment } from '../../src/envs/types.ts'

/** Observes the steps of its episode plus its seed; throws in the steps, resets and makings (counted over all of its kind) that `fails` says. */
function brittle(fails: { readonly step?: number[]; readonly reset?: number[]; readonly make?: number[] }) {
  const log = { steps: 0, resets: 0, makes: 0, closes: 0, seeds: [] as (number | undefined)[] }
  const check = (numbers: number[] | undefined, number: number, what: string): void => {
    if (numbers?.includes(number)) throw new Error(`no ${what}.`)
  }
  const make = (): Environment => {
    check(fails.make, ++log.makes, 'making')
    let at = 0
    // The same array each time, as environments may.
    const observation = new Float32Array(1)
    return {
      observationSpace: { kind: 'box', shape: [1], low: Float32Array.of(0), high: Float32Array.of(100) },
      actionSpace: { kind: 'discrete', n: 2 },
      reset({ seed } = {}) {
        log.seeds.push(seed)
        check(fails.reset, ++log.resets, 'reset')
        observation[0] = at = 0
        return { observation, info: {} }
      },
      step() {
        observation[0] = ++at
        check(fails.step, ++log.steps, 'step')
        return { observation, reward: 1, terminated: at === 4, truncated: false, info: {} }
      },
      close() {
        log.closes++
      },
    }
  }
  return { make, log }
}

/** A vector of `count` of them, its buffers, and what was told. */
function vectorOf(make: () => Environment, count: number) {
  registerEnv('Test/Brittle-v0', make)
  const told: string[] = []
  const vector = makeVectorEnv('Test/Brittle-v0', count, {}, { first: 3, tell: (message) => told.push(message) })
  const out = {
    observations: new Float32Array(count),
    rewards: new Float32Array(count),
    terminated: new Uint8Array(count),
    truncated: new Uint8Array(count),
    finalObservations: new Float32Array(count).fill(-1),
  }
  const actions = new Int32Array(count)
  return { vector, told, out, step: () => vector.step(actions, out) }
}

test('one that throws in step ends truncated where it was last seen, is made anew with another seed, and the others go on', () => {
  const { make, log } = brittle({ step: [6] })
  const { vector, told, out, step } = vectorOf(make, 2)
  vector.reset(7, out.observations)
  step()
  step()
  step()
  assert.deepEqual([...out.observations], [3, 0])
  assert.deepEqual([...out.rewards], [1, 0])
  assert.deepEqual([...out.terminated], [0, 0])
  assert.deepEqual([...out.truncated], [0, 1])
  assert.deepEqual([...out.finalObservations], [-1, 2])
  assert.deepEqual(told, ['Environment 4 of Test/Brittle-v0 was made anew: no step.'])
  assert.deepEqual([log.makes, log.closes], [3, 1])
  assert.deepEqual(log.seeds, [7, 8, (8 + 0x9e3779b1) % 2 ** 32])
  step()
  assert.deepEqual([...out.observations], [0, 1])
  assert.deepEqual(
    [[...out.terminated], [...out.truncated]],
    [
      [1, 0],
      [0, 0],
    ],
  )
})

test('one that throws in reset, or cannot be made again at once, is tried again, and the episode before stays as it ended', () => {
  const { make, log } = brittle({ reset: [2], make: [2, 3] })
  const { vector, told, out, step } = vectorOf(make, 1)
  vector.reset(0, out.observations)
  for (let i = 0; i < 4; i++) step()
  assert.deepEqual([out.terminated[0], out.truncated[0], out.rewards[0]], [1, 0, 1])
  assert.deepEqual([out.finalObservations[0], out.observations[0]], [4, 0])
  assert.deepEqual(told, [
    'Environment 3 of Test/Brittle-v0 was made anew: no reset.',
    'Environment 3 of Test/Brittle-v0 was made anew: no making.',
    'Environment 3 of Test/Brittle-v0 was made anew: no making.',
  ])
  assert.equal(log.makes, 4)
})

test('one that keeps failing is given up in one sentence; good steps in between forgive', () => {
  const every = (n: number): number[] => Array.from({ length: 20 }, (_, i) => (i + 1) * n)
  const hopeless = vectorOf(brittle({ step: every(1) }).make, 1)
  hopeless.vector.reset(0, hopeless.out.observations)
  for (let i = 0; i < ENVIRONMENT_FAULTS_MAX; i++) hopeless.step()
  assert.throws(hopeless.step, {
    code: 'environment_failed',
    message:
      'Environment 3 of Test/Brittle-v0 is given up because it failed 6 times in a row, at last with "no step"; correct it, then try it with `grapevine envs --check`.',
  })
  const rare = vectorOf(brittle({ step: every(ENVIRONMENT_RECOVERED_STEPS + 1) }).make, 1)
  rare.vector.reset(0, rare.out.observations)
  for (let i = 0; i < 20 * (ENVIRONMENT_RECOVERED_STEPS + 1); i++) rare.step()
  assert.equal(rare.told.length, 20)
})
