import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { createEngine } from '../../../src/learn/engines/create.ts'
import { createTfjsEngine } from '../../../src/learn/engines/tfjs.ts'
import { layout } from '../../../src/learn/layout.ts'
import { networks, someParameters, someValues } from '../../support/networks.ts'

const native = await import('@tensorflow/tfjs-node').then(
  () => true,
  () => false,
)

test('starting the engine prints nothing and leaves no listener on the process', async (context) => {
  const spies = (['log', 'info', 'warn', 'error'] as const).map((method) => context.mock.method(console, method, () => {}))
  const listeners = () => process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`)
  const before = listeners()
  for (const backend of ['cpu', 'wasm'] as const) {
    const network = (await createTfjsEngine({ deterministic: false, backend })).build(networks['one of everything']!, 1)
    network.forward(network.allocate(), new Float32Array(1), 1)
    network.dispose()
  }
  for (const spy of spies) assert.equal(spy.mock.callCount(), 0, String(spy.mock.calls[0]?.arguments))
  assert.deepEqual(listeners(), before)
})

for (const backend of ['cpu', 'wasm', ...(native ? (['tensorflow'] as const) : [])] as const) {
  test(`${backend}: the number of tensors stays the same from step to step and falls back on dispose`, async () => {
    const engine = await createTfjsEngine({ deterministic: false, backend })
    const atRest = tf.memory().numTensors
    for (const spec of Object.values(networks)) {
      const network = engine.build(spec, 8)
      const parameters = network.allocate()
      network.write(parameters, someParameters(spec, 1))
      const gradient = network.allocate()
      const optimiser = network.createOptimiser({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 })
      const counts = [8, 3, 8, 1].map((batch) => {
        const observations = someValues(batch * layout(spec).inputSize, -1, 1, batch)
        network.forward(parameters, observations, batch)
        for (const { name } of network.outputs) network.outputGradient(name).fill(1)
        network.backward(parameters, observations, batch, gradient)
        network.step(optimiser, parameters, gradient, 1e-3, 0.5)
        return tf.memory().numTensors
      })
      assert.deepEqual(new Set(counts).size, 1, String(counts))
      network.dispose()
      network.dispose()
      assert.equal(tf.memory().numTensors, atRest)
    }
  })
}

test('networks of two backends take turns in one thread', async () => {
  const spec = networks['MinAtar convolution']!
  const observations = someValues(2 * 400, -1, 1, 3)
  const parameters = someParameters(spec, 3)
  const engines = [
    await createTfjsEngine({ deterministic: false, backend: 'cpu' }),
    await createTfjsEngine({ deterministic: false, backend: 'wasm' }),
  ]
  const built = engines.map((engine) => {
    const network = engine.build(spec, 2)
    const arena = network.allocate()
    network.write(arena, parameters)
    return { network, arena, gradient: network.allocate() }
  })
  for (const { network, arena } of built) network.forward(arena, observations, 2)
  for (const { network, arena, gradient } of built) {
    for (const { name } of network.outputs) network.outputGradient(name).fill(1)
    network.backward(arena, observations, 2, gradient)
  }
  const [first, second] = built.map(({ gradient }) => gradient.data)
  const largest = Math.max(...first!.map(Math.abs))
  for (const [i, value] of first!.entries()) assert.ok(Math.abs(value - second![i]!) < 1e-5 * largest)
  for (const { network } of built) network.dispose()
})

test('observations and parameters may lie in shared memory, at any offset', async () => {
  const spec = networks['MLP 4-64-64']!
  const values = someValues(12, -1, 1, 3)
  const shared = new Float32Array(new SharedArrayBuffer(64), 8, 12)
  shared.set(values)
  const network = (await createEngine('tfjs', { deterministic: false })).build(spec, 3)
  const parameters = network.allocate()
  network.write(parameters, someParameters(spec, 3))
  const sharedParameters = { data: new Float32Array(new SharedArrayBuffer(4 * network.parameterCount)) }
  network.write(sharedParameters, someParameters(spec, 3))
  network.forward(parameters, values, 3)
  const expected = network.output('logits').slice()
  network.forward(sharedParameters, shared, 3)
  assert.deepEqual(network.output('logits'), expected)
  network.dispose()
})

test('the fastest backend that is here is chosen', async () => {
  const engine = await createEngine('tfjs', { deterministic: false })
  assert.equal(engine.name, native ? 'tfjs tensorflow' : 'tfjs wasm')
})

test('a backend that is not here is refused in a sentence', { skip: native && 'tfjs-node is installed' }, async () => {
  await assert.rejects(createTfjsEngine({ deterministic: false, backend: 'tensorflow' }), {
    name: 'GrapevineError',
    code: 'engine_unavailable',
    message: /^TensorFlow\.js has no usable backend here \(tensorflow: .*tfjs-node.*\); choose --engine wasm/,
  })
})
