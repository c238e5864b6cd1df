/** Models of one's own leave as a list of layers: ONNX Runtime and the small loader compute with it what TensorFlow.js computes with the model. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SymbolicTensor } from '@tensorflow/tfjs'
import { outputTensor } from '../../src/learn/engines/own-models.ts'
import { loadBackend } from '../../src/learn/engines/tfjs-backend.ts'
import { encodeOnnx } from '../../src/learn/exports/onnx.ts'
import { describeOwnModel } from '../../src/learn/exports/own-graph.ts'
import { ForwardPass } from '../../src/learn/forward.ts'
import { layout } from '../../src/learn/layout.ts'
import { loadPolicy } from '../../src/policy.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import type { NetworkGraph } from '../../src/ports/policy.ts'
import { policyTensors } from '../../src/store/policy-file.ts'
import { sealTensors } from '../../src/wire/sealed-tensors.ts'
import { BATCH, facts, head, runOnnx } from '../support/exported.ts'
import { someValues } from '../support/networks.ts'
import { ownModel, type Tfjs } from '../support/own-model.ts'
import { assertClose } from './helpers.ts'

const flat = (size: number, ...heads: NetworkSpec['heads']): NetworkSpec => ({ input: [size], torso: [], heads, vectors: [] })
const PICTURE: NetworkSpec = { input: [9, 7, 3], torso: [], heads: [head('logits', 4), head('value', 1)], vectors: [] }
const POLICY = flat(6, head('logits', 4), head('value', 1))

interface Case {
  readonly like: NetworkSpec
  readonly build: (tf: Tfjs) => unknown
  /** Kinds of its layers, in their order. */
  readonly kinds: readonly string[]
}

const dense = (tf: Tfjs, x: SymbolicTensor, config: Parameters<Tfjs['layers']['dense']>[0]) =>
  tf.layers.dense({ biasInitializer: 'randomNormal', ...config }).apply(x) as SymbolicTensor

const CASES: Readonly<Record<string, Case>> = {
  'a sequential model, of q': {
    like: flat(5, head('value', 1), head('advantage', 3)),
    build: (tf) =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 8, activation: 'elu', inputShape: [5], biasInitializer: 'randomNormal' }),
          tf.layers.dropout({ rate: 0.5 }),
          tf.layers.layerNormalization({ scale: false, betaInitializer: 'randomNormal' }),
          tf.layers.dense({ name: 'q', units: 3, useBias: false }),
        ],
      }),
    kinds: ['dense', 'layerNorm', 'dense'],
  },
  'pictures, padded, strided and pooled': {
    like: PICTURE,
    build: (tf) => {
      const input = tf.input({ shape: [9, 7, 3] })
      const through = (layers: readonly { apply(x: SymbolicTensor): unknown }[], x: SymbolicTensor) =>
        layers.reduce((value, layer) => layer.apply(value) as SymbolicTensor, x)
      const start = through(
        [
          tf.layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'relu6' }),
          tf.layers.layerNormalization({ center: false, gammaInitializer: 'randomNormal' }),
          tf.layers.maxPooling2d({ poolSize: [2, 3], strides: [1, 2], padding: 'same' }),
          tf.layers.conv2d({ filters: 4, kernelSize: 2, useBias: false }),
        ],
        input,
      )
      const averaged = tf.layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }).apply(start) as SymbolicTensor
      const both = tf.layers.concatenate({ axis: 2 }).apply([start, averaged]) as SymbolicTensor
      const hidden = dense(tf, through([tf.layers.flatten()], both), { units: 6, activation: 'sigmoid' })
      return tf.model({
        inputs: input,
        outputs: [dense(tf, hidden, { name: 'logits', units: 4 }), dense(tf, hidden, { name: 'value', units: 1 })],
      })
    },
    kinds: ['conv', 'layerNorm', 'pool', 'conv', 'pool', 'concatenate', 'reshape', 'dense', 'dense', 'dense'],
  },
  'branches, a shared layer, rows of features and a model inside': {
    like: POLICY,
    build: (tf) => {
      const input = tf.input({ shape: [6] })
      const inside = tf.sequential({ layers: [tf.layers.dense({ units: 4, activation: 'softplus', inputShape: [2] })] })
      const rows = tf.layers.reshape({ targetShape: [3, 2] }).apply(input) as SymbolicTensor
      const shared = tf.layers.dense({ units: 6, activation: 'swish' })
      const once = shared.apply(input) as SymbolicTensor
      const twice = shared.apply(once) as SymbolicTensor
      const sum = tf.layers.add().apply([once, twice, input]) as SymbolicTensor
      const active = tf.layers.activation({ activation: 'tanh' }).apply(sum) as SymbolicTensor
      const rectified = tf.layers.reLU().apply(sum) as SymbolicTensor
      const folded = tf.layers.flatten().apply(dense(tf, rows, { units: 3, activation: 'tanh' })) as SymbolicTensor
      const pairs = tf.layers.concatenate().apply([active, rectified, folded]) as SymbolicTensor
      const narrow = dense(tf, pairs, { units: 2 })
      return tf.model({
        inputs: input,
        outputs: [
          dense(tf, inside.apply(narrow) as SymbolicTensor, { name: 'value', units: 1 }),
          dense(tf, pairs, { name: 'logits', units: 4 }),
        ],
      })
    },
    kinds: [
      ...['dense', 'dense', 'add', 'activation', 'activation', 'reshape', 'dense', 'reshape', 'concatenate'],
      ...['dense', 'dense', 'dense', 'dense'],
    ],
  },
}

