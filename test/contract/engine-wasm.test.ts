import { createEngine } from '../../src/learn/engines/create.ts'
import { engineContract } from './engine.ts'

engineContract('wasm', () => createEngine('wasm', { deterministic: false }))
engineContract('wasm deterministic', () => createEngine('wasm', { deterministic: true }))
