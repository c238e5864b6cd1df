/** Waiting on shared words: a short spin, then sleep. Blocks its thread; never call it where an event loop must turn. */
import { SLEEP_MS, SPINS_BEFORE_SLEEP } from '../limits.ts'

/** Returns once `words[index]` is not `value` any more, or after SLEEP_MS; which of them, the caller looks. */
export function waitWhile(words: Int32Array, index: number, value: number): void {
  for (let i = 0; i < SPINS_BEFORE_SLEEP; i++) if (Atomics.load(words, index) !== value) return
  Atomics.wait(words, index, value, SLEEP_MS)
}
