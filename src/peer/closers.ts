/**
 * What a start has to undo: the newest first, one call of `close` after the other, so that the order holds. A part that hangs or fails to close
 * does not keep the others from their turn: together they have STOP_TIMEOUT_MS, then STOP_GRACE_MS.
 */
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { messageOf } from '../util/errors.ts'
import { STOP_GRACE_MS, STOP_TIMEOUT_MS } from './limits.ts'

type Close = () => Promise<void> | void

export class Closers {
  readonly #clock: Clock
  readonly #log: Log
  readonly #waiting: Close[] = []
  #closing: Promise<void> = Promise.resolve()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  push(close: Close): void {
    this.#waiting.push(close)
  }

  /** Undoes what was pushed until now; never rejects. */
  close(): Promise<void> {
    this.#closing = this.#closing.then(() => this.#undo())
    return this.#closing
  }

  async #undo(): Promise<void> {
    const deadlineMs = this.#clock.now() + STOP_TIMEOUT_MS
    const done: Promise<void>[] = []
    for (let close = this.#waiting.pop(); close !== undefined; close = this.#waiting.pop()) {
      const closed = this.#closed(close)
      done.push(closed)
      await within(this.#clock, deadlineMs - this.#clock.now(), closed)
    }
    await within(this.#clock, STOP_GRACE_MS, Promise.all(done))
  }

  async #closed(close: Close): Promise<void> {
    try {
      await close()
    } catch (error) {
      this.#log.warn('closing a part failed', { message: messageOf(error) })
    }
  }
}

/** Waits for `work`, which never rejects, but not longer than `ms`. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const cancel = clock.after(ms, late.resolve)
  await Promise.race([work, late.promise])
  cancel()
}
