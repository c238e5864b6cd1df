/** Who waits until a learner in a thread has made so many updates. Each has a token by which the thread is asked, another one again, and answers. */
import type { Progress } from '../ports/learner.ts'
import type { LearnerRequest } from './learner-protocol.ts'

type ReachRequest = Extract<LearnerRequest, { kind: 'reach' }>

interface Waiter {
  readonly request: ReachRequest
  readonly resolve: (progress: Progress) => void
  readonly reject: (error: unknown) => void
}

export class ReachWaiters {
  readonly #waiting = new Map<number, Waiter>()
  #nextToken = 0

  /** What the thread is to be asked, and what comes of it. Rejects with the reason of `signal`, which is not aborted yet. */
  add(updates: number, signal?: AbortSignal): { readonly request: ReachRequest; readonly reached: Promise<Progress> } {
    const token = this.#nextToken++
    const request = { kind: 'reach', updates, token } as const
    const { promise, resolve, reject } = Promise.withResolvers<Progress>()
    const abort = () => {
      this.#waiting.delete(token)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#waiting.set(token, { request, resolve, reject })
    return { request, reached: promise.finally(() => signal?.removeEventListener('abort', abort)) }
  }

  /** What a thread is asked for those who still wait. */
  requests(): readonly ReachRequest[] {
    return Array.from(this.#waiting.values(), ({ request }) => request)
  }

  settle(token: number, progress: Progress): void {
    this.#waiting.get(token)?.resolve(progress)
    this.#waiting.delete(token)
  }

  rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
