import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RevoluteJoint } from 'planck'
import { landLander, landLanderContinuously } from '../../scripts/bench/environments/heuristics.ts'
import { allocateBuffers } from '../../src/envs/buffers.ts'
import { LanderWorld } from '../../src/envs/lander/lander-world.ts'
import { LegJoint } from '../../src/envs/lander/leg-joint.ts'
import { Pcg64Rows } from '../../src/envs/pcg64.ts'
import { makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'

/** All states of a few landings under the heuristic. */
function landings(): Float64Array[] {
  const states: Float64Array[] = []
  for (let seed = 0; seed < 6; seed++) {
    const stream = new Pcg64Rows(1)
    stream.seed(0, seed)
    const world = new LanderWorld((low, high) => stream.uniform(0, low, high))
    world.build()
    for (let i = 0; i < 400 && !world.crashed && !world.asleep; i++) {
      const state = new Float64Array(8)
      world.read(state)
      states.push(state)
      const action = landLander(state)
      world.step(action === 2 ? 1 : 0, action === 2 ? 0 : Math.sign(action) * (action - 2))
    }
  }
  return states
}

test("the leg joint computes the bits of planck's revolute joint", () => {
  const ours = landings()
  const own = LegJoint.prototype.solveVelocityConstraints
  LegJoint.prototype.solveVelocityConstraints = RevoluteJoint.prototype.solveVelocityConstraints
  try {
    assert.deepEqual(ours, landings())
  } finally {
    LegJoint.prototype.solveVelocityConstraints = own
  }
  assert.ok(ours.some((state) => state[6] === 1 && state[7] === 1))
})

/** Mean return of `policy` over seeds 0 to `episodes` - 1. */
function meanReturn(id: string, episodes: number, policy: (observation: Float32Array) => number | Float32Array): number {
  const env = makeEnv(id)
  let sum = 0
  for (let seed = 0; seed < episodes; seed++) {
    let { observation } = env.reset({ seed })
    for (;;) {
      const result = env.step(policy(observation))
      observation = result.observation
      sum += result.reward
      if (result.terminated || result.truncated) break
    }
  }
  return sum / episodes
}

test('the heuristic lands', () => {
  // Gymnasium: 233 +- 11 over 100 episodes, standard deviation 110; over 20 within four standard errors.
  assert.ok(Math.abs(meanReturn('LunarLander-v3', 20, landLander) - 233) < 4 * (110 / Math.sqrt(20)))
  assert.ok(meanReturn('LunarLanderContinuous-v3', 5, landLanderContinuously) > 200)
})

test('idling crashes', () => {
  const env = makeEnv('LunarLander-v3')
  env.reset({ seed: 3 })
  let last = env.step(0)
  while (!last.terminated) last = env.step(0)
  assert.equal(last.reward, -100)
})

test('rows that are ignored stand still, and the others are the same without them', () => {
  const all = makeVectorEnv('LunarLander-v3', 3, {})
  const some = makeVectorEnv('LunarLander-v3', 3, {})
  const [allOut, someOut] = [allocateBuffers(all), allocateBuffers(some)]
  all.reset(5, allOut.observations)
  some.reset(5, someOut.observations)
  const still = someOut.observations.slice(8, 16)
  some.ignore!(Uint8Array.of(0, 1, 0))
  for (let i = 0; i < 60; i++) {
    const actions = Int32Array.of(i % 4, 2, (i >> 1) % 4)
    all.step(actions, allOut)
    some.step(actions, someOut)
    for (const row of [0, 2]) {
      assert.deepEqual(someOut.observations.subarray(8 * row, 8 * row + 8), allOut.observations.subarray(8 * row, 8 * row + 8))
      assert.equal(someOut.rewards[row], allOut.rewards[row])
    }
    assert.deepEqual([someOut.rewards[1], someOut.terminated[1]], [0, 0])
  }
  assert.deepEqual(someOut.observations.subarray(8, 16), still)
  some.ignore!(null)
  some.step(Int32Array.of(0, 0, 0), someOut)
  assert.notDeepEqual(someOut.observations.subarray(8, 16), still)
})
