import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeDifference, inputSize, layout, outputSize } from '../../src/learn/layout.ts'
import type { LayerSpec, NetworkSpec } from '../../src/ports/learner.ts'

const dense = (units: number): LayerSpec => ({ kind: 'dense', units, activation: 'tanh' })
const conv = (filters: number, kernel: number, stride: number): LayerSpec => ({ kind: 'conv', filters, kernel, stride, activation: 'relu' })

const cartPole: NetworkSpec = {
  input: [4],
  torso: [dense(64), dense(64)],
  heads: [
    { name: 'logits', layers: [], size: 2, gain: 0.01 },
    { name: 'value', layers: [], size: 1, gain: 1 },
  ],
  vectors: [],
}

const mixed: NetworkSpec = {
  input: [10, 9, 4],
  torso: [conv(16, 3, 2), { kind: 'layerNorm' }, conv(8, 2, 1)],
  heads: [
    { name: 'mean', layers: [dense(5), { kind: 'layerNorm' }, dense(6)], size: 3, gain: 0.01 },
    { name: 'value', layers: [], size: 1, gain: 1 },
  ],
  vectors: [{ name: 'logStd', size: 3, initial: -0.5 }],
}

const table = (spec: NetworkSpec) => layout(spec).slices.map(({ name, shape, offset }) => `${offset} ${name} ${shape.join('x')}`)

test('lists slices in the order of the spec, row-major, without gaps', () => {
  assert.deepEqual(table(cartPole), [
    '0 dense1/kernel 4x64',
    '256 dense1/bias 64',
    '320 dense2/kernel 64x64',
    '4416 dense2/bias 64',
    '4480 logits/kernel 64x2',
    '4608 logits/bias 2',
    '4610 value/kernel 64x1',
    '4674 value/bias 1',
  ])
  assert.equal(layout(cartPole).parameterCount, 4675)
})

test('resolves convolutions, norms over the last axis, and heads with layers of their own', () => {
  const { torso, heads, vectors, torsoSize, outputs, parameterCount, slices } = layout(mixed)
  assert.deepEqual(
    [...torso, ...heads.flatMap((head) => head.layers)].map((layer) => `${layer.name} ${inputSize(layer)} ${outputSize(layer)}`),
    ['conv1 360 256', 'norm1 256 256', 'conv2 256 72', 'mean/dense1 72 5', 'mean/norm1 5 5', 'mean/dense2 5 6', 'mean 6 3', 'value 72 1'],
  )
  assert.equal(torsoSize, 72)
  assert.deepEqual(table(mixed).slice(0, 6), [
    '0 conv1/kernel 3x3x4x16',
    '576 conv1/bias 16',
    '592 norm1/gain 16',
    '608 norm1/bias 16',
    '624 conv2/kernel 2x2x16x8',
    '1136 conv2/bias 8',
  ])
  assert.deepEqual(outputs, [
    { name: 'mean', size: 3, kind: 'head' },
    { name: 'value', size: 1, kind: 'head' },
    { name: 'logStd', size: 3, kind: 'vector' },
  ])
  assert.equal(vectors[0]?.slice, slices.at(-1))
  assert.equal(slices.at(-1)!.offset + 3, parameterCount)
})

const refusals: readonly [string, Partial<NetworkSpec>, RegExp][] = [
  ['an input of two dimensions', { input: [4, 4] }, /2 dimensions/],
  ['an empty input', { input: [0] }, /size of the input is 0/],
  ['no head', { heads: [] }, /at least one head/],
  ['no units', { torso: [dense(0)] }, /size of dense1 is 0/],
  ['half a unit', { torso: [dense(1.5)] }, /size of dense1 is 1.5/],
  ['a convolution of a flat input', { torso: [conv(4, 1, 1)] }, /conv1 needs an input of \[height, width, channels\]/],
  ['a convolution after a dense layer', { input: [5, 5, 1], torso: [dense(4), conv(4, 1, 1)] }, /flat one of 4/],
  ['a kernel over its input', { input: [5, 4, 1], torso: [conv(4, 5, 1)] }, /5x5 kernel of conv1 is larger than its 5x4 input/],
  ['no stride', { input: [5, 4, 1], torso: [conv(4, 3, 0)] }, /stride of conv1 is 0/],
  ['a head of no size', { heads: [{ name: 'q', layers: [], size: 0, gain: 1 }] }, /output of head q is 0/],
  ['a gain that is no number', { heads: [{ name: 'q', layers: [], size: 1, gain: Number.NaN }] }, /gain of head q is NaN/],
  ['a name with a slash', { heads: [{ name: 'a/b', layers: [], size: 1, gain: 1 }] }, /"a\/b" cannot name an output/],
  ['two heads of one name', { heads: [cartPole.heads[0]!, cartPole.heads[0]!] }, /named logits/],
  ['a vector named as a head', { vectors: [{ name: 'logits', size: 1, initial: 0 }] }, /two outputs of the network are named logits/],
  [
    'a head named as a layer',
    { heads: [{ name: 'dense1', layers: [], size: 1, gain: 1 }] },
    /two parts of the network are named dense1\/kernel/,
  ],
  ['more than 256 MiB', { torso: [dense(8192), dense(8192)] }, /passes 256 MiB of parameters at dense2\/kernel/],
  ['a vast observation', { input: [1e5, 1e5, 3] }, /more than the 4194304 allowed/],
]
for (const [what, change, message] of refusals) {
  test(`refuses ${what}`, () => {
    assert.throws(() => layout({ ...cartPole, ...change }), { name: 'GrapevineError', code: 'bad_network', message })
  })
}

test('takes exactly 256 MiB of parameters', () => {
  const head = { name: 'q', layers: [], size: 1, gain: 1 }
  // 4096 x u + u + u + 1 = 2^26 has no whole u; one more input row in a free vector fills the rest.
  const units = 16376
  const rest = 2 ** 26 - (4096 * units + units + units + 1)
  const spec: NetworkSpec = { input: [4096], torso: [dense(units)], heads: [head], vectors: [{ name: 'rest', size: rest, initial: 0 }] }
  assert.equal(layout(spec).parameterCount, 2 ** 26)
  assert.throws(() => layout({ ...spec, vectors: [{ name: 'rest', size: rest + 1, initial: 0 }] }), { code: 'bad_network' })
})

test('words the first difference of two networks', () => {
  const slices = (change: Partial<NetworkSpec>) => layout({ ...cartPole, ...change }).slices
  const ours = slices({})
  assert.equal(describeDifference(ours, slices({})), null)
  assert.equal(
    describeDifference(slices({ torso: [dense(64), dense(2)] }), slices({ torso: [dense(64), dense(4)] })),
    'network dense2 is 64x4 there and 64x2 here',
  )
  assert.equal(describeDifference(ours, slices({ torso: [dense(64)] })), 'network dense2 is missing there and 64x64 here')
  assert.equal(describeDifference(slices({ torso: [dense(64)] }), ours), 'network dense2 is 64x64 there and missing here')
  const vectors = [{ name: 'logStd', size: 3, initial: 0 }]
  assert.equal(describeDifference(ours, slices({ vectors })), 'network logStd is 3 there and missing here')
  assert.equal(describeDifference(slices({ vectors }), ours), 'network logStd is missing there and 3 here')
  const swapped = slices({ heads: [cartPole.heads[1]!, cartPole.heads[0]!] })
  assert.equal(describeDifference(ours, swapped), 'network has value there where logits is here')
})
