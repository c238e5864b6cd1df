/** Models of one's own on the tfjs engine: the same outputs and gradients as our own engines give for the same architecture. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { createTfjsEngine } from '../../../src/learn/engines/tfjs.ts'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { ForwardPass } from '../../../src/learn/forward.ts'
import { layout } from '../../../src/learn/layout.ts'
import { preset, presetNetwork } from '../../../src/learn/presets.ts'
import type { NetworkSpec } from '../../../src/ports/learner.ts'
import { someParameters, someValues } from '../../support/networks.ts'
import { modelLike, ownModel, reordered } from '../../support/own-model.ts'
import { assertClose } from '../helpers.ts'

const presetOf = (algorithm: string, environment: string) =>
  presetNetwork(algorithm, preset(algorithm, environment).network, environment, {}, preset(algorithm, environment).wrappers)

const PRESETS: readonly (readonly [string, string])[] = [
  ['a2c', 'CartPole-v1'],
  ['ppo', 'Pendulum-v1'],
  ['apex', 'CartPole-v1'],
  ['apex', 'MinAtar/Breakout-v1'],
]
const BATCH = 9

for (const backend of ['wasm', 'cpu'] as const) {
  for (const [algorithm, environment] of PRESETS) {
    test(`${backend}: a model like the preset's network of ${algorithm} for ${environment} has the outputs and gradients of the wasm engine`, async () => {
      const spec = presetOf(algorithm, environment)
      const own = await ownModel(spec, (tf) => modelLike(tf, spec))
      const reference = createWasmEngine({ deterministic: true }).build(spec, BATCH)
      const network = (await createTfjsEngine({ deterministic: false, backend })).build(own.spec, BATCH)
      const parameters = someParameters(spec, 5)
      const observations = someValues(BATCH * layout(spec).inputSize, -1, 1, 6)
      const arenas = [reference, network].map((each, i) => {
        const arena = each.allocate()
        each.write(arena, i === 0 ? parameters : reordered(parameters, spec, own.spec))
        each.forward(arena, observations, BATCH)
        return arena
      })
      for (const { name } of reference.outputs) {
        assertClose(network.output(name), reference.output(name), 1e-5, 1e-5)
        const slopes = someValues(reference.output(name).length, -1, 1, name.length)
        reference.outputGradient(name).set(slopes)
        network.outputGradient(name).set(slopes)
      }
      const [expected, actual] = [reference, network].map((each, i) => {
        const gradient = each.allocate()
        each.backward(arenas[i]!, observations, BATCH, gradient)
        const canonical = new Float32Array(each.parameterCount)
        each.read(gradient, canonical)
        return canonical
      })
      const largest = expected!.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      assertClose(reordered(actual!, spec, own.spec, true), expected!, 1e-5, 1e-5 * largest)
      reference.dispose()
      network.dispose()
    })
  }
}

const Q: NetworkSpec = presetOf('apex', 'CartPole-v1')

test('a model with the output q is a dueling network whose q is that output, and so is its gradient', async () => {
  const own = await ownModel(Q, (tf) => tf.sequential({ layers: [tf.layers.dense({ name: 'q', units: 2, inputShape: [4] })] }))
  assert.deepEqual(
    own.spec.heads.map(({ name, size }) => [name, size]),
    [
      ['value', 1],
      ['advantage', 2],
    ],
  )
  const network = (await createTfjsEngine({ deterministic: false, backend: 'cpu' })).build(own.spec, 2)
  const parameters = network.allocate()
  // kernel [4, 2], then bias [2]: q of the first unit vector is its first row and the bias.
  network.write(parameters, Float32Array.of(1, 3, 0, 0, 0, 0, 0, 0, 0.5, -0.5))
  const observations = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0)
  network.forward(parameters, observations, 2)
  assert.deepEqual([...network.output('advantage')], [1.5, 2.5, 0.5, -0.5])
  assert.deepEqual([...network.output('value')], [2, 0])
  // dL/dq = [1, 0] and [0, 2], as the dueling gradient hands it on: its sum to the value, what differs from its mean to the advantages.
  network.outputGradient('value').set([1, 2])
  network.outputGradient('advantage').set([0.5, -0.5, -1, 1])
  const gradient = network.allocate()
  network.backward(parameters, observations, 2, gradient)
  assert.deepEqual([...gradient.data], [1, 0, 0, 2, 0, 0, 0, 0, 1, 2])
})

/** A trained vector as a layer: what a model needs to put out a log standard deviation of its own. */
class Free extends tf.layers.Layer {
  #values: ReturnType<tf.layers.Layer['addWeight']> | null = null
  static className = 'Free'
  override build(): void {
    this.#values = this.addWeight('values', [1], 'float32', tf.initializers.constant({ value: -0.5 }))
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [shape[0]!, 1]
  }
  override call(input: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const rows = (Array.isArray(input) ? input[0]! : input).shape[0]!
    return tf.tile(this.#values!.read().expandDims(0), [rows, 1])
  }
}

test('a log standard deviation may be an output of the model: one vector for all rows, with its gradient', async () => {
  const spec = presetOf('ppo', 'Pendulum-v1')
  const own = await ownModel(spec, (tf) => {
    const input = tf.input({ shape: [3] })
    const heads = ['mean', 'value'].map((name) => tf.layers.dense({ name, units: 1 }).apply(input) as tf.SymbolicTensor)
    return tf.model({ inputs: input, outputs: [...heads, new Free({ name: 'logStd' }).apply(input) as tf.SymbolicTensor] })
  })
  assert.deepEqual(own.spec.vectors, [])
  const network = (await createTfjsEngine({ deterministic: false, backend: 'wasm' })).build(own.spec, 3)
  const parameters = network.allocate()
  network.write(parameters, own.initial)
  const observations = new Float32Array(9)
  network.forward(parameters, observations, 3)
  assert.deepEqual([...network.output('logStd')], [-0.5])
  network.outputGradient('mean').fill(0)
  network.outputGradient('value').fill(0)
  network.outputGradient('logStd').set([7])
  const gradient = network.allocate()
  network.backward(parameters, observations, 3, gradient)
  const { offset } = network.slices.find(({ name }) => name === 'logStd/values')!
  assert.equal(gradient.data[offset], 7)
  assert.equal(gradient.data.filter((value) => value !== 0).length, 1)
})

for (const backend of ['wasm', 'cpu'] as const) {
  test(`${backend}: the number of tensors stays the same from update to update`, async () => {
    const spec = presetOf('apex', 'MinAtar/Breakout-v1')
    const own = await ownModel(spec, (tf) => modelLike(tf, spec))
    const network = (await createTfjsEngine({ deterministic: false, backend })).build(own.spec, 8)
    const parameters = network.allocate()
    network.write(parameters, own.initial)
    const gradient = network.allocate()
    const optimiser = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 })
    const atRest = tf.memory().numTensors
    for (const batch of [8, 3, 8, 1]) {
      const observations = someValues(batch * layout(spec).inputSize, -1, 1, batch)
      network.forward(parameters, observations, batch)
      for (const { name } of network.outputs) network.outputGradient(name).fill(1)
      network.backward(parameters, observations, batch, gradient)
      network.step(optimiser, parameters, gradient, 1e-3, 0.5)
      assert.equal(tf.memory().numTensors, atRest)
    }
  })
}

