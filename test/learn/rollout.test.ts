import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VectorBuffers, VectorEnvironment } from '../../src/envs/types.ts'
import { wrapVector } from '../../src/envs/wrappers/wrap.ts'
import type { EngineNetwork } from '../../src/learn/engine.ts'
import { Episodes } from '../../src/learn/episodes.ts'
import type { PolicyHead } from '../../src/learn/policy-head.ts'
import { generalisedAdvantages } from '../../src/learn/returns.ts'
import { Rollout } from '../../src/learn/rollout.ts'
import { seededRandom } from '../../src/util/random.ts'

/** A network whose value is ten times the observation, and which remembers what it was asked. */
function stubNetwork() {
  let values = new Float32Array(0)
  const network = {
    forward: (_: unknown, observations: Float32Array, batch: number) => {
      assert.equal(observations.length, batch)
      values = observations.map((observation) => 10 * observation)
    },
    output: () => values,
  }
  return network as unknown as EngineNetwork
}

/** Acts with the environment's row number. */
const policy = {
  width: 1,
  allocate: (rows: number) => new Int32Array(rows),
  sample: (_: unknown, actions: Int32Array) => {
    for (let i = 0; i < actions.length; i++) actions[i] = i
  },
  executable: (actions: Int32Array) => actions,
} as unknown as PolicyHead

/**
 * Three environments whose observation counts the steps of the episode and whose reward is the observation acted in: row 0 terminates after
 * two steps, row 1 is truncated after two, row 2 after three; 7 is the first observation, final ones are 100 and the row's number.
 */
function counters(): VectorEnvironment {
  const steps = [0, 0, 0]
  const lengths = [2, 2, 3]
  return {
    count: 3,
    observationSpace: { kind: 'box', shape: [1], low: Float32Array.of(0), high: Float32Array.of(1) },
    actionSpace: { kind: 'discrete', n: 3 },
    reset: (_, observations) => observations.fill(7),
    step(_, out: VectorBuffers) {
      for (let row = 0; row < 3; row++) {
        out.rewards[row] = 7 + steps[row]!
        steps[row]! += 1
        const over = steps[row] === lengths[row]
        out.terminated[row] = over && row === 0 ? 1 : 0
        out.truncated[row] = over && row !== 0 ? 1 : 0
        if (over) {
          out.finalObservations[row] = 100 + row
          steps[row] = 0
        }
        out.observations[row] = 7 + steps[row]!
      }
    },
    close() {},
  }
}

function rolloutOf(length: number): Rollout {
  return new Rollout({
    environment: wrapVector(counters(), []),
    network: stubNetwork(),
    policy,
    episodes: new Episodes(3, null),
    random: seededRandom(0),
    length,
    gamma: 0.5,
    seed: 0,
  })
}

const parameters = { data: new Float32Array(0) }

test('values follow the episode: the next observation, or the final one where it was truncated', () => {
  const rollout = rolloutOf(3)
  rollout.collect(parameters)
  const { values, nextValues, rewards, discounts, truncated } = rollout.trajectory
  assert.deepEqual([...rollout.observations], [7, 7, 7, 8, 8, 8, 7, 7, 9])
  assert.deepEqual([...rollout.actions], [0, 1, 2, 0, 1, 2, 0, 1, 2])
  assert.deepEqual([...rewards], [7, 7, 7, 8, 8, 8, 7, 7, 9])
  assert.deepEqual([...values], [70, 70, 70, 80, 80, 80, 70, 70, 90])
  assert.deepEqual([...truncated], [0, 0, 0, 0, 1, 0, 0, 0, 1])
  assert.deepEqual([...discounts], [0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5])
  assert.deepEqual([...nextValues], [80, 80, 80, 70, 1010, 90, 80, 80, 1020])
  const returns = new Float32Array(9)
  generalisedAdvantages(rollout.trajectory, 1, new Float32Array(9), returns)
  // Row 0 terminates in step 1; row 1 is truncated there and bootstraps from 1010; row 2 in step 2 from 1020.
  const row2 = 9 + 0.5 * 1020
  assert.deepEqual([...returns], [7 + 0.5 * 8, 7 + 0.5 * 513, 7 + 0.5 * (8 + 0.5 * row2), 8, 8 + 505, 8 + 0.5 * row2, 7 + 40, 7 + 40, row2])
})

test('episodes run on across rollouts', () => {
  const short = rolloutOf(1)
  const long = rolloutOf(6)
  long.collect(parameters)
  for (let t = 0; t < 6; t++) {
    short.collect(parameters)
    assert.deepEqual(short.trajectory.rewards, long.trajectory.rewards.slice(3 * t, 3 * t + 3))
    assert.deepEqual(short.trajectory.nextValues, long.trajectory.nextValues.slice(3 * t, 3 * t + 3))
    assert.deepEqual(short.observations, long.observations.slice(3 * t, 3 * t + 3))
  }
})
