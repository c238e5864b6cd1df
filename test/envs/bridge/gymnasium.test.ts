/** The bridge over Gymnasium itself. Skipped, and said so, where python3 lacks it; never in CI. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { findEnvironment, makeEnv, makeVectorEnv } from '../../../src/envs/registry.ts'
import { seededRandom } from '../../../src/util/random.ts'
import { buffers, children, command, folder, imports, isAlive, withoutGymnasium } from './support.ts'

/** A python3 in which the environments of environments.py are registered. */
function ownEnvironments(context: TestContext): { python: string } {
  const path = folder(context)
  copyFileSync(join(import.meta.dirname, 'environments.py'), join(path, 'sitecustomize.py'))
  return { python: command(context, `PYTHONPATH="${path}" exec python3 "$@"`) }
}

function makeOwn(context: TestContext, name: string, rows = 2) {
  const env = makeVectorEnv(`gym:${name}-v0`, rows, ownEnvironments(context))
  context.after(() => env.close())
  const out = buffers(rows, env.observationSpace.low.length)
  env.reset(0, out.observations)
  return { env, out }
}

describe('Gymnasium', { skip: withoutGymnasium() }, () => {
  for (const [id, threshold, limit] of [
    ['CartPole-v1', 475, 500],
    ['Acrobot-v1', -100, 500],
    ['MountainCar-v0', -110, 200],
    ['MountainCarContinuous-v0', 90, 999],
    ['Pendulum-v1', null, 200],
  ] as const) {
    test(`${id} there and here: spaces, facts, seeded resets bit for bit, dynamics to 1e-6, ends and limits alike`, (context) => {
      const spec = findEnvironment(`gym:${id}`)
      assert.deepEqual([spec.threshold, spec.maxEpisodeSteps], [threshold, limit])
      // Two links are chaotic: after 300 steps, differences in the last bit of a double are seen.
      const options = id === 'Acrobot-v1' ? { maxEpisodeSteps: 200 } : {}
      const theirs = makeVectorEnv(`gym:${id}`, 4, options)
      context.after(() => theirs.close())
      const ours = makeVectorEnv(id, 4, options)
      assert.deepEqual(theirs.observationSpace, ours.observationSpace)
      assert.deepEqual(theirs.actionSpace, ours.actionSpace)
      const width = ours.observationSpace.low.length
      const [a, b] = [buffers(4, width), buffers(4, width)]
      theirs.reset(123, a.observations)
      ours.reset(123, b.observations)
      assert.deepEqual(a.observations, b.observations)
      const random = seededRandom(1, id)
      let ends = 0
      for (let t = 0; t < 1_100; t++) {
        const pick = () => random.uint32() / 2 ** 32
        const actions =
          ours.actionSpace.kind === 'discrete'
            ? Int32Array.from({ length: 4 }, () => Math.floor(pick() * (ours.actionSpace.kind === 'discrete' ? ours.actionSpace.n : 0)))
            : Float32Array.from({ length: 4 }, () => 4 * pick() - 2)
        theirs.step(actions, a)
        ours.step(actions, b)
        assert.deepEqual([a.terminated, a.truncated], [b.terminated, b.truncated], `step ${t}`)
        ends += [...a.terminated, ...a.truncated].reduce((sum, flag) => sum + flag, 0)
        for (let i = 0; i < a.observations.length; i++) near(a.observations[i]!, b.observations[i]!)
        for (let row = 0; row < 4; row++) near(a.rewards[row]!, b.rewards[row]!)
        for (let i = 0; i < a.finalObservations.length; i++) near(a.finalObservations[i]!, b.finalObservations[i]!)
      }
      assert.ok(ends >= 4, 'episodes ended')
    })
  }

  test('one Pendulum there and here, with its time limit', (context) => {
    const theirs = makeEnv('gym:Pendulum-v1')
    context.after(() => theirs.close())
    const ours = makeEnv('Pendulum-v1')
    assert.deepEqual(theirs.reset({ seed: 7 }).observation, ours.reset({ seed: 7 }).observation)
    for (let t = 1; t <= 200; t++) {
      const action = Float32Array.of((t % 9) / 2 - 2)
      const [a, b] = [theirs.step(action), ours.step(action)]
      for (let i = 0; i < 3; i++) near(a.observation[i]!, b.observation[i]!)
      near(a.reward, b.reward)
      assert.deepEqual([a.terminated, a.truncated], [false, t === 200])
    }
    assert.throws(() => theirs.step(Float32Array.of(0)), { code: 'episode_over' })
  })

  test('a time limit of one’s own, and arguments of the environment', (context) => {
    const env = makeVectorEnv('gym:CartPole-v1', 1, { maxEpisodeSteps: 3, sutton_barto_reward: true })
    context.after(() => env.close())
    const out = buffers(1, 4)
    env.reset(0, out.observations)
    for (const truncated of [0, 0, 1]) {
      env.step(Int32Array.of(0), out)
      assert.deepEqual([out.truncated[0], out.rewards[0]], [truncated, 0])
    }
    assert.throws(() => makeEnv('gym:CartPole-v1', { gravitas: 1 }), {
      code: 'environment_failed',
      message: /^gym:CartPole-v1 raised an error in make: TypeError: .*gravitas/,
    })
  })

  test('LunarLander', {
    skip: !imports('Box2D') && 'python3 cannot import Box2D; install it with: pip install "gymnasium[box2d]"',
  }, (context) => {
    const spec = findEnvironment('gym:LunarLander-v3')
    assert.deepEqual([spec.threshold, spec.maxEpisodeSteps], [200, 1000])
    const env = makeVectorEnv('gym:LunarLander-v3', 2)
    context.after(() => env.close())
    assert.deepEqual([env.observationSpace.shape, env.actionSpace], [[8], { kind: 'discrete', n: 4 }])
    const out = buffers(2, 8)
    env.reset(3, out.observations)
    let ends = 0
    for (let t = 0; t < 200; t++) {
      env.step(Int32Array.of(0, 2), out)
      ends += out.terminated[0]!
    }
    assert.ok(ends >= 1, 'free fall ends in a crash')
  })

  test('FrozenLake as one-hot and Pong as bytes', (context) => {
    for (const [id, shape, high, actions] of [
      ['gym:FrozenLake-v1', [16], 1, 4],
      ['gym:ALE/Pong-v5', [210, 160, 3], 255, 6],
    ] as const) {
      const env = makeVectorEnv(id, 2)
      context.after(() => env.close())
      assert.deepEqual([env.observationSpace.shape, env.actionSpace], [shape, { kind: 'discrete', n: actions }])
      assert.ok(env.observationSpace.high.every((bound) => bound === high))
      const width = env.observationSpace.low.length
      const out = buffers(2, width)
      env.reset(3, out.observations)
      const sums = [0, 1].map((row) => out.observations.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0))
      if (id === 'gym:FrozenLake-v1') assert.deepEqual(sums, [1, 1])
      if (id === 'gym:ALE/Pong-v5') assert.ok(sums.every((sum) => sum > 1e6))
      for (let t = 0; t < 20; t++) env.step(Int32Array.of(1, 2), out)
    }
  })

  test('an unknown id names the nearest, a missing dependency what to install', () => {
    assert.throws(() => makeEnv('gym:CartPol-v1'), {
      code: 'unknown_environment',
      message: /^Gymnasium in "python3" has no environment "CartPol-v1"; did you mean gym:CartPole-v1/,
    })
    assert.throws(() => makeEnv('gym:ALE/Ponk-v5'), { code: 'unknown_environment', message: /did you mean gym:ALE\/Pong-v5/ })
  })

  test('Gymnasium without the package of a namespace', (context) => {
    const path = folder(context)
    copyFileSync(join(import.meta.dirname, 'no-ale.py'), join(path, 'sitecustomize.py'))
    const python = command(context, `PYTHONPATH="${path}" exec python3 "$@"`)
    assert.throws(() => makeEnv('gym:ALE/Pong-v5', { python }), {
      code: 'python_package_missing',
      message: `gym:ALE/Pong-v5 needs the Python package ale-py, which "${python}" does not have; install it with: ${python} -m pip install ale-py`,
    })
  })

  test('actions that begin at five, float64 observations in two dimensions, same-step autoreset', (context) => {
    const { env, out } = makeOwn(context, 'Test')
    assert.deepEqual(env.observationSpace.shape, [2, 3])
    assert.deepEqual([...out.observations], new Array(12).fill(0))
    for (let t = 1; t <= 3; t++) env.step(Int32Array.of(0, 2), out)
    assert.deepEqual([...out.rewards], [5, 7])
    assert.deepEqual([...out.terminated], [1, 1])
    assert.deepEqual([...out.finalObservations], new Array(12).fill(3))
    assert.deepEqual([...out.observations], new Array(12).fill(0))
  })

  test('integers, unbounded float64 actions, and an observation without dimensions', (context) => {
    const integers = makeOwn(context, 'Integers')
    assert.equal(integers.env.actionSpace.kind, 'box')
    if (integers.env.actionSpace.kind === 'box') assert.deepEqual([...integers.env.actionSpace.low], [-1, Number.NEGATIVE_INFINITY])
    integers.env.step(Float32Array.of(1, 2, 3, 4), integers.out)
    assert.deepEqual([...integers.out.rewards], [21, 43])
    assert.deepEqual([...integers.out.observations], new Array(12).fill(-1))
    const scalar = makeOwn(context, 'Scalar')
    assert.deepEqual(scalar.env.observationSpace.shape, [1])
    scalar.env.step(Int32Array.of(0, 0), scalar.out)
    assert.deepEqual([...scalar.out.observations], [1, 1])
  })

  test('environments that print or read do not touch the frames', (context) => {
    for (const name of ['Loud', 'Greedy']) {
      const { env, out } = makeOwn(context, name)
      for (let t = 1; t <= 7; t++) env.step(Int32Array.of(0, 1), out)
      assert.deepEqual([out.observations[0], [...out.truncated]], [1, [0, 0]])
    }
  })

  test('what an environment does wrong is said in one sentence', (context) => {
    const step = (name: string) => () => {
      const { env, out } = makeOwn(context, name)
      env.step(Int32Array.of(0, 0), out)
    }
    assert.throws(step('Raises'), {
      code: 'environment_failed',
      message: 'gym:Raises-v0 raised an error in step: ValueError: the simulator is',
    })
    assert.throws(step('Broadcasts'), {
      code: 'observation',
      message: 'gym:Broadcasts-v0 returned an observation of shape [3] where its space says [2,3]; correct the environment.',
    })
    assert.throws(step('Nothing'), { code: 'observation', message: /^Element 0 of the observation of row 0 is NaN/ })
    assert.throws(step('Puzzling'), { code: 'unsupported_space', message: /observation space Dict\('ears': Discrete\(2\), 'eyes': Box/ })
    assert.throws(step('Jagged'), { code: 'unsupported_space' })
    assert.throws(step('Switches'), { code: 'unsupported_space', message: /the action space MultiBinary\(4\), which/ })
  })

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    test(`a child that gets ${signal} in the middle of a run is replaced, its rows truncated where they were last seen`, (context) => {
      const env = makeVectorEnv('gym:CartPole-v1', 4, { processes: 2, stepTimeoutMs: 2_000 })
      context.after(() => env.close())
      const out = buffers(4, 4)
      env.reset(0, out.observations)
      for (let t = 0; t < 5; t++) env.step(Int32Array.of(0, 1, 0, 1), out)
      const before = out.observations.slice()
      const [pid] = children()
      process.kill(pid!, signal)
      env.step(Int32Array.of(0, 1, 0, 1), out)
      assert.ok(['1,1,0,0', '0,0,1,1'].includes(out.truncated.join()))
      const lost = out.truncated[0] === 1 ? 0 : 8
      assert.deepEqual(out.finalObservations.slice(lost, lost + 8), before.slice(lost, lost + 8))
      assert.ok(out.observations.subarray(lost, lost + 8).every((value) => Math.abs(value) <= 0.05))
      for (let t = 0; t < 100; t++) env.step(Int32Array.of(0, 1, 0, 1), out)
      assert.equal(isAlive(pid!), false)
      assert.equal(children().length, 2)
    })
  }

  test('a stopped child does not outlive a killed process', {
    skip: process.platform !== 'linux' && 'only Linux ends a child with its parent',
  }, async () => {
    const program = `
      import { makeVectorEnv } from ${JSON.stringify(new URL('../../../src/envs/registry.ts', import.meta.url).href)}
      import { children } from ${JSON.stringify(new URL('./support.ts', import.meta.url).href)}
      makeVectorEnv('gym:CartPole-v1', 2).reset(0, new Float32Array(8))
      console.log(children()[0])
      setInterval(() => undefined, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    assert.ok(isAlive(pid))
    process.kill(pid, 'SIGSTOP')
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    const deadline = performance.now() + 10_000
    while (isAlive(pid) && performance.now() < deadline) await new Promise(setImmediate)
    assert.equal(isAlive(pid), false)
  })
})

function near(a: number, b: number): void {
  assert.ok(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b)), `${a} and ${b}`)
}
