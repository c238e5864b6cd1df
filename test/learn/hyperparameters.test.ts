import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ALGORITHMS,
  hyperparameterFaults,
  hyperparameterRules,
  optimiserSpec,
  requireAlgorithm,
  resolveHyperparameters,
} from '../../src/learn/hyperparameters.ts'

test('what is missing takes its default', () => {
  const resolved = resolveHyperparameters('a2c', { environments: 4, maxGradientNorm: null })
  assert.equal(resolved.environments, 4)
  assert.equal(resolved.maxGradientNorm, null)
  assert.equal(resolved.gamma, 0.99)
  assert.equal(resolved.optimiser, 'rmsprop')
})

test('every default is valid', () => {
  for (const algorithm of ALGORITHMS) {
    const defaults = Object.fromEntries(Object.entries(hyperparameterRules(algorithm)).map(([name, rule]) => [name, rule.initial]))
    assert.deepEqual(hyperparameterFaults(algorithm, defaults), [])
  }
})

test('each fault is one sentence that names the parameter and what is valid', () => {
  const given = {
    gama: 0.9,
    gamma: 1.5,
    environments: 2.5,
    optimiser: 'sgd',
    normaliseAdvantages: 1,
    lambda: Number.NaN,
    maxGradientNorm: 0,
  }
  const faults = hyperparameterFaults('a2c', given)
  assert.equal(faults.length, 7)
  assert.match(faults[0]!, /^a2c has no hyper-parameter 'gama'; it has: environments, .*gamma/)
  assert.equal(faults[1], 'The hyper-parameter gamma of a2c must be a number from 0 to 1, not 1.5.')
  assert.equal(faults[2], 'The hyper-parameter environments of a2c must be a whole number from 1 to 4096, not 2.5.')
  assert.equal(faults[3], 'The hyper-parameter optimiser of a2c must be one of rmsprop, adam, not "sgd".')
  assert.equal(faults[4], 'The hyper-parameter normaliseAdvantages of a2c must be true or false, not 1.')
  assert.match(faults[6]!, /, or null, not 0\.$/)
  assert.throws(() => resolveHyperparameters('a2c', given), { code: 'hyperparameter', fault: 'local', data: { faults } })
})

test('names of the object prototype are no hyper-parameters and no algorithms', () => {
  assert.equal(hyperparameterFaults('a2c', { constructor: 1 }).length, 1)
  assert.throws(() => requireAlgorithm('toString'), { code: 'algorithm', message: /^There is no algorithm 'toString'; there are: a2c/ })
})

test('optimisers', () => {
  const common = { optimiserDecay: 0.99, optimiserEpsilon: 1e-5 }
  assert.deepEqual(optimiserSpec({ optimiser: 'rmsprop', ...common }), { kind: 'rmsprop', decay: 0.99, epsilon: 1e-5, epsilonInside: true })
  assert.deepEqual(optimiserSpec({ optimiser: 'adam', ...common }), { kind: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-5 })
})
