import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVectorEnv, registerEnv } from '../../src/envs/registry.ts'
import type { BoxSpace, Environment, Space, VectorEnvironment } from '../../src/envs/types.ts'
import { type WrapperUse, wrapVector } from '../../src/envs/wrappers/wrap.ts'
import type { Engine } from '../../src/learn/engine.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { Evaluator } from '../../src/learn/evaluate.ts'
import { EVALUATION_EPISODE_STEPS } from '../../src/learn/limits.ts'
import { actorCriticNetwork, duelingNetwork } from '../../src/learn/networks.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import './toy.ts'
import { assertClose } from './helpers.ts'

const LINEAR = { torso: [], head: [] }
const TWO: Space = { kind: 'discrete', n: 2 }
const LINE: BoxSpace = { kind: 'box', shape: [1], low: Float32Array.of(-1), high: Float32Array.of(1) }
const PLANE: BoxSpace = { kind: 'box', shape: [2], low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) }

/** Sees 3; action 1 pays 2. Episodes of one and of nine steps in turn; `endless`: none ends. */
registerEnv('Toy/Turns', ({ endless }): Environment => {
  let episode = 0
  let step = 0
  const observation = Float32Array.of(3)
  return {
    observationSpace: LINE,
    actionSpace: TWO,
    reset() {
      episode++
      step = 0
      return { observation, info: {} }
    },
    step(action) {
      step++
      const terminated = endless !== true && step >= (episode % 2 === 1 ? 1 : 9)
      return { observation, reward: action === 1 ? 2 : 0, terminated, truncated: false, info: {} }
    },
    close() {},
  }
})

const engine: Engine = await createEngine('wasm', { deterministic: true })

function evaluatorOf(
  id: string,
  rows: number,
  network: NetworkSpec,
  wrappers: readonly WrapperUse[] = [],
  options: Readonly<Record<string, unknown>> = {},
): Evaluator {
  return new Evaluator(wrapVector(makeVectorEnv(id, rows, options), wrappers), network, engine)
}

/** Canonical parameters with every slice zero but those named. */
function parameters(network: NetworkSpec, slices: Readonly<Record<string, readonly number[]>>): Float32Array {
  const built = engine.build(network, 1)
  const values = new Float32Array(built.parameterCount)
  for (const [name, given] of Object.entries(slices)) {
    const slice = built.slices.find((candidate) => candidate.name === name)
    assert.ok(slice !== undefined, `${name} is none of ${built.slices.map((candidate) => candidate.name).join(', ')}`)
    assert.equal(slice.length, given.length)
    values.set(given, slice.offset)
  }
  built.dispose()
  return values
}

const TURNS = actorCriticNetwork(LINEAR, LINE, TWO)
/** Chooses action 1 where the observation is positive. */
const POSITIVE = parameters(TURNS, { 'logits/kernel': [-1, 1] })

test('each row plays its share of the episodes, however long they are', () => {
  const evaluator = evaluatorOf('Toy/Turns', 3, TURNS)
  const { returns, lengths, mean, deviation } = evaluator.evaluate(
    { parameters: POSITIVE, normalisers: [] },
    { episodes: 7, deterministic: true, seed: 1 },
  )
  assert.deepEqual([...lengths], [1, 9, 1, 1, 9, 1, 9])
  assert.deepEqual([...returns], [2, 18, 2, 2, 18, 2, 18])
  assertClose([mean, deviation], [62 / 7, Math.sqrt((4 * (2 - 62 / 7) ** 2 + 3 * (18 - 62 / 7) ** 2) / 6)])
  evaluator.dispose()
})

test('rows without an episode do not count', () => {
  const evaluator = evaluatorOf('Toy/Turns', 5, TURNS)
  const { lengths } = evaluator.evaluate({ parameters: POSITIVE, normalisers: [] }, { episodes: 2, deterministic: true, seed: 1 })
  assert.deepEqual([...lengths], [1, 1])
})

test('rows whose episodes are played are not stepped where that is dear, and returns are the same', () => {
  const lander = makeVectorEnv('LunarLander-v3', 4, {})
  const network = actorCriticNetwork(LINEAR, lander.observationSpace, lander.actionSpace)
  const replica = { parameters: parameters(network, { 'logits/bias': [1, 0, 1, 0] }), normalisers: [] }
  const stepped: number[] = []
  const { ignore, ...plain } = wrapVector(makeVectorEnv('LunarLander-v3', 4, {}), [])
  let ignored = new Uint8Array()
  const sparing: VectorEnvironment = {
    ...plain,
    ignore(flags) {
      ignored = flags as typeof ignored
      ignore!(flags)
    },
    step(actions, out) {
      stepped.push(ignored.filter((flag) => flag === 0).length)
      plain.step(actions, out)
    },
  }
  const options = { episodes: 6, deterministic: false, seed: 7 }
  const wrappers = [{ id: 'normaliseRewards', options: {} }]
  const { ignore: _, ...stepsAll } = wrapVector(lander, wrappers)
  const whole = new Evaluator(stepsAll, network, engine)
  const spared = new Evaluator(wrapVector(sparing, wrappers), network, engine)
  const expected = whole.evaluate(replica, options)
  for (const _again of [1, 2]) {
    stepped.length = 0
    assert.deepEqual(spared.evaluate(replica, options), expected)
    const sum = expected.lengths.reduce((total, length) => total + length, 0)
    assert.equal(
      stepped.reduce((total, rows) => total + rows, 0),
      sum,
    )
  }
})

