/** What leaves Grapevine computes what is computed here: plain TypeScript, ONNX Runtime and TensorFlow.js against the engine that trained. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { encodeLayersModel } from '../../src/learn/exports/layers-model.ts'
import { encodeOnnx } from '../../src/learn/exports/onnx.ts'
import { ForwardPass } from '../../src/learn/forward.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import type { ObservationStage } from '../../src/ports/policy.ts'
import { BATCH, facts, head, NETWORKS, reference, runOnnx } from '../support/exported.ts'
import { someParameters } from '../support/networks.ts'
import { assertClose } from './helpers.ts'

for (const [name, spec] of Object.entries(NETWORKS)) {
  test(`${name}: plain TypeScript, ONNX Runtime and TensorFlow.js agree with the engine within 1e-5`, async () => {
    const { parameters, observations, outputs } = await reference(spec)
    const width = observations.length / BATCH

    const forward = new ForwardPass(facts(spec), parameters)
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
  const forward = new ForwardPass(facts(spec), parameters)
  // (3 - 1) / 2, (-0.5 + 1) / 0.5, clipped, 0
  forward.run(Float32Array.of(1, 1, 1.5, 0))
  assertClose(logits!.data as Float32Array, forward.output('logits')!, 1e-5, 1e-5)
})
