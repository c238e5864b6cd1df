/**
 * One operation on the network: a signal that aborts when a deadline passes, when a parent aborts, or at `end`.
 * A deadline counts its time in slices, so that a stall of our own event loop is not held against the other side. `end` must be called:
 * it cancels every timer and leaves no listener behind.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../ports/clock.ts'
import { DEADLINE_SLICES } from './limits.ts'

export interface Deadline {
  /** The time starts again from here. */
  restart(): void
  cancel(): void
}

export class Operation {
  readonly #clock: Clock
  readonly #controller = new AbortController()
  readonly #endings: (() => void)[] = []

  constructor(clock: Clock, ...parents: readonly (AbortSignal | undefined)[]) {
    this.#clock = clock
    setMaxListeners(Number.POSITIVE_INFINITY, this.#controller.signal)
    for (const parent of parents) if (parent !== undefined) this.#follow(parent)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Aborts with `reason()` unless cancelled or restarted within `ms`. */
  deadline(ms: number, reason: () => Error): Deadline {
    let left = DEADLINE_SLICES
    let cancelTimer = () => {}
    const arm = () => {
      cancelTimer = this.#clock.after(ms / DEADLINE_SLICES, () => {
        left--
        if (left > 0) arm()
        else this.#controller.abort(reason())
      })
    }
    arm()
    const cancel = () => {
      left = 0
      cancelTimer()
    }
    this.#endings.push(cancel)
    return {
      restart: () => {
        if (left === 0) return
        cancelTimer()
        left = DEADLINE_SLICES
        arm()
      },
      cancel,
    }
  }

  /** Settles as `promise` does, or rejects with the signal's reason when that comes first; a late rejection of `promise` is swallowed. */
  async race<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {})
    const { signal } = this.#controller
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  end(): void {
    for (const ending of this.#endings) ending()
    this.#endings.length = 0
  }

  #follow(parent: AbortSignal): void {
    const onAbort = () => this.#controller.abort(parent.reason)
    if (parent.aborted) onAbort()
    parent.addEventListener('abort', onAbort, { once: true })
    this.#endings.push(() => parent.removeEventListener('abort', onAbort))
  }
}
