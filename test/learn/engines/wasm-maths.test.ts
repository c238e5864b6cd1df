/** Activations of every build against double precision, over the whole range of floats that matter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import type { Activation } from '../../../src/ports/learner.ts'

const POINTS = 40_000
/** Largest error, absolute for tanh and relative (or of the smallest normal) for SiLU. */
const cases: readonly { activation: Activation; exact(x: number): number; bound(exact: number): number }[] = [
  { activation: 'tanh', exact: Math.tanh, bound: (exact) => 6e-7 * Math.abs(exact) },
  { activation: 'silu', exact: (x) => x / (1 + Math.exp(-x)), bound: (exact) => 6e-7 * Math.abs(exact) + 1e-34 },
  { activation: 'relu', exact: (x) => Math.max(x, 0), bound: () => 0 },
]

// One unit per row of eight, so that every lane is seen: output_j = activation(x), read back through an identity head.
for (const kernels of ['relaxed', 'deterministic', 'wide'] as const) {
  for (const { activation, exact, bound } of cases) {
    test(`${activation} of the ${kernels} build`, () => {
      const network = createWasmEngine({ deterministic: false, kernels }).build(
        { input: [1], torso: [{ kind: 'dense', units: 8, activation }], heads: [{ name: 'y', layers: [], size: 8, gain: 1 }], vectors: [] },
        POINTS,
      )
      const parameters = new Float32Array(network.parameterCount)
      for (let i = 0; i < 8; i++) {
        parameters[i] = 1
        parameters[16 + i * 9] = 1
      }
      const arena = network.allocate()
      network.write(arena, parameters)
      const x = Float32Array.from({ length: POINTS }, (_, i) => (i % 2 === 0 ? -1 : 1) * 2 ** (-20 + (26.4 * i) / POINTS))
      network.forward(arena, x, POINTS)
      const y = network.output('y')
      for (let i = 0; i < POINTS; i++) {
        const expected = exact(x[i]!)
        for (let lane = 0; lane < 8; lane++) {
          const error = Math.abs(y[8 * i + lane]! - expected)
          assert.ok(error <= bound(expected), `${activation}(${x[i]}) is ${y[8 * i + lane]}, not ${expected}`)
        }
      }
    })
  }

  test(`the ${kernels} build lets NaN and infinities through`, () => {
    const network = createWasmEngine({ deterministic: false, kernels }).build(
      {
        input: [1],
        torso: [{ kind: 'dense', units: 8, activation: 'relu' }],
        heads: [{ name: 'y', layers: [], size: 1, gain: 1 }],
        vectors: [],
      },
      1,
    )
    const arena = network.allocate()
    network.write(arena, new Float32Array(network.parameterCount).fill(1))
    network.forward(arena, Float32Array.of(Number.NaN), 1)
    assert.ok(Number.isNaN(network.output('y')[0]))
    network.forward(arena, Float32Array.of(Infinity), 1)
    assert.equal(network.output('y')[0], Infinity)
  })
}