for (const [name, { like, build, kinds }] of Object.entries(CASES)) {
  test(`${name}: ONNX Runtime and the small loader agree with TensorFlow.js within 1e-5`, async () => {
    const { tf } = await loadBackend('cpu')
    const { model, spec, initial } = await ownModel(like, build)
    const graph = describeOwnModel({ model, spec, initial })
    assert.deepEqual(graph.layers.map(({ kind }) => kind).sort(), [...kinds].sort())
    const n = like.heads.at(0)?.name === 'logits' ? 4 : 3
    const policy = { facts: { ...facts(spec), action: { kind: 'discrete', n } as const, graph }, parameters: initial }
    const width = spec.input.reduce((a, b) => a * b, 1)
    const observations = someValues(BATCH * width, -2, 2, 4)
    const wanted = tf.tidy(() => {
      const result = model.apply(tf.tensor(observations, [BATCH, ...spec.input]), { training: false }) as never
      return Object.fromEntries(model.outputNames.map((output) => [output, outputTensor(model, result, output).dataSync().slice()]))
    })

    const onnx = await runOnnx(encodeOnnx(policy), spec, observations)
    const forward = new ForwardPass(policy.facts, initial)
    const loaded = await loadPolicy(sealTensors(policyTensors(policy, layout(spec).slices)))
    assert.deepEqual(loaded.facts.graph, graph)
    for (const [output, values] of Object.entries(wanted)) {
      assertClose(onnx[output]!.data as Float32Array, values as Float32Array, 1e-5, 1e-5)
      const size = values.length / BATCH
      for (let row = 0; row < BATCH; row++) {
        const observation = observations.slice(row * width, (row + 1) * width)
        forward.run(observation)
        assertClose(forward.output(output)!, (values as Float32Array).slice(row * size, (row + 1) * size), 1e-5, 1e-5)
      }
    }
    const scores = (wanted.q ?? wanted.logits)!
    const best = scores.slice(0, scores.length / BATCH)
    assert.equal(loaded.act(observations.slice(0, width), { deterministic: true }), best.indexOf(Math.max(...best)))
  })
}

test('a layer that has no place in a file is named', async () => {
  const like = flat(6, head('logits', 4))
  const named = async (build: (tf: Tfjs, input: SymbolicTensor) => unknown, pattern: RegExp) => {
    const own = await ownModel(like, (tf) => {
      const input = tf.input({ shape: [6] })
      return tf.model({ inputs: input, outputs: dense(tf, build(tf, input) as SymbolicTensor, { name: 'logits', units: 4 }) })
    })
    assert.throws(() => describeOwnModel(own), { code: 'network_layer', message: pattern })
  }
  await named(
    (tf, input) => tf.layers.lstm({ name: 'memory', units: 3 }).apply(tf.layers.reshape({ targetShape: [3, 2] }).apply(input)),
    /^The layer memory \(LSTM\) of this network has no place in ONNX files and the small loader here; use --format tfjs, or safetensors/,
  )
  await named(
    (tf, input) => tf.layers.dense({ units: 3, activation: 'selu' }).apply(input),
    /^The layer dense1 \(Dense with the activation selu\)/,
  )
  await named((tf, input) => tf.layers.reLU({ maxValue: 2 }).apply(input), /^The layer re_lu1 \(ReLU with a highest value\)/)
})

test('a description that does not fit is refused, whatever it says', async () => {
  const { model, spec, initial } = await ownModel(
    CASES['pictures, padded, strided and pooled']!.like,
    CASES['pictures, padded, strided and pooled']!.build,
  )
  const graph = describeOwnModel({ model, spec, initial })
  const { tensors } = policyTensors({ facts: facts(spec), parameters: initial }, layout(spec).slices)
  const load = (described: unknown) => {
    const policy = JSON.stringify({ ...facts(spec), graph: described })
    return loadPolicy(sealTensors({ tensors, metadata: { format: 'grapevine policy 1', policy } }))
  }
  const changed = (at: number, change: object): NetworkGraph => ({
    ...graph,
    layers: graph.layers.map((layer, i) => (i === at ? ({ ...layer, ...change } as typeof layer) : layer)),
  })
  const [conv, norm, pool] = ['conv', 'layerNorm', 'pool'].map((kind) => graph.layers.findIndex((layer) => layer.kind === kind)) as [
    number,
    number,
    number,
  ]
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [changed(conv, { kind: 'lstm' }), /is of the kind lstm, which is not known here/],
    [changed(conv, { inputs: [9] }), /does not say which values before it are its inputs/],
    [changed(conv, { inputs: [0, 0] }), /does not say which values/],
    [changed(conv, { kernel: 'nothing' }), /needs a weight of 4 dimensions where nothing is named/],
    [changed(conv, { activation: 'constructor' }), /has the unknown activation constructor/],
    [changed(conv, { strides: [0, 1] }), /has the size or strides 0,1/],
    [changed(pool, { padding: 'valid', size: [99, 1] }), /is larger than its input of \[5, 7, 5\]/],
    [changed(norm, { epsilon: 0 }), /has the epsilon 0/],
    [{ ...graph, outputs: [{ name: 'logits', value: 1 }] }, /its output logits is no flat value of its layers/],
    [{ ...graph, layers: [null] }, /one of its layers is none/],
    [{ layers: 'all', outputs: [] }, /is no list of layers and outputs/],
  ]
  for (const [described, message] of refused) await assert.rejects(load(described), { code: 'bad_network', message })
  await load(graph)
  const growing = {
    layers: Array.from({ length: 200 }, (_, i) => ({ name: `more${i}`, kind: 'concatenate', axis: 0, inputs: [i, i] })),
    outputs: graph.outputs,
  }
  await assert.rejects(load(growing), { code: 'bad_network', message: /its layers make more than 16777216 values/ })
})
