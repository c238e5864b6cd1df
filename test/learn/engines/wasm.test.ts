import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { engineContract } from '../../contract/engine.ts'

engineContract('wasm', async () => createWasmEngine({ deterministic: false }))
engineContract('wasm deterministic', async () => createWasmEngine({ deterministic: true }))
for (const kernels of ['relaxed', 'deterministic', 'wide'] as const) {
  engineContract(`wasm (${kernels})`, async () => ({ ...createWasmEngine({ deterministic: false, kernels }), name: `wasm (${kernels})` }))
}
