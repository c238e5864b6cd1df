/** Engines by name; each is loaded only when it is asked for. */
import type { Engine, EngineOptions } from '../engine.ts'

/** Throws `engine_unavailable` when this machine cannot run it. */
export async function createEngine(name: 'wasm' | 'tfjs', options: EngineOptions): Promise<Engine> {
  if (name === 'tfjs') return (await import('./tfjs.ts')).createTfjsEngine(options)
  return (await import('./wasm.ts')).createWasmEngine(options)
}
