/**
 * An actor's environments in two halves: while one steps, the policy acts in the other. Time is virtual: what a step takes passes beside the caller
 * between `begin` and `step`, what acting takes passes for both.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerEnv } from '../../src/envs/registry.ts'
import type { VectorEnvironment } from '../../src/envs/types.ts'
import { type WrapperUse, wrapVector } from '../../src/envs/wrappers/wrap.ts'
import { Collector, experienceShape } from '../../src/learn/collector.ts'
import { createWasmEngine } from '../../src/learn/engines/wasm.ts'
import { overlappingEnvironments } from '../../src/learn/environments.ts'
import { Experience } from '../../src/learn/experience.ts'
import { type Acting, Parts } from '../../src/learn/parts.ts'
import { QCollector } from '../../src/learn/q-collector.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import { seededRandom } from '../../src/util/random.ts'
import { someParameters } from '../support/networks.ts'
import { toySettings } from './toy.ts'

const STEPS = 12
const OBSERVED = { kind: 'box', shape: [2], low: Float32Array.of(-9, -9), high: Float32Array.of(9, 9) } as const
const LIVE = { index: 0, restarts: 0, stopped: false, beat() {}, rest() {} }

/** What happens, in order, and when: a clock that steps and acting move. */
class World {
  nowMs = 0
  readonly events: string[] = []
  /** How long the step takes that begins now. */
  stepMs: () => number

  constructor(stepMs: () => number) {
    this.stepMs = stepMs
  }

  /**
   * Rows of episodes of 3 and 4 steps, in turn, that show their seed and how often they acted with 1; longer ones are truncated. `overlapping` ones begin
   * early; all take `stepMs` a step.
   */
  vector(name: string, count: number, overlapping: boolean): VectorEnvironment {
    const [seeds, ages, sums] = [new Float32Array(count), new Int32Array(count), new Float32Array(count)]
    let readyMs: number | null = null
    const show = (row: number, to: Float32Array) => to.set([seeds[row]! / 1_000_000, sums[row]! / 4], 2 * row)
    const begin = () => {
      this.events.push(`begin ${name}`)
      readyMs = this.nowMs + this.stepMs()
    }
    return {
      ...{ count, observationSpace: OBSERVED, actionSpace: { kind: 'discrete', n: 2 } },
      reset(seed, observations) {
        for (let row = 0; row < count; row++) {
          seeds[row] = (seed ?? 0) + row
          show(row, observations)
        }
      },
      ...(overlapping ? { begin } : {}),
      step: (actions, out) => {
        if (readyMs === null) begin()
        this.nowMs = Math.max(this.nowMs, readyMs!)
        readyMs = null
        this.events.push(`step ${name}`)
        for (let row = 0; row < count; row++) {
          sums[row]! += actions[row]!
          const length = seeds[row]! % 2 === 0 ? 3 : 4
          const over = ++ages[row]! === length
          out.rewards[row] = sums[row]!
          out.terminated[row] = over && length === 3 ? 1 : 0
          out.truncated[row] = over && length === 4 ? 1 : 0
          if (over) {
            show(row, out.finalObservations)
            ages[row] = sums[row] = 0
          }
          show(row, out.observations)
        }
      },
      close() {},
    }
  }
}

/** Acts at random; takes 10 ms for each row. */
function actor(world: World): Acting {
  const random = seededRandom(1)
  return {
    act({ actions }, first) {
      world.events.push(`act ${first}`)
      world.nowMs += 10 * actions.length
      for (let row = 0; row < actions.length; row++) actions[row] = random.below(2)
    },
    executable: (actions) => actions,
  }
}

function collected(world: World, sizes: readonly number[], overlapping: boolean, uses: readonly WrapperUse[] = []) {
  const environments = sizes.map((count, i) => wrapVector(world.vector('ab'[i]!, count, overlapping), uses))
  const parts = new Parts(environments, 1000)
  const into = new Experience({ ...experienceShape(environments[0]!, STEPS), environments: parts.count })
  parts.collect(into, 1, actor(world))
  return into
}

test('one half steps while the policy acts in the other, in the same order whatever takes longer', () => {
  const order = ['act 0', 'begin a', 'act 2', 'begin b']
  for (let t = 1; t < STEPS; t++) order.push('step a', 'act 0', 'begin a', 'step b', 'act 2', 'begin b')
  order.push('step a', 'step b')
  for (const stepMs of [0, 5, 20, 500]) {
    const world = new World(() => stepMs)
    collected(world, [2, 2], true)
    assert.deepEqual(world.events, order)
  }
})

