import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialParameters } from '../../src/learn/initialise.ts'
import { layout } from '../../src/learn/layout.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import { parameterDigest } from '../../src/util/sha256.ts'

const spec: NetworkSpec = {
  input: [10, 10, 4],
  torso: [
    { kind: 'conv', filters: 16, kernel: 3, stride: 1, activation: 'relu' },
    { kind: 'layerNorm' },
    { kind: 'dense', units: 32, activation: 'tanh' },
    { kind: 'dense', units: 63, activation: 'silu' },
    { kind: 'dense', units: 20, activation: 'linear' },
  ],
  heads: [
    { name: 'logits', layers: [], size: 6, gain: 0.01 },
    { name: 'value', layers: [{ kind: 'dense', units: 8, activation: 'tanh' }], size: 1, gain: 1 },
  ],
  vectors: [{ name: 'logStd', size: 3, initial: -0.5 }],
}
const { slices } = layout(spec)

function kernel(parameters: Float32Array, name: string) {
  const slice = slices.find((each) => each.name === name)!
  const columns = slice.shape.at(-1)!
  return { values: parameters.subarray(slice.offset, slice.offset + slice.length), rows: slice.length / columns, columns }
}

const gains = { conv1: Math.SQRT2, dense1: Math.SQRT2, dense2: Math.SQRT2, dense3: 1, logits: 0.01, 'value/dense1': Math.SQRT2, value: 1 }
for (const [name, gain] of Object.entries(gains)) {
  test(`${name}: the shorter side's vectors are orthogonal and of length ${gain}`, () => {
    const { values, rows, columns } = kernel(initialParameters(spec, 7), `${name}/kernel`)
    const tall = rows >= columns
    const at = (vector: number, k: number) => (tall ? values[k * columns + vector]! : values[vector * columns + k]!)
    for (let i = 0; i < Math.min(rows, columns); i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0
        for (let k = 0; k < Math.max(rows, columns); k++) dot += at(i, k) * at(j, k)
        assert.ok(Math.abs(dot / gain ** 2 - (i === j ? 1 : 0)) < 1e-6, `${i}, ${j}: ${dot}`)
      }
    }
  })
}

test('biases are 0, norm gains 1, free vectors at their initial value', () => {
  const parameters = initialParameters(spec, 7)
  for (const { name, offset, length } of slices) {
    const values = parameters.subarray(offset, offset + length)
    if (name.endsWith('/bias')) assert.ok(values.every((value) => value === 0))
    if (name.endsWith('/gain')) assert.ok(values.every((value) => value === 1))
    if (name === 'logStd') assert.deepEqual([...values], [-0.5, -0.5, -0.5])
  }
})

test('LeCun kernels have mean 0 and variance 1 / inputs, times the squared gain for a head', () => {
  const parameters = initialParameters(spec, 7, 'lecun')
  for (const [name, gain] of [['dense1', 1] as const, ['dense2', 1] as const, ['logits', 0.01] as const]) {
    const { values, rows } = kernel(parameters, `${name}/kernel`)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    // Four standard errors of a Gaussian sample's mean and variance.
    const expected = gain ** 2 / rows
    assert.ok(Math.abs(mean) < 4 * Math.sqrt(expected / values.length), `${name} mean ${mean}`)
    assert.ok(Math.abs(variance / expected - 1) < 4 * Math.sqrt(2 / values.length), `${name} variance ${variance * rows}`)
  }
})

test('a kernel too large to orthogonalise keeps the same variance', () => {
  const large: NetworkSpec = {
    input: [1400],
    torso: [{ kind: 'dense', units: 1400, activation: 'tanh' }],
    heads: [{ name: 'q', layers: [], size: 1, gain: 1 }],
    vectors: [],
  }
  const values = initialParameters(large, 7).subarray(0, 1400 * 1400)
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length
  assert.ok(Math.abs((variance * 1400) / 2 - 1) < 0.01)
})

test('the same seed gives the same bits everywhere; another seed or name gives others', () => {
  const digest = (change: Partial<NetworkSpec>, seed: number) =>
    Buffer.from(parameterDigest(initialParameters({ ...spec, ...change }, seed))).toString('hex')
  assert.equal(digest({}, 7), '7ae784023b0f782ac46893cf3c524773664499ed058ad4ca809c89a6403463b1')
  assert.notEqual(digest({}, 8), digest({}, 7))
  const twins = { torso: [], heads: ['a', 'b'].map((name) => ({ name, layers: [], size: 2, gain: 1 })), vectors: [] }
  const both = initialParameters({ input: [4], ...twins }, 7)
  assert.notDeepEqual(both.subarray(0, 8), both.subarray(10, 18))
})
