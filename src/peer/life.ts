/**
 * The life of a daemon: one start, which leaves all that it opens or, where it fails, nothing; and one stop, which may come at any time and gives
 * a start up that goes on. What was opened is closed in reverse order, within STOP_TIMEOUT_MS + STOP_GRACE_MS.
 */
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { GrapevineError } from '../util/errors.ts'
import { Closers, within } from './closers.ts'
import { STOP_TIMEOUT_MS } from './limits.ts'

export class Life {
  /** Settles once everything is undone; rejects with what failed for good. */
  readonly finished: Promise<{ readonly reason: string }>
  readonly closers: Closers
  readonly #clock: Clock
  readonly #finish: { resolve: (value: { reason: string }) => void; reject: (error: unknown) => void }
  #starting: Promise<void> | null = null
  #stopping: Promise<void> | null = null
  /** Why it stops; null before. */
  #reason: string | null = null
  /** Aborts when a start is to be given up. */
  readonly #leaving = new AbortController()
  #failure: { readonly error: unknown } | null = null

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.closers = new Closers(clock, log)
    const finish = Promise.withResolvers<{ reason: string }>()
    this.finished = finish.promise
    this.#finish = finish
    // A caller that only listens to events need not also watch `finished`.
    this.finished.catch(() => undefined)
  }

  /** `open` pushes to `closers` what undoes each of its steps. */
  start(signal: AbortSignal, open: (leaving: AbortSignal) => Promise<void>): Promise<void> {
    this.#starting ??= this.#start(signal, open)
    return this.#starting
  }

  /** `onStopped` is called when all is undone, before `finished` settles. */
  stop(reason: string, onStopped: () => void): Promise<void> {
    this.#reason ??= reason
    this.#stopping ??= this.#stop(reason, onStopped)
    return this.#stopping
  }

  /** It cannot go on, because of `error`; the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  get failure(): { readonly error: unknown } | null {
    return this.#failure
  }

  get reason(): string | null {
    return this.#reason
  }

  async #start(signal: AbortSignal, open: (leaving: AbortSignal) => Promise<void>): Promise<void> {
    const interrupt = () => void this.#interrupt(signal.reason)
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt, { once: true })
    try {
      await open(this.#leaving.signal)
    } catch (error) {
      await this.closers.close()
      // What broke because it was interrupted is no reason of its own.
      throw this.#leaving.signal.aborted ? this.#leaving.signal.reason : error
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** Gives a start up that goes on: what it waits for ends when what it opened is closed. */
  async #interrupt(reason: unknown): Promise<void> {
    this.#leaving.abort(reason)
    await this.closers.close()
  }

  async #stop(reason: string, onStopped: () => void): Promise<void> {
    const deadlineMs = this.#clock.now() + STOP_TIMEOUT_MS
    await this.#interrupt(this.#failure?.error ?? new GrapevineError('stopped', 'local', 'This peer was stopped.'))
    // Whatever a start opened meanwhile, it closes itself.
    const started = this.#starting?.catch(() => undefined)
    if (started !== undefined) await within(this.#clock, deadlineMs - this.#clock.now(), started)
    onStopped()
    if (this.#failure === null) this.#finish.resolve({ reason })
    else this.#finish.reject(this.#failure.error)
  }
}
