/** ReLUs that no sample of a batch switches on are left out of the backward pass: gradients as if they were not there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { layout } from '../../../src/learn/layout.ts'
import type { NetworkSpec } from '../../../src/ports/learner.ts'
import { someParameters, someValues } from '../../support/networks.ts'
import { referencePass } from '../../support/reference-network.ts'

const BUILDS = ['relaxed', 'deterministic', 'wide'] as const
/** Inputs and units of the first layer. */
const [INPUTS, BELOW] = [5, 24] as const

/** Two layers, the second of `units` ReLUs. */
const spec = (units: number): NetworkSpec => ({
  input: [INPUTS],
  torso: [
    { kind: 'dense', units: BELOW, activation: 'tanh' },
    { kind: 'dense', units, activation: 'relu' },
  ],
  heads: [{ name: 'q', layers: [], size: 3, gain: 1 }],
  vectors: [],
})

/** Parameters under which the flagged units of the second layer are 0 for every observation. */
function silence(units: number, silent: (unit: number) => boolean): Float32Array {
  const parameters = someParameters(spec(units), 3)
  const bias = layout(spec(units)).slices.find(({ name }) => name === 'dense2/bias')!
  for (let unit = 0; unit < units; unit++) parameters[bias.offset + unit] = silent(unit) ? -100 : 1
  return parameters
}

function pass(kernels: (typeof BUILDS)[number], units: number, parameters: Float32Array, rows: number, threads = 1) {
  const engine = createWasmEngine({ deterministic: false, kernels, threads })
  const network = engine.build(spec(units), rows)
  const arena = network.allocate()
  const gradient = network.allocate()
  network.write(arena, parameters)
  const observations = someValues(rows * INPUTS, -1, 1, 5)
  const outputGradient = someValues(rows * 3, -1, 1, 6)
  network.forward(arena, observations, rows)
  network.outputGradient('q').set(outputGradient)
  // What an earlier pass left must not show.
  gradient.data.fill(Number.NaN)
  network.backward(arena, observations, rows, gradient)
  const result = new Float32Array(network.parameterCount)
  network.read(gradient, result)
  return { gradient: result, observations, outputGradient }
}

const most = (unit: number) => unit % 3 !== 1
const cases: Readonly<Record<string, (unit: number) => boolean>> = {
  'two thirds': most,
  all: () => true,
  'all but the last': (unit) => unit < 42,
  none: () => false,
}

for (const kernels of BUILDS) {
  for (const [title, silent] of Object.entries(cases)) {
    test(`${kernels}: gradients of the reference where ${title} of 43 ReLUs are silent`, () => {
      const parameters = silence(43, silent)
      // One row, a rest, a whole chunk, and several chunks with a rest.
      for (const rows of [1, 7, 64, 257]) {
        const { gradient, observations, outputGradient } = pass(kernels, 43, parameters, rows)
        const expected = referencePass(spec(43), parameters, observations, rows).backward(new Map([['q', outputGradient]]))
        const error = Math.hypot(...expected.map((value, i) => value - gradient[i]!))
        assert.ok(error <= 1e-6 * Math.hypot(...expected), `${rows} rows: ${error}`)
      }
    })
  }
}

test('the same bits as of a network that lacks the silent units', () => {
  const units = 48
  const kept = Array.from({ length: units }, (_, unit) => unit).filter((unit) => !most(unit))
  const all = silence(units, most)
  const small = new Float32Array(layout(spec(kept.length)).parameterCount)
  for (const [from, to] of places(units, kept)) small[to] = all[from]!
  const large = pass('deterministic', units, all, 64).gradient
  const without = pass('deterministic', kept.length, small, 64).gradient
  for (const [from, to] of places(units, kept)) assert.equal(large[from], without[to])
})

test('two threads find different units silent', () => {
  const parameters = silence(43, most)
  const one = pass('deterministic', 43, parameters, 1100, 1).gradient
  const two = pass('deterministic', 43, parameters, 1100, 2).gradient
  const error = Math.hypot(...one.map((value, i) => value - two[i]!))
  assert.ok(error <= 2e-6 * Math.hypot(...one), `${error}`)
})

/** Places of all parameters of the small network in the large one, and there: [large, small]. */
function places(units: number, kept: readonly number[]): [number, number][] {
  const [large, small] = [layout(spec(units)).slices, layout(spec(kept.length)).slices]
  return large.flatMap(({ name, offset, length }, i) => {
    const to = small[i]!.offset
    const pairs = (count: number, from: (index: number) => number) =>
      Array.from({ length: count }, (_, index): [number, number] => [offset + from(index), to + index])
    const n = kept.length
    if (name === 'dense2/kernel') return pairs(BELOW * n, (index) => Math.floor(index / n) * units + kept[index % n]!)
    if (name === 'dense2/bias') return pairs(n, (index) => kept[index]!)
    if (name === 'q/kernel') return pairs(n * 3, (index) => kept[Math.floor(index / 3)]! * 3 + (index % 3))
    return pairs(length, (index) => index)
  })
}
