/**
 * Collections of this thread's young garbage on demand. V8 looks at the memory behind buffers late: what lies in shared memory is no burden in its
 * eyes, so that a thread which allocates little else keeps it for ever; and for some ten MiB of other buffers it marks the whole heap, where a look at
 * what is young is all that it takes.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void
setFlagsFromString('--no-expose-gc')

/** Collects in the next turn of the event loop after every `atBytes` of garbage. */
export class Garbage {
  readonly #atBytes: number
  #bytes = 0
  #due = false

  constructor(atBytes: number) {
    this.#atBytes = atBytes
  }

  /** So many bytes of buffers were made that will soon be of no use. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < this.#atBytes || this.#due) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#bytes = 0
      gc({ type: 'minor' })
    })
  }
}
