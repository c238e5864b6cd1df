/** Engines by name; each is loaded only when it is asked for. */
import { GrapevineError } from '../../util/errors.ts'
import type { Engine, EngineOptions } from '../engine.ts'

/** Throws `engine_unavailable` when this machine cannot run it. */
export async function createEngine(name: 'wasm' | 'tfjs', options: EngineOptions): Promise<Engine> {
  if (name === 'tfjs') return (await import('./tfjs.ts')).createTfjsEngine(options)
  throw new GrapevineError('engine_unavailable', 'local', 'This version has no wasm engine yet; choose --engine tfjs.')
}
