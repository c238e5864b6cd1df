import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { engineContract } from '../../contract/engine.ts'

engineContract('wasm', async () => createWasmEngine({ deterministic: false }))
engineContract('wasm deterministic', async () => createWasmEngine({ deterministic: true }))
