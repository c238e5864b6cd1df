/** A complete manifest for tests: A2C on CartPole. */
import type { Manifest } from '../../src/wire/manifest.ts'

export const EXAMPLE_MANIFEST: Manifest = {
  protocol: [1, 0],
  name: 'vineyard',
  environment: { id: 'CartPole-v1', version: '1', options: { gravity: 9.8, nested: { list: [1, null, true, 'x'] } } },
  wrappers: [{ id: 'timeLimit', options: { steps: 500 } }],
  algorithm: {
    id: 'a2c',
    hyperparameters: { learningRate: 7e-4, steps: 5, normalise: false, clip: null, schedule: 'linear' },
    horizonSteps: 500_000,
  },
  network: {
    input: [4],
    torso: [
      { kind: 'dense', units: 64, activation: 'tanh' },
      { kind: 'conv', filters: 16, kernel: 3, stride: 1, activation: 'relu' },
      { kind: 'layerNorm' },
    ],
    heads: [
      { name: 'logits', layers: [], size: 2, gain: 0.01 },
      { name: 'value', layers: [{ kind: 'dense', units: 8, activation: 'silu' }], size: 1, gain: 1 },
    ],
    vectors: [{ name: 'logStd', size: 2, initial: -0.5 }],
  },
  averaging: { strategy: 'broadcast', period: 10, codec: 'f32', partner: 'random', robust: 'clip' },
  seed: 7,
  initialDigest: '0123456789abcdef'.repeat(4),
  nonce: '0123456789abcdef'.repeat(2),
}
