import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVectorEnv } from '../../src/envs/registry.ts'
import { boxSpace } from '../../src/envs/spaces.ts'
import type { VectorBuffers, VectorEnvironment } from '../../src/envs/types.ts'
import { RunningMoments } from '../../src/envs/wrappers/moments.ts'
import { wrapperIds, wrapVector } from '../../src/envs/wrappers/wrap.ts'

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

/** Two rows that show [row * 10 + steps since the episode began]; the action is the reward; row 0 terminates after 3 steps. */
function counter(): VectorEnvironment & { readonly seen: number[][] } {
  const steps = [0, 0]
  const seen: number[][] = []
  return {
    seen,
    count: 2,
    observationSpace: boxSpace([1], 0, 1000),
    actionSpace: boxSpace([1], -2, 6),
    reset(_seed, observations) {
      steps.fill(0)
      observations.set([0, 10])
    },
    step(actions, out) {
      seen.push([...actions])
      for (const row of [0, 1]) {
        steps[row]! += 1
        out.rewards[row] = actions[row]!
        out.terminated[row] = row === 0 && steps[row] === 3 ? 1 : 0
        out.truncated[row] = 0
        if (out.terminated[row] === 1) {
          out.finalObservations[row] = row * 10 + steps[row]!
          steps[row] = 0
        }
        out.observations[row] = row * 10 + steps[row]!
      }
    },
    restart(flags, observations) {
      for (const row of [0, 1]) {
        if (flags[row] !== 1) continue
        steps[row] = 0
        observations[row] = row * 10
      }
    },
    close() {},
  }
}

function close(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void {
  assert.equal(actual.length, expected.length)
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(actual[i]! - value) <= tolerance, `element ${i}: ${actual[i]}, not ${value}`)
}

test('moments of parts are moments of the whole', () => {
  const whole = new RunningMoments(2)
  const one = new RunningMoments(2)
  const two = new RunningMoments(2)
  const values = Float32Array.of(1, 10, 2, 20, 4, 0, 9, -6, 5, 5)
  whole.add(values, 5)
  one.add(values.subarray(0, 4), 2)
  two.add(values.subarray(4), 3)
  one.setOthers([two.own()])
  const read = (moments: RunningMoments): number[] => {
    const mean = new Float64Array(2)
    const variance = new Float64Array(2)
    moments.read(mean, variance)
    return [...mean, ...variance]
  }
  // Means 21/5 and 29/5; variances 127/5 - 4.2^2 and 561/5 - 5.8^2.
  close(read(whole), [4.2, 5.8, 7.76, 78.56], 1e-12)
  close(read(one), read(whole), 1e-12)
  // Others are replaced, not added again.
  one.setOthers([two.own()])
  close(read(one), read(whole), 1e-12)
  assert.equal(one.own().count, 2)
  assert.throws(() => one.setOthers([new RunningMoments(3).own()]), { code: 'moments' })
  assert.throws(() => one.setOthers([{ count: 1, mean: Float64Array.of(0, Number.NaN), m2: new Float64Array(2) }]), { code: 'moments' })
  whole.frozen = true
  whole.add(values, 5)
  assert.equal(whole.own().count, 5)
})

