/** Every algorithm trains a model of one's own, and step by step as it trains our own network of the same architecture. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { createLearner, type LearnerCore } from '../../src/learn/learner.ts'
import { preset, presetNetwork } from '../../src/learn/presets.ts'
import type { HyperValue, LearnerSettings, NetworkSpec } from '../../src/ports/learner.ts'
import { modelLike, ownModel, reordered } from '../support/own-model.ts'
import { presetSettings } from '../support/preset-settings.ts'
import { parametersOf } from './toy.ts'

/** Enough of each algorithm for updates within seconds. */
const CASES: readonly (readonly [string, string, Readonly<Record<string, HyperValue>>])[] = [
  ['a2c', 'CartPole-v1', {}],
  ['a3c', 'CartPole-v1', {}],
  ['impala', 'CartPole-v1', {}],
  ['ppo', 'CartPole-v1', { environments: 4, rolloutLength: 16, batchSize: 32, epochs: 2 }],
  ['ppo', 'Pendulum-v1', { environments: 4, rolloutLength: 16, batchSize: 32, epochs: 2 }],
  ['apex', 'CartPole-v1', { learningStarts: 64 }],
]
const UPDATES = 6

for (const [algorithm, environment, overrides] of CASES) {
  test(`${algorithm} on ${environment}: the updates of the wasm engine, without a tensor left behind`, async () => {
    const { hyperparameters, network: plan, wrappers = [] } = preset(algorithm, environment)
    const spec = presetNetwork(algorithm, plan, environment, {}, wrappers)
    const own = await ownModel(spec, (tf) => modelLike(tf, spec))
    const settings = (network: NetworkSpec, engine: LearnerSettings['engine']) =>
      presetSettings(algorithm, environment, {
        algorithm: { id: algorithm, hyperparameters: { ...hyperparameters, ...overrides }, horizonSteps: 100_000 },
        network,
        engine,
      })
    const reference = await createLearner(settings(spec, 'wasm'))
    const learner = await createLearner(settings(own.spec, 'tfjs'))
    const initial = parametersOf(reference)
    learner.adopt({ parameters: reordered(initial, spec, own.spec), target: null, version: 0, steps: 0, normalisers: [] })
    upTo(reference, UPDATES)
    learner.update()
    const tensors = tf.memory().numTensors
    upTo(learner, UPDATES)
    assert.equal(tf.memory().numTensors, tensors)
    assert.equal(learner.updates, reference.updates)
    assert.equal(learner.steps, reference.steps)
    const [expected, actual] = [parametersOf(reference), reordered(parametersOf(learner), spec, own.spec, true)]
    const moved = distance(expected, initial)
    assert.ok(moved > 0, 'the reference learned')
    assert.ok(distance(actual, expected) < 0.02 * moved, `${distance(actual, expected)} apart after a way of ${moved}`)
    learner.dispose()
    reference.dispose()
  })
}

function upTo(learner: LearnerCore, updates: number): void {
  while (learner.updates < updates) learner.update()
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!))
}
