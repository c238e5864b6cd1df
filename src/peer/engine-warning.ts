/** The fall-back to the deterministic kernels is worth a word: results stay right, updates are slower. */
import type { PeerEvent } from '../observe/events.ts'
import type { Run } from './run.ts'

export function warnOfEngine({ learner }: Run, deterministic: boolean, emit: (event: PeerEvent) => void): void {
  if (deterministic || learner.describe().engine !== 'wasm deterministic') return
  const message =
    'This machine has no relaxed SIMD for WebAssembly, so the deterministic kernels are used: results are right, updates may be slower.'
  emit({ event: 'warning', code: 'engine_fallback', message })
}
