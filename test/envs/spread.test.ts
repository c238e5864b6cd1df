import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'
import { coverLandmark } from '../../src/envs/spread/heuristic.ts'
import { SpreadRows } from '../../src/envs/spread/spread.ts'
import type { VectorBuffers, VectorEnvironment } from '../../src/envs/types.ts'

function buffersOf({ count, observationSpace }: VectorEnvironment): VectorBuffers {
  const length = count * observationSpace.low.length
  return {
    observations: new Float32Array(length),
    rewards: new Float32Array(count),
    terminated: new Uint8Array(count),
    truncated: new Uint8Array(count),
    finalObservations: new Float32Array(length),
  }
}

test('a step by hand', () => {
  const rows = new SpreadRows(1)
  // Agents at (0, 0), (0.2, 0) and (1.45, 1) moving right at 1; landmarks at (0, 1), (1, 1), (0, 0).
  rows.state.set([0, 0, 0, 0, 0.2, 0, 0, 0, 1.45, 1, 1, 0, 0, 1, 1, 1, 0, 0])
  const observations = new Float32Array(3 * 14)
  const rewards = new Float32Array(3)
  rows.step(Int32Array.of(3, 0, 2), observations, rewards, new Uint8Array(3))
  // Agent 0 is pushed down to (0, -0.05); agent 2 would reach 1.45 + 0.1 (0.75 + 0.5) = 1.575 and stops at the wall.
  const near = Math.hypot(0.2, 1) + 0.5 + 0.05
  for (const reward of rewards) assert.ok(Math.abs(reward + near + 1) < 1e-6)
  const expected = [0, -0.5, 0, -0.05, 0, 1.05, 1, 1.05, 0, 0.05, 0.2, 0.05, 1.5, 1.05]
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(observations[i]! - value) < 1e-6, `element ${i}`)
  assert.equal(rows.state[10], 0)
})

test('the rows of a world begin and end together', () => {
  const vector = makeVectorEnv('Spread-v0', 2)
  assert.equal(vector.count, 6)
  const out = buffersOf(vector)
  vector.reset(5, out.observations)
  for (let i = 1; i <= 50; i++) {
    vector.step(Int32Array.of(0, 1, 2, 3, 4, 0), out)
    assert.deepEqual([...out.truncated], new Array(6).fill(i % 25 === 0 ? 1 : 0))
    assert.equal(out.rewards[3], out.rewards[5])
  }
})

test('the scalar form is the first agent of a world whose other agents follow the heuristic', () => {
  const vector = makeVectorEnv('Spread-v0', 1)
  const out = buffersOf(vector)
  vector.reset(6, out.observations)
  const single = makeEnv('Spread-v0')
  assert.deepEqual(single.reset({ seed: 6 }).observation, out.observations.slice(0, 14))
  for (let i = 1; i <= 25; i++) {
    vector.step(Int32Array.of(i % 5, coverLandmark(out.observations, 14), coverLandmark(out.observations, 28)), out)
    const { observation, reward, truncated } = single.step(i % 5)
    const seen = i === 25 ? out.finalObservations : out.observations
    assert.deepEqual(observation, seen.slice(0, 14))
    assert.equal(reward, out.rewards[0])
    assert.equal(truncated, i === 25)
  }
})

test('the heuristic covers the landmarks', () => {
  const env = makeVectorEnv('Spread-v0', 100)
  const out = buffersOf(env)
  env.reset(0, out.observations)
  const actions = new Int32Array(300)
  let sum = 0
  for (let i = 0; i < 25; i++) {
    for (let row = 0; row < 300; row++) actions[row] = coverLandmark(out.observations, 14 * row)
    env.step(actions, out)
    for (let row = 0; row < 300; row += 3) sum += out.rewards[row]!
  }
  // -17.3 with a standard deviation of 9 an episode.
  assert.ok(Math.abs(sum / 100 + 17.3) < 4 * 0.9)
})
