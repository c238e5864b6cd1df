/** A batch split over two threads gives what one thread gives: outputs to the bit, gradients up to the order of sums. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import type { NetworkSpec } from '../../../src/ports/learner.ts'
import { networks, someParameters, someValues } from '../../support/networks.ts'

const conv: NetworkSpec = {
  input: [6, 6, 3],
  torso: [
    { kind: 'conv', filters: 8, kernel: 3, stride: 1, activation: 'relu' },
    { kind: 'conv', filters: 9, kernel: 2, stride: 1, activation: 'silu' },
    { kind: 'layerNorm' },
    { kind: 'dense', units: 20, activation: 'tanh' },
  ],
  heads: [
    { name: 'logits', layers: [], size: 3, gain: 1 },
    { name: 'value', layers: [{ kind: 'dense', units: 7, activation: 'relu' }], size: 1, gain: 1 },
  ],
  vectors: [{ name: 'logStd', size: 3, initial: 0 }],
}

const specs: Readonly<Record<string, NetworkSpec>> = { 'MLP 4-64-64': networks['MLP 4-64-64']!, 'convolutions, norm, separate heads': conv }

for (const [title, spec] of Object.entries(specs)) {
  for (const batch of [1023, 1024, 1537]) {
    test(`${title}, ${batch} rows in two threads`, () => {
      const one = pass(spec, batch, 1)
      const two = pass(spec, batch, 2)
      for (const [name, values] of one.outputs) assert.deepEqual(two.outputs.get(name), values, name)
      const norm = Math.hypot(...one.gradient)
      const error = Math.hypot(...one.gradient.map((value, i) => value - two.gradient[i]!))
      assert.ok(norm > 0 && error <= 2e-6 * norm, `gradients differ by ${error / norm}`)
      assert.deepEqual(pass(spec, batch, 2).gradient, two.gradient, 'the same twice')
      if (batch < 1024) assert.equal(error, 0)
    })
  }
}

test('goes on with other batches and networks, and after a pause in which the second thread sleeps', async () => {
  const engine = createWasmEngine({ deterministic: true, threads: 2 })
  const network = engine.build(specs['MLP 4-64-64']!, 2048)
  const parameters = network.allocate()
  network.write(parameters, someParameters(network.spec, 1))
  const observations = someValues(2048 * 4, -1, 1, 1)
  const first = new Map<number, Float32Array>()
  for (const batch of [2048, 8, 1024, 2048, 1500, 1500]) {
    network.forward(parameters, observations.subarray(0, batch * 4), batch)
    const output = network.output('value').slice()
    const before = first.get(8) ?? output
    assert.deepEqual(output.subarray(0, 8), before.subarray(0, 8))
    first.set(8, before)
    await new Promise((resolve) => setImmediate(resolve))
  }
})

function pass(spec: NetworkSpec, batch: number, threads: number) {
  const engine = createWasmEngine({ deterministic: true, threads })
  const network = engine.build(spec, batch)
  const parameters = network.allocate()
  network.write(parameters, someParameters(spec, 5))
  const size = spec.input.reduce((product, length) => product * length, 1)
  const observations = someValues(batch * size, -1, 1, 7)
  network.forward(parameters, observations, batch)
  const outputs = new Map(network.outputs.map(({ name }) => [name, network.output(name).slice()]))
  for (const { name } of network.outputs) network.outputGradient(name).set(someValues(network.output(name).length, -1, 1, name.length))
  const gradient = network.allocate()
  network.backward(parameters, observations, batch, gradient)
  const canonical = new Float32Array(network.parameterCount)
  network.read(gradient, canonical)
  return { outputs, gradient: canonical }
}