test('in half the time, where stepping and acting each take 10 ms for a row', () => {
  const [whole, halves] = [new World(() => 40), new World(() => 20)]
  collected(whole, [4], false)
  collected(halves, [2, 2], true)
  assert.equal(whole.nowMs, STEPS * (40 + 40))
  // One acts first and the other steps last, with nothing beside.
  assert.equal(halves.nowMs, STEPS * 40 + 20)
})

test('what is collected does not depend on how long steps take, and is what one vector gives', () => {
  const expected = collected(new World(() => 40), [4], false)
  assert.ok(expected.truncated.includes(1) && expected.terminated.includes(1))
  const random = seededRandom(5)
  for (const stepMs of [() => 0, () => 500, () => random.below(100)]) {
    same(collected(new World(stepMs), [2, 2], true), expected)
    same(collected(new World(stepMs), [3, 1], true), expected)
  }
})

for (const id of ['episodeStatistics', 'frameStack']) {
  test(`steps begin early through ${id}`, () => {
    const world = new World(() => 40)
    collected(world, [2, 2], true, [{ id, options: {} }])
    assert.ok(world.events.indexOf('begin b') < world.events.indexOf('step a'))
  })
}

test('a wrapper that draws its changes of actions steps as ever', () => {
  const environment = wrapVector(new World(() => 40).vector('a', 2, true), [{ id: 'stickyActions', options: {} }])
  assert.equal(environment.begin, undefined)
})

const hidden = { kind: 'dense', units: 8, activation: 'tanh' } as const
const head = (name: string, size: number) => ({ name, layers: [], size, gain: 1 })
const policySpec: NetworkSpec = { input: [2], torso: [hidden], heads: [head('logits', 2), head('value', 1)], vectors: [] }
const qSpec: NetworkSpec = { input: [2], torso: [hidden], heads: [head('value', 1), head('advantage', 2)], vectors: [] }

for (const [kind, spec] of [
  ['policy', policySpec],
  ['Q values', qSpec],
] as const) {
  test(`actors by ${kind}: two halves collect what one vector does`, () => {
    const collect = (sizes: readonly number[], overlapping: boolean) => {
      const world = new World(() => 40)
      const environments = sizes.map((count, i) => wrapVector(world.vector('ab'[i]!, count, overlapping), []))
      const network = createWasmEngine({ deterministic: true }).build(spec, 8)
      const parameters = network.allocate()
      network.write(parameters, someParameters(spec, 2))
      const random = seededRandom(3)
      const epsilons = Float64Array.from({ length: 8 }, (_, row) => row / 10)
      const options = { environments, network, random, seed: 1000 }
      const collector = spec === qSpec ? new QCollector({ ...options, epsilons }) : new Collector(options)
      const into = new Experience({ ...experienceShape(environments[0]!, STEPS), environments: 8, qValues: spec === qSpec })
      collector.collect(parameters, 1, into)
      assert.equal(into.fresh, true)
      collector.collect(parameters, 2, into)
      assert.equal(into.fresh, false)
      return into
    }
    same(collect([4, 4], true), collect([8], false))
  })
}

test('an actor halves environments that can begin early, and their processes, and no others', () => {
  const made: [number, unknown][] = []
  for (const overlapping of [true, false]) {
    registerEnv(`Parts/${overlapping}`, {
      make: () => assert.fail('only vectors are made here'),
      makeVector(count, options) {
        made.push([count, options.processes])
        return new World(() => 0).vector('a', count, overlapping)
      },
    })
  }
  const parts = (id: string, count: number, options = {}) =>
    overlappingEnvironments({ ...toySettings(id), environment: { id, options } }, count, LIVE).map((part) => part.count)
  assert.deepEqual(parts('Parts/true', 5, { processes: 3 }), [3, 2])
  assert.deepEqual(made, [
    [5, 3],
    [3, 2],
    [2, 2],
  ])
  assert.deepEqual(parts('Parts/true', 1), [1])
  assert.deepEqual(parts('Parts/false', 5), [5])
})

function same(found: Experience, expected: Experience): void {
  for (const name of [
    'observations',
    'lastObservations',
    'actions',
    'logProbs',
    'rewards',
    'rawRewards',
    'terminated',
    'truncated',
  ] as const)
    assert.deepEqual(found[name], expected[name], name)
  assert.deepEqual(found.finalObservations, expected.finalObservations)
  assert.deepEqual(found.finalQ, expected.finalQ)
  assert.deepEqual(
    found.steps.map(({ bestQ, actionQ }) => [bestQ, actionQ]),
    expected.steps.map(({ bestQ, actionQ }) => [bestQ, actionQ]),
  )
}