test('normaliseObservations', () => {
  const env = wrapVector(counter(), [{ id: 'normaliseObservations', options: { clip: 1.2 } }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  // 0 and 10: mean 5, deviation 5.
  close(out.observations, [-1, 1])
  const step = (): void => env.step(Float32Array.of(0, 0), out)
  step()
  // 0, 10, 1, 11: mean 5.5, variance 25.25.
  close(out.observations, [-4.5 / Math.sqrt(25.25), 5.5 / Math.sqrt(25.25)])
  step()
  step()
  // Counted are 0 10 1 11 2 12 0 13, without the final 3: mean 6.125, variance 29.859375.
  close(out.observations, [-6.125 / Math.sqrt(29.859375), 1.2])
  close(out.finalObservations.subarray(0, 1), [-3.125 / Math.sqrt(29.859375)])
  assert.equal(env.moments[0]!.own().count, 8)
  close(env.observationSpace.high, [1.2], 1e-6)
})

test('normaliseRewards', () => {
  const env = wrapVector(counter(), [{ id: 'normaliseRewards', options: { gamma: 0.5 } }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  env.step(Float32Array.of(1, 3), out)
  // Returns 1, 3: variance 1.
  close(out.rewards, [1, 3])
  env.step(Float32Array.of(2, 1), out)
  // Returns 2.5, 2.5 beside 1, 3: mean 2.25, variance 0.5625 = 0.75^2.
  close(out.rewards, [2 / 0.75, 1 / 0.75])
  close(env.rawRewards!, [2, 1])
})

test('timeLimit truncates and restarts single rows', () => {
  const env = wrapVector(counter(), [{ id: 'timeLimit', options: { steps: 2 } }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  const actions = new Float32Array(2)
  env.step(actions, out)
  assert.deepEqual([...out.truncated], [0, 0])
  env.step(actions, out)
  assert.deepEqual([...out.truncated], [1, 1])
  assert.deepEqual([...out.finalObservations], [2, 12])
  assert.deepEqual([...out.observations], [0, 10])
})

test('a time limit that meets the end of an episode sets both flags once', () => {
  const env = wrapVector(counter(), [{ id: 'timeLimit', options: { steps: 3 } }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  for (let i = 0; i < 3; i++) env.step(new Float32Array(2), out)
  assert.deepEqual([...out.terminated], [1, 0])
  assert.deepEqual([...out.truncated], [1, 1])
  assert.deepEqual([...out.finalObservations], [3, 13])
  env.step(new Float32Array(2), out)
  assert.deepEqual([...out.observations], [1, 11])
})

test('frameStack shows the oldest frame first and begins with the first repeated', () => {
  const env = wrapVector(counter(), [{ id: 'frameStack', options: { frames: 3 } }])
  assert.deepEqual(env.observationSpace.shape, [3])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  assert.deepEqual([...out.observations], [0, 0, 0, 10, 10, 10])
  const step = (): void => env.step(new Float32Array(2), out)
  step()
  step()
  assert.deepEqual([...out.observations], [0, 1, 2, 10, 11, 12])
  step()
  assert.deepEqual([...out.finalObservations.subarray(0, 3)], [1, 2, 3])
  assert.deepEqual([...out.observations], [0, 0, 0, 11, 12, 13])
})

test('frameStack stacks the channels of every cell', () => {
  const plain = makeVectorEnv('MinAtar/Breakout-v0', 1)
  const stacked = wrapVector(makeVectorEnv('MinAtar/Breakout-v0', 1), [{ id: 'frameStack', options: { frames: 2 } }])
  assert.deepEqual(stacked.observationSpace.shape, [10, 10, 8])
  const a = buffersOf(plain)
  const b = buffersOf(stacked)
  plain.reset(1, a.observations)
  stacked.reset(1, b.observations)
  const before = a.observations.slice()
  plain.step(Int32Array.of(1), a)
  stacked.step(Int32Array.of(1), b)
  for (let cell = 0; cell < 100; cell++) {
    assert.deepEqual(b.observations.subarray(cell * 8, cell * 8 + 4), before.subarray(cell * 4, cell * 4 + 4))
    assert.deepEqual(b.observations.subarray(cell * 8 + 4, cell * 8 + 8), a.observations.subarray(cell * 4, cell * 4 + 4))
  }
})

test('clipAction and rescaleAction', () => {
  const inner = counter()
  const env = wrapVector(inner, [{ id: 'clipAction', options: {} }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  env.step(Float32Array.of(-7, 5), out)
  assert.deepEqual(inner.seen.at(-1), [-2, 5])
  const scaled = wrapVector(inner, [{ id: 'rescaleAction', options: {} }])
  scaled.step(Float32Array.of(-1, 0.5), out)
  // From -2 to 6: -1 is -2, 0.5 is 4.
  assert.deepEqual(inner.seen.at(-1), [-2, 4])
  assert.throws(() => wrapVector(makeVectorEnv('CartPole-v1', 1), [{ id: 'clipAction', options: {} }]), {
    code: 'wrapper',
    message: "The wrapper clipAction is for continuous actions, and this environment's are discrete.",
  })
})

test('stickyActions repeats the executed action with its probability, never at the start of an episode', () => {
  const inner = counter()
  const env = wrapVector(inner, [{ id: 'stickyActions', options: { probability: 1 } }])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  for (let i = 1; i <= 5; i++) env.step(Float32Array.of(i, -i), out)
  // Row 0 ends after its third step.
  assert.deepEqual(
    inner.seen.map(([first]) => first),
    [1, 1, 1, 4, 4],
  )
  assert.deepEqual(
    inner.seen.map(([, second]) => second),
    [-1, -1, -1, -1, -1],
  )

  const fair = wrapVector(counter(), [{ id: 'stickyActions', options: { probability: 0.25 } }])
  fair.reset(3, out.observations)
  let repeated = 0
  for (let i = 0; i < 4000; i++) {
    fair.step(Float32Array.of(0, i % 2 === 0 ? 1 : 2), out)
    if (out.rewards[1] !== (i % 2 === 0 ? 1 : 2)) repeated += 1
  }
  // Wrong when a repeat began an odd number of steps ago: p / (1 + p) = 0.2; standard deviation below 0.01.
  assert.ok(Math.abs(repeated / 4000 - 0.2) < 0.04)
})

test('episodeStatistics', () => {
  const env = wrapVector(counter(), [
    { id: 'episodeStatistics', options: { window: 2 } },
    { id: 'normaliseRewards', options: {} },
  ])
  const out = buffersOf(env)
  env.reset(0, out.observations)
  for (let i = 1; i <= 9; i++) env.step(Float32Array.of(i / 4, 0), out)
  assert.equal(env.statistics!.episodes, 3)
  assert.deepEqual(env.statistics!.returns(), [15 / 4, 24 / 4])
  assert.deepEqual(env.statistics!.lengths(), [3, 3])
})

test('a restored state goes on as the saved one would have, through all wrappers', () => {
  const make = (): ReturnType<typeof wrapVector> =>
    wrapVector(makeVectorEnv('Pendulum-v1', 3), [
      { id: 'episodeStatistics', options: {} },
      { id: 'timeLimit', options: { steps: 7 } },
      { id: 'stickyActions', options: {} },
      { id: 'clipAction', options: {} },
      { id: 'normaliseRewards', options: {} },
      { id: 'normaliseObservations', options: {} },
      { id: 'frameStack', options: { frames: 2 } },
    ])
  const play = (env: VectorEnvironment, from: number, to: number): number[] => {
    const out = buffersOf(env)
    const seen: number[] = []
    for (let i = from; i < to; i++) {
      env.step(Float32Array.of(i % 3, -(i % 5), 0.1 * i), out)
      seen.push(...out.observations, ...out.rewards, ...out.truncated)
    }
    return seen
  }
  const one = make()
  one.reset(9, buffersOf(one).observations)
  play(one, 0, 10)
  const saved = one.saveState!()
  const two = make()
  two.reset(1, buffersOf(two).observations)
  two.restoreState!(saved)
  assert.deepEqual(play(two, 10, 40), play(one, 10, 40))
  assert.throws(() => two.restoreState!(saved.subarray(1)), { code: 'state' })
})

test('wrappers that an environment does not bear say why', () => {
  const { restart: _, ...fixed } = counter()
  assert.throws(() => wrapVector(fixed, [{ id: 'timeLimit', options: { steps: 5 } }]), {
    code: 'wrapper',
    message: 'The wrapper timeLimit needs an environment that can restart single rows, and this one cannot.',
  })
  const unbounded = { ...counter(), actionSpace: boxSpace([1], Number.NEGATIVE_INFINITY, 6) }
  assert.throws(() => wrapVector(unbounded, [{ id: 'rescaleAction', options: {} }]), {
    code: 'wrapper',
    message: 'The wrapper rescaleAction needs an environment whose actions have finite bounds.',
  })
})

test('unknown wrappers and options are named', () => {
  const env = makeVectorEnv('Pendulum-v1', 1)
  assert.throws(() => wrapVector(env, [{ id: 'frameStak', options: {} }]), {
    code: 'unknown_wrapper',
    message: 'Wrapper "frameStak" is not known here; did you mean frameStack?',
  })
  const cases: [string, Record<string, unknown>, string][] = [
    ['timeLimit', {}, 'Option "steps" of timeLimit must be an integer of at least 1, but it is 0.'],
    ['frameStack', { frames: 0 }, 'Option "frames" of frameStack must be an integer of at least 1, but it is 0.'],
    ['normaliseObservations', { clip: -1 }, 'Option "clip" of normaliseObservations must be above 0, but it is -1.'],
    ['normaliseRewards', { gamma: 2 }, 'Option "gamma" of normaliseRewards must lie in 0 to 1, but it is 2.'],
    ['stickyActions', { probability: -0.1 }, 'Option "probability" of stickyActions must lie in 0 to 1, but it is -0.1.'],
    ['rescaleAction', { low: 1 }, 'Option "low" of rescaleAction must be below its option "high".'],
    ['episodeStatistics', { window: 0.5 }, 'Option "window" of episodeStatistics must be an integer of at least 1, but it is 0.5.'],
    ['clipAction', { low: 3 }, 'clipAction has no option "low"; it has none.'],
  ]
  for (const [id, options, message] of cases) {
    assert.ok(wrapperIds().includes(id))
    assert.throws(() => wrapVector(env, [{ id, options }]), { code: 'option', message })
  }
})