test('samples follow the policy and its seed, the best action neither', () => {
  const network = actorCriticNetwork(LINEAR, PLANE, { kind: 'discrete', n: 3 })
  // Logits log 2, log 1, log 1: action 2 pays in a quarter of the 4 steps of an episode.
  const replica = { parameters: parameters(network, { 'logits/bias': [Math.log(2), 0, 0] }), normalisers: [] }
  const evaluator = evaluatorOf('Toy/Choice', 10, network)
  const stochastic = (seed: number) => evaluator.evaluate(replica, { episodes: 2_000, deterministic: false, seed })
  assertClose([stochastic(1).mean], [1], 0, 5 * Math.sqrt((4 * 0.25 * 0.75) / 2_000))
  assert.deepEqual(stochastic(1), stochastic(1))
  assert.notDeepEqual(stochastic(1), stochastic(2))
  assert.equal(evaluator.evaluate(replica, { episodes: 10, deterministic: true, seed: 1 }).mean, 0)
})

test('a continuous policy acts by its mean, within the bounds, and returns are raw', () => {
  const network = actorCriticNetwork(LINEAR, PLANE, LINE)
  const evaluator = evaluatorOf('Toy/Target', 2, network, [{ id: 'normaliseRewards', options: {} }])
  const returnOf = (mean: number) => {
    const replica = { parameters: parameters(network, { 'mean/bias': [mean], logStd: [-20] }), normalisers: [] }
    const both = [true, false].map((deterministic) => evaluator.evaluate(replica, { episodes: 2, deterministic, seed: 3 }).mean)
    assertClose([both[0]!], [both[1]!])
    return both[0]!
  }
  assertClose([returnOf(0)], [-4 * 0.25])
  assertClose([returnOf(7)], [-4 * 0.25])
})

test('normalisers are those of the replica and learn nothing', () => {
  const evaluator = evaluatorOf('Toy/Turns', 2, TURNS, [{ id: 'normaliseObservations', options: {} }])
  const meanWith = (...normalisers: readonly { readonly count: number; readonly mean: number; readonly m2: number }[]) => {
    const moments = normalisers.map(({ count, mean, m2 }) => ({ count, mean: Float64Array.of(mean), m2: Float64Array.of(m2) }))
    return evaluator.evaluate({ parameters: POSITIVE, normalisers: moments }, { episodes: 2, deterministic: true, seed: 1 }).mean
  }
  assert.equal(meanWith({ count: 10, mean: 2, m2: 10 }), 2, '3 is above a mean of 2')
  assert.equal(meanWith({ count: 10, mean: 4, m2: 10 }), 0, '3 is below a mean of 4')
  assert.equal(meanWith({ count: 10, mean: 2.9, m2: 10 }), 2)
  assert.equal(meanWith(), 2, 'without moments 3 stays 3')
})

test('a value-based replica takes its best action either way', () => {
  const network = duelingNetwork(LINEAR, LINE, TWO)
  const replica = { parameters: parameters(network, { 'advantage/bias': [0, 0.001] }), normalisers: [] }
  const evaluator = evaluatorOf('Toy/Turns', 4, network)
  for (const deterministic of [true, false]) {
    assert.deepEqual([...evaluator.evaluate(replica, { episodes: 4, deterministic, seed: 5 }).returns], [2, 2, 2, 2])
  }
})

test('an episode that never ends is left in the end', () => {
  const evaluator = evaluatorOf('Toy/Turns', 1, TURNS, [], { endless: true })
  const { lengths } = evaluator.evaluate({ parameters: POSITIVE, normalisers: [] }, { episodes: 1, deterministic: true, seed: 1 })
  assert.deepEqual([...lengths], [EVALUATION_EPISODE_STEPS])
})

test('a network that does not fit the actions is refused', () => {
  assert.throws(() => evaluatorOf('Toy/Choice', 1, actorCriticNetwork(LINEAR, PLANE, TWO)), { code: 'network_mismatch' })
})
