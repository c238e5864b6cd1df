/** Networks whose exports are compared with the engine that trains: through ONNX Runtime, TensorFlow.js, and Python. */
import * as ort from 'onnxruntime-web'
import type { EngineNetwork } from '../../src/learn/engine.ts'
import { createEngine } from '../../src/learn/engines/create.ts'
import type { NetworkSpec } from '../../src/ports/learner.ts'
import type { ObservationStage, PolicyFacts } from '../../src/ports/policy.ts'
import { someParameters, someValues } from './networks.ts'

const dense = (units: number, activation: 'tanh' | 'relu' | 'silu' | 'linear') => ({ kind: 'dense', units, activation }) as const
export const head = (name: string, size: number, ...layers: NetworkSpec['torso'][number][]) => ({ name, layers, size, gain: 1 })

/** Every kind of network that leaves Grapevine. */
export const NETWORKS: Readonly<Record<string, NetworkSpec>> = {
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

export function facts(network: NetworkSpec, observe: readonly ObservationStage[] = []): PolicyFacts {
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

/** Observations of a reference. */
export const BATCH = 3

/** Outputs of the engine for a batch of observations. */
export async function reference(spec: NetworkSpec) {
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

/** Outputs of an ONNX model for a batch of observations. */
export async function runOnnx(bytes: Uint8Array, spec: NetworkSpec, observations: Float32Array) {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  const session = await ort.InferenceSession.create(bytes)
  const results = await session.run({
    observation: new ort.Tensor('float32', observations, [observations.length / spec.input.reduce((a, b) => a * b, 1), ...spec.input]),
  })
  await session.release()
  return results
}