test('a convolution with padding and a stride that leaves a rest can be trained on the wasm backend', async () => {
  const like: NetworkSpec = { ...Q, input: [8, 7, 2], heads: [{ ...Q.heads[1]!, name: 'logits' }] }
  const own = await ownModel(like, (tf) =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same', inputShape: [8, 7, 2], activation: 'elu' }),
        tf.layers.flatten(),
        tf.layers.dense({ name: 'logits', units: 2 }),
      ],
    }),
  )
  const gradients: Float32Array[] = []
  for (const backend of ['wasm', 'cpu'] as const) {
    const network = (await createTfjsEngine({ deterministic: false, backend })).build(own.spec, 4)
    const parameters = network.allocate()
    network.write(parameters, own.initial)
    const observations = someValues(4 * 112, -2, 2, 1)
    network.forward(parameters, observations, 4)
    network.outputGradient('logits').set([1, 2, -1, 0.5, 3, 1, 0, -2])
    const gradient = network.allocate()
    network.backward(parameters, observations, 4, gradient)
    gradients.push(gradient.data)
  }
  assert.ok(gradients[1]!.every((value) => value !== 0))
  assertClose(gradients[0]!, gradients[1]!, 1e-5, 1e-5)
})

test('what works layer by layer refuses it where its layers are not known', async () => {
  const own = await ownModel(Q, (tf) => tf.sequential({ layers: [tf.layers.dense({ name: 'q', units: 2, inputShape: [4] })] }))
  assert.throws(() => createWasmEngine({ deterministic: true }).build(own.spec, 1), {
    code: 'bad_network',
    message: 'the network is a model of its own (test-model), which the engine wasm cannot run; use --engine tfjs.',
  })
  assert.throws(() => new ForwardPass({ network: own.spec }, own.initial), {
    code: 'bad_network',
    message:
      'The network is a model of its own (test-model), and the file holds its weights alone; export it again with --network MODULE, or with --format tfjs for TensorFlow.js.',
  })
})
