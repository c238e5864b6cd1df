/** What leaves Grapevine computes what is computed here: plain TypeScript, ONNX Runtime and TensorFlow.js against the engine that trained. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import * as ort from 'onnxruntime-web'
import type { EngineNetwork } from '../../src/learn/engine.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import { encodeLayersModel } from '../../src/learn/exports/layers-model.ts'
import { encodeOnnx } from '../../src/learn/exports/onnx.ts'
import { ForwardPass } from '../../src/learn/forward.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import type { ObservationStage, PolicyFacts } from '../../src/ports/policy.ts'
import { someParameters, someValues } from '../support/networks.ts'
import { assertClose } from './helpers.ts'

const dense = (units: number, activation: 'tanh' | 'relu' | 'silu' | 'linear') => ({ kind: 'dense', units, activation }) as const
const head = (name: string, size: number, ...layers: NetworkSpec['torso'][number][]) => ({ name, layers, size, gain: 1 })

const NETWORKS: Readonly<Record<string, NetworkSpec>> = {
  MLP: { input: [4], torso: [dense(64, 'tanh'), dense(33, 'silu')], heads: [head('logits', 2), head('value', 1)], vectors: [] },
  conv: {
    input: [10, 9, 3],
    torso: [
      { kind: 'conv', filters: 8, kernel: 3, stride: 2, activation: 'relu' },
      { kind: 'layerNorm' },
      { kind: 'conv', filters: 5, kernel: 2, stride: 1, activation: 'silu' },
      dense(32, 'relu'),
      { kind: 'layerNorm' },
    ],
    heads: [head('logits', 6), head('value', 1)],
    vectors: [],
  },
  dueling: {
    input: [6],
    torso: [dense(20, 'relu')],
    heads: [head('value', 1, dense(9, 'relu')), head('advantage', 3, dense(7, 'tanh'))],
    vectors: [],
  },
  Gaussian: {
    input: [17],
    torso: [],
    heads: [head('mean', 6, dense(63, 'tanh')), head('value', 1, dense(64, 'tanh'))],
    vectors: [{ name: 'logStd', size: 6, initial: -0.5 }],
  },
}

function facts(network: NetworkSpec, observe: readonly ObservationStage[] = []): PolicyFacts {
  return {
    environment: { id: 'Test-v0', version: '1', options: {} },
    wrappers: [],
    algorithm: 'a2c',
    network,
    observationShape: network.input,
    observe,
    action: { kind: 'discrete', n: 2 },
    run: '',
    version: 1,
    steps: 1,
    returnMean: null,
  }
}

const BATCH = 3

/** Outputs of the engine for a batch of observations. */
async function reference(spec: NetworkSpec) {
  const engine = await createEngine('wasm', { deterministic: true })
  const network: EngineNetwork = engine.build(spec, BATCH)
  const parameters = someParameters(spec, 3)
  const observations = someValues(BATCH * spec.input.reduce((a, b) => a * b, 1), -2, 2, 4)
  const arena = network.allocate()
  network.write(arena, parameters)
  network.forward(arena, observations, BATCH)
  const outputs = Object.fromEntries(network.outputs.map(({ name }) => [name, network.output(name).slice()]))
  network.dispose()
  return { parameters, observations, outputs }
}

before(() => {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
})

async function runOnnx(bytes: Uint8Array, spec: NetworkSpec, observations: Float32Array) {
  const session = await ort.InferenceSession.create(bytes)
  const results = await session.run({
    observation: new ort.Tensor('float32', observations, [observations.length / spec.input.reduce((a, b) => a * b, 1), ...spec.input]),
  })
  await session.release()
  return results
}

for (const [name, spec] of Object.entries(NETWORKS)) {
  test(`${name}: plain TypeScript, ONNX Runtime and TensorFlow.js agree with the engine within 1e-5`, async () => {
    const { parameters, observations, outputs } = await reference(spec)
    const width = observations.length / BATCH

    const forward = new ForwardPass(spec, parameters)
    for (let row = 0; row < BATCH; row++) {
      forward.run(observations.slice(row * width, (row + 1) * width))
      for (const { name: output, size } of spec.heads)
        assertClose(forward.output(output)!, outputs[output]!.slice(row * size, (row + 1) * size), 1e-5, 1e-5)
    }

    const results = await runOnnx(encodeOnnx({ facts: facts(spec), parameters }), spec, observations)
    for (const [output, values] of Object.entries(outputs)) assertClose(results[output]!.data as Float32Array, values, 1e-5, 1e-5)
    if (name === 'dueling') {
      const { value, advantage } = outputs
      const q = [...advantage!].map((a, i) => {
        const row = Math.floor(i / 3)
        return value![row]! + a - (advantage![3 * row]! + advantage![3 * row + 1]! + advantage![3 * row + 2]!) / 3
      })
      assertClose(results.q!.data as Float32Array, q, 1e-5, 1e-5)
    }

    await tf.setBackend('cpu')
    const files = await encodeLayersModel({ facts: facts(spec), parameters }, tf)
    const { modelTopology, weightsManifest, userDefinedMetadata } = JSON.parse(new TextDecoder().decode(files['model.json']))
    const loaded = await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: files['weights.bin'].slice().buffer }),
    )
    const predicted = loaded.predict(tf.tensor(observations, [BATCH, ...spec.input])) as tf.Tensor[]
    for (const [i, { name: output }] of spec.heads.entries()) {
      assert.equal(loaded.outputNames[i], output)
      assertClose(predicted[i]!.dataSync() as Float32Array, outputs[output]!, 1e-5, 1e-5)
    }
    for (const { name: vector } of spec.vectors) assertClose(userDefinedMetadata.vectors[vector], outputs[vector]!)
    loaded.dispose()
  })
}

test('normalising is part of the ONNX graph, for stacked frames as well', async () => {
  const spec: NetworkSpec = { input: [4], torso: [], heads: [head('logits', 2)], vectors: [] }
  const parameters = someParameters(spec, 5)
  const observe: ObservationStage[] = [
    { kind: 'normalise', clip: 1.5, epsilon: 1e-8, mean: [1, -1], variance: [4, 0.25] },
    { kind: 'stack', frames: 2, depth: 2 },
  ]
  const observed = Float32Array.of(3, -0.5, 100, -1)
  const { logits } = await runOnnx(encodeOnnx({ facts: facts(spec, observe), parameters }), spec, observed)
  const forward = new ForwardPass(spec, parameters)
  // (3 - 1) / 2, (-0.5 + 1) / 0.5, clipped, 0
  forward.run(Float32Array.of(1, 1, 1.5, 0))
  assertClose(logits!.data as Float32Array, forward.output('logits')!, 1e-5, 1e-5)
})
