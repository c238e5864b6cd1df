import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { lambdaReturns, type Trajectory } from '../../src/learn/returns.ts'
import { vtrace } from '../../src/learn/vtrace.ts'
import { assertClose, columns, flat, trajectoryOf } from './helpers.ts'

interface ScalableAgentVector {
  readonly log_rhos: number[][]
  readonly discounts: number[][]
  readonly rewards: number[][]
  readonly values: number[][]
  readonly bootstrap: number[]
  readonly clip_rho: number
  readonly clip_pg_rho: number
  readonly vs: number[][]
  readonly pg_advantages: number[][]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/vtrace.json', import.meta.url), 'utf8'))

for (const name of ['scalable_agent_B1', 'scalable_agent_B5']) {
  test(`V-trace of the reference implementation, ${name}`, () => {
    const vector = vectors[name] as ScalableAgentVector
    const environments = vector.bootstrap.length
    const steps = vector.rewards.length
    const trajectory: Trajectory = {
      steps,
      environments,
      rewards: flat(vector.rewards),
      discounts: flat(vector.discounts),
      truncated: new Uint8Array(steps * environments),
      values: flat(vector.values),
      nextValues: flat([...vector.values.slice(1), vector.bootstrap]),
    }
    const targets = new Float32Array(steps * environments)
    const advantages = new Float32Array(steps * environments)
    vtrace(trajectory, flat(vector.log_rhos), { rhoBar: vector.clip_rho, policyRhoBar: vector.clip_pg_rho, lambda: 1 }, targets, advantages)
    assertClose(targets, flat(vector.vs))
    assertClose(advantages, flat(vector.pg_advantages))
  })
}

/** rlax's vtrace_test.py: ratios on both sides of 1, a zero discount and a large ratio. */
const rlaxTrajectory = trajectoryOf({
  rewards: [
    [-1.3, -1.3, 2.3, 42],
    [1.3, 5.3, -3.3, -5],
  ],
  discounts: [
    [0, 0.89, 0.85, 0.99],
    [0.88, 1, 0.83, 0.95],
  ],
  values: [
    [2.1, 1.1, -3.1, 0],
    [3.1, 0.1, -1.1, 7.4],
  ],
  bootstrap: [8.4, -1.2],
})

test('V-trace of rlax', () => {
  const { rho, errors, pg_clip1 } = vectors.rlax as { rho: number[][]; errors: number[][]; pg_clip1: number[][] }
  const targets = new Float32Array(8)
  const advantages = new Float32Array(8)
  vtrace(rlaxTrajectory, columns(rho).map(Math.log), { rhoBar: 1, policyRhoBar: 1, lambda: 1 }, targets, advantages)
  assertClose(
    targets.map((target, i) => target - rlaxTrajectory.values[i]!),
    columns(errors),
    1e-3,
    1e-6,
  )
  assertClose(advantages, columns(pg_clip1), 1e-3, 1e-6)
})

test('on-policy, V-trace gives the n-step return, truncation included', () => {
  const trajectory: Trajectory = {
    ...rlaxTrajectory,
    truncated: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0),
    nextValues: rlaxTrajectory.nextValues.slice(),
  }
  trajectory.nextValues[3] = 50
  const targets = new Float32Array(8)
  const advantages = new Float32Array(8)
  const returns = new Float32Array(8)
  vtrace(trajectory, new Float32Array(8), { rhoBar: 1, policyRhoBar: 1, lambda: 1 }, targets, advantages)
  lambdaReturns(trajectory, 1, returns)
  assertClose(targets, returns)
  assertClose(
    advantages,
    returns.map((value, i) => value - trajectory.values[i]!),
  )
})

test('a truncated step cuts the trace and the policy gradient uses the final value', () => {
  // Two steps of one environment, the first truncated with a final value of 10; the second must not matter to it. rho = 2 clipped to 1 and 1.5.
  const trajectory: Trajectory = {
    steps: 2,
    environments: 1,
    rewards: Float32Array.of(1, 1000),
    discounts: Float32Array.of(0.5, 0.5),
    truncated: Uint8Array.of(1, 0),
    values: Float32Array.of(2, 0),
    nextValues: Float32Array.of(10, 0),
  }
  const targets = new Float32Array(2)
  const advantages = new Float32Array(2)
  vtrace(trajectory, Float32Array.of(Math.log(2), 0), { rhoBar: 1, policyRhoBar: 1.5, lambda: 1 }, targets, advantages)
  assertClose(targets, [6, 1000])
  assertClose(advantages, [1.5 * 4, 1000])
})
