import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AcrobotRows } from '../../src/envs/classic/acrobot.ts'
import { CartPoleRows } from '../../src/envs/classic/cartpole.ts'
import type { ClassicRows } from '../../src/envs/classic/classic-rows.ts'
import { MountainCarContinuousRows, MountainCarRows } from '../../src/envs/classic/mountain-car.ts'
import { PendulumRows } from '../../src/envs/classic/pendulum.ts'
import { makeEnv, makeVectorEnv } from '../../src/envs/registry.ts'

interface Trajectory {
  readonly initial_state: readonly number[]
  readonly steps: readonly { action: number; obs: number[]; state: number[]; reward: number; terminated: boolean }[]
}

const trajectories = JSON.parse(readFileSync(new URL('../vectors/gymnasium_classic.json', import.meta.url), 'utf8')) as Record<
  string,
  Trajectory
>

/** Largest of the element-wise differences. */
function apart(actual: ArrayLike<number>, expected: readonly number[]): number {
  return Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value)))
}

const classics: Record<string, new (count: number) => ClassicRows> = {
  'CartPole-v1': CartPoleRows,
  'Acrobot-v1': AcrobotRows,
  'MountainCar-v0': MountainCarRows,
  'MountainCarContinuous-v0': MountainCarContinuousRows,
  'Pendulum-v1': PendulumRows,
}

for (const [id, Form] of Object.entries(classics)) {
  test(`${id} follows Gymnasium step by step`, () => {
    const { initial_state, steps } = trajectories[id]!
    const rows: ClassicRows & { reward?(row: number): number } = new Form(1)
    rows.begin(0)
    rows.state.set(initial_state)
    const observation = new Float32Array(rows.observationSpace.low.length)
    const reward = new Float32Array(1)
    const terminated = new Uint8Array(1)
    for (const [i, step] of steps.entries()) {
      const actions = rows.actionSpace.kind === 'discrete' ? Int32Array.of(step.action) : Float32Array.of(step.action)
      rows.step(actions, observation, reward, terminated)
      assert.ok(apart(rows.state, step.state) < 1e-6, `state after step ${i}`)
      assert.ok(apart(observation, step.obs) < 1e-6, `observation after step ${i}`)
      assert.ok(Math.abs((rows.reward?.(0) ?? reward[0]!) - step.reward) < 1e-6, `reward of step ${i}`)
      assert.equal(terminated[0] === 1, step.terminated)
    }
  })
}

test("seeded resets are Gymnasium's bit for bit", () => {
  const cartPole = new CartPoleRows(1)
  cartPole.seed(0, 42)
  cartPole.begin(0)
  assert.deepEqual([...cartPole.state], [0.027395604855596334, -0.006112156024794771, 0.03585979199113824, 0.019736802905936393])
  const pendulum = new PendulumRows(1)
  pendulum.begin(0)
  assert.deepEqual([...pendulum.state], [0.8605556614246863, -0.4604265724722594])
  const car = new MountainCarRows(43)
  car.begin(42)
  assert.equal(car.state[84], -0.44520879028880733)
})

test('CartPole is cut at 500 steps', () => {
  const env = makeVectorEnv('CartPole-v1', 1)
  const out = {
    observations: new Float32Array(4),
    rewards: new Float32Array(1),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
    finalObservations: new Float32Array(4),
  }
  env.reset(0, out.observations)
  // Leaning feedback keeps the pole up.
  for (let i = 1; i <= 500; i++) {
    const [, , angle, spin] = out.observations
    env.step(Int32Array.of(angle! + 0.3 * spin! > 0 ? 1 : 0), out)
    assert.equal(out.terminated[0], 0)
    assert.equal(out.truncated[0], i === 500 ? 1 : 0)
  }
})

test('a reset without seed goes on with the stream', () => {
  const twice = makeEnv('CartPole-v1')
  const first = twice.reset({ seed: 7 }).observation
  const second = twice.reset().observation
  assert.notDeepEqual(first, second)
  assert.deepEqual(twice.reset({ seed: 7 }).observation, first)
  assert.deepEqual(twice.reset().observation, second)
})

test('CartPole with other physics follows Gymnasium with the same', () => {
  // Gymnasium 1.4.0 with gravity, masscart, masspole, length, force_mag and tau set, and total_mass and polemass_length with them.
  const rows = new CartPoleRows(1, { gravity: 5, cartMass: 2, poleMass: 0.5, length: 1.5, force: 7, tau: 0.01 })
  rows.begin(0)
  rows.state.set([0.1, 0.2, 0.05, -0.3])
  for (const [action, state] of [
    [1, [0.10200000000000001, 0.23250228336540466, 0.047, -0.31498135275554745]],
    [0, [0.10432502283365405, 0.19917644476848476, 0.04385018647244453, -0.2971622668118523]],
    [1, [0.10631678728133889, 0.2317338254217614, 0.040878563804326, -0.31232940562160283]],
  ] as const) {
    rows.step(Int32Array.of(action), new Float32Array(4), new Float32Array(1), new Uint8Array(1))
    assert.ok(apart(rows.state, state) < 1e-12, `${rows.state}`)
  }
})
