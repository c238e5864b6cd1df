/** Truncation is not termination, in what actor-critic learners make of their environments' values; Ape-X and PPO: in tests of their own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine } from '../../src/learn/engines/create.ts'
import { createLearner } from '../../src/learn/learner.ts'
import { assertClose } from './helpers.ts'
import { algorithmSettings, parametersOf, toySettings, update } from './toy.ts'

for (const [algorithm, own] of [
  ['a2c', {}],
  ['a3c', { workers: 2 }],
  ['impala', { rolloutLength: 5, inlineLag: 1 }],
] as const) {
  test(`with ${algorithm} a truncated episode bootstraps from its final observation, a terminated one does not, and termination wins`, async () => {
    const value = async (options: Readonly<Record<string, boolean>>) => {
      const environment = { id: 'Toy/Ends', options }
      const hyperparameters = { gamma: 0.5, learningRate: 0.02, finalLearningRate: 0.001 }
      const learner = await createLearner(algorithmSettings(algorithm, 'Toy/Ends', { ...hyperparameters, ...own }, { environment }))
      update(learner, 600)
      const network = (await createEngine('wasm', { deterministic: true })).build(toySettings('Toy/Ends').network, 3)
      const parameters = network.allocate()
      network.write(parameters, parametersOf(learner))
      network.forward(parameters, Float32Array.of(1, 0, 1, 1 / 3, 1, 2 / 3), 3)
      const values = network.output('value').slice()
      network.forward(parameters, Float32Array.of(-1, 1), 1)
      return { values, final: network.output('value')[0]! }
    }
    assertClose((await value({ terminated: true })).values, [1.75, 1.5, 1], 0, 0.1)
    assertClose((await value({ terminated: true, truncated: true })).values, [1.75, 1.5, 1], 0, 0.1)
    const { values, final } = await value({ truncated: true })
    const last = 1 + 0.5 * final
    assert.ok(Math.abs(final) > 0.2, `value ${final} of the final observation`)
    assertClose(values, [1.5 + 0.25 * last, 1 + 0.5 * last, last], 0, 0.1)
  })
}
