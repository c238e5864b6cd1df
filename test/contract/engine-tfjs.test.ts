import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTfjsEngine } from '../../src/learn/engines/tfjs.ts'
import { engineContract } from './engine.ts'

engineContract('tfjs cpu', () => createTfjsEngine({ deterministic: false, backend: 'cpu' }))
engineContract('tfjs wasm', () => createTfjsEngine({ deterministic: false, backend: 'wasm' }))

const native = await import('@tensorflow/tfjs-node').then(
  () => true,
  () => false,
)
if (native) engineContract('tfjs tensorflow', () => createTfjsEngine({ deterministic: false, backend: 'tensorflow' }))
else {
  const missing = 'tfjs-node is not installed; scripts/setup-tfjs-node.sh does that'
  test('tfjs tensorflow', { skip: process.env.CI === 'true' ? false : missing }, () => assert.fail(missing))
}
