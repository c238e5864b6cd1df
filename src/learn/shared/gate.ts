/**
 * A gate before an arena that threads write without a lock: closed, nobody is inside and the keeper may read and write in peace. Threads go in
 * only for the moment in which they take a copy or apply an update, so that closing takes no longer than that and hung environments hold up nobody.
 *
 * Words: whether the gate is open, then for each thread whether it is inside.
 */
import { GATE_PATIENCE_SLEEPS } from '../limits.ts'
import { waitWhile } from './waiting.ts'

const OPEN = 0
const INSIDE = 1

export function gateBuffer(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((INSIDE + threads) * Int32Array.BYTES_PER_ELEMENT)
}

export class Gate {
  readonly #words: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  /** A thread's: true once inside; false where the gate stayed shut for a while. */
  enter(thread: number): boolean {
    Atomics.store(this.#words, INSIDE + thread, 1)
    // The keeper may have shut it just before: it looks at the threads after that, and the thread at the gate after its own sign.
    if (Atomics.load(this.#words, OPEN) === 1) return true
    this.leave(thread)
    waitWhile(this.#words, OPEN, 0)
    return false
  }

  leave(thread: number): void {
    Atomics.store(this.#words, INSIDE + thread, 0)
    if (Atomics.load(this.#words, OPEN) === 0) Atomics.notify(this.#words, INSIDE + thread)
  }

  /** The keeper's. */
  open(): void {
    Atomics.store(this.#words, OPEN, 1)
    Atomics.notify(this.#words, OPEN)
  }

  /** The keeper's: returns once nobody is inside. A thread that died there, and so never leaves, is put out after a while. */
  close(): void {
    Atomics.store(this.#words, OPEN, 0)
    for (let i = INSIDE; i < this.#words.length; i++) this.#awaitLeaving(i)
  }

  #awaitLeaving(word: number): void {
    for (let sleeps = 0; sleeps < GATE_PATIENCE_SLEEPS; sleeps++) {
      if (Atomics.load(this.#words, word) === 0) return
      waitWhile(this.#words, word, 1)
    }
    Atomics.store(this.#words, word, 0)
  }
}
