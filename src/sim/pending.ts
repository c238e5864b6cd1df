/** Operations of one simulated peer that wait for others, so that a timeout, a signal, a lost connection or the peer's own end can fail them. */
import type { Clock } from '../ports/clock.ts'
import type { NetworkErrorCode, PeerId } from '../ports/network.ts'
import { GrapevineError } from '../util/errors.ts'

type Failure = GrapevineError<NetworkErrorCode>

export interface PendingOperation<T> {
  readonly promise: Promise<T>
  /** Of these two, the first call counts. */
  readonly succeed: (value: T) => void
  readonly fail: (error: Failure) => void
}

export interface PendingOptions {
  /** null: no timeout. */
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  /** The peer whose connection it depends on; null: none. */
  readonly peer: PeerId | null
}

export class Pending {
  readonly #clock: Clock
  readonly #open = new Map<(error: Failure) => void, PeerId | null>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin<T>({ timeoutMs, signal, peer }: PendingOptions): PendingOperation<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const settle = (act: () => void) => {
      if (!this.#open.delete(fail)) return
      cancelTimeout()
      signal?.removeEventListener('abort', onAbort)
      act()
    }
    const fail = (error: Failure) => settle(() => reject(error))
    const onAbort = () => settle(() => reject(signal?.reason))
    const late = () => fail(new GrapevineError('timeout', 'network', 'There was no answer in time.'))
    const cancelTimeout = timeoutMs === null ? () => {} : this.#clock.after(timeoutMs, late)
    this.#open.set(fail, peer)
    signal?.addEventListener('abort', onAbort, { once: true })
    return { promise, fail, succeed: (value) => settle(() => resolve(value)) }
  }

  failAll(error: Failure): void {
    for (const fail of [...this.#open.keys()]) fail(error)
  }

  failOf(peer: PeerId, error: Failure): void {
    for (const [fail, of] of [...this.#open]) if (of === peer) fail(error)
  }
}
