/**
 * Collections of this thread's garbage on demand. V8 looks at the memory behind buffers late: what lies in shared memory is no burden in its
 * eyes, so that a thread which allocates little else keeps it for ever; and for some ten MiB of other buffers it marks the whole heap, where a look at
 * what is young is all that it takes.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void
setFlagsFromString('--no-expose-gc')

/**
 * Heaps of this process may grow to four times what is alive before all of it is marked: once large buffers pass, V8 counts them against its limit and
 * marks 25 MB of live objects at every second exchange of 4 MB, and drops compiled code with them.
 */
export function markSeldom(): void {
  setFlagsFromString('--heap-growing-percent=300')
}

/** Collects what is young, or with `all` everything, in the next turn of the event loop after every `atBytes` of garbage. */
export class Garbage {
  readonly #atBytes: number
  readonly #type: 'minor' | 'major'
  #bytes = 0
  #due = false

  constructor(atBytes: number, { all = false } = {}) {
    this.#atBytes = atBytes
    this.#type = all ? 'major' : 'minor'
  }

  /** So many bytes of buffers were made that will soon be of no use. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < this.#atBytes || this.#due) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#bytes = 0
      gc({ type: this.#type })
    })
  }
}

/** Of the arrays in a value, in bytes. */
export function arrayBytes(value: unknown): number {
  const values = ArrayBuffer.isView(value) ? [value] : Object.values(Object(value))
  return values.reduce((sum: number, each) => sum + (ArrayBuffer.isView(each) ? each.byteLength : 0), 0)
}
