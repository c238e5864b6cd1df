import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OptimiserSpec } from '../../../src/learn/engine.ts'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { engineContract } from '../../contract/engine.ts'

engineContract('wasm', async () => createWasmEngine({ deterministic: false }))
engineContract('wasm deterministic', async () => createWasmEngine({ deterministic: true }))
for (const kernels of ['relaxed', 'deterministic', 'wide'] as const) {
  engineContract(`wasm (${kernels})`, async () => ({ ...createWasmEngine({ deterministic: false, kernels }), name: `wasm (${kernels})` }))
}

const decaying: readonly OptimiserSpec[] = [
  { kind: 'sgd', momentum: 0.9 },
  { kind: 'rmsprop', decay: 0.9, epsilon: 1e-12, epsilonInside: false },
  { kind: 'adam', beta1: 0.9, beta2: 0.9, epsilon: 1e-12 },
]
for (const kernels of ['relaxed', 'deterministic', 'wide'] as const) {
  for (const spec of decaying) {
    // Denormal numbers would stay for ever, 0.9 of the smallest rounding to itself, and make every later step slow.
    test(`${spec.kind} (${kernels}): moments end at 0 where gradients do, and parameters keep still then`, () => {
      const engine = createWasmEngine({ deterministic: false, kernels })
      const heads = [{ name: 'q', layers: [], size: 3, gain: 1 }]
      const network = engine.build({ input: [5], torso: [], heads, vectors: [] }, 1)
      const [parameters, gradient] = [network.allocate(), network.allocate()]
      const state = network.createOptimiser(spec)
      gradient.data.fill(-0.5)
      network.step(state, parameters, gradient, 1e-3, null)
      assert.ok(state.moments.every(({ data }) => data.every((moment) => moment !== 0)))
      gradient.data.fill(0)
      for (let i = 0; i < 900; i++) network.step(state, parameters, gradient, 1e-3, null)
      assert.ok(state.moments.every(({ data }) => data.every((moment) => moment === 0)))
      const before = parameters.data.slice()
      network.step(state, parameters, gradient, 1e-3, null)
      assert.deepEqual(parameters.data, before)
      assert.ok(before.every((parameter) => parameter > 0))
      network.dispose()
    })
  }
}
