/**
 * Requests to the thread of a learner: made one at a time, each after all earlier ones were answered, in the order of the calls. While no thread is
 * ready they wait; a thread that replaces another gets what that one did not answer.
 */
import type { GrapevineError } from '../util/errors.ts'
import type { LearnerReply, LearnerRequest } from './learner-protocol.ts'

/** What is answered in turn. */
export type LearnerCall = Exclude<LearnerRequest, { kind: 'reach' | 'build' }>

/** What settles the oldest request. */
export type Answer = Extract<LearnerReply, { kind: 'done' | 'state' | 'offer' | 'taken' }>

interface Pending {
  readonly request: LearnerCall
  /** Nobody waits for it: it brings a new thread to where the old one was. */
  readonly own: boolean
  /** Runs just before the request is posted. */
  readonly prepare: () => void
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

export class LearnerRequests {
  /** To the thread that is ready; null where there is none. */
  #post: ((request: LearnerRequest) => void) | null = null
  /** Not answered yet, oldest first: one of a caller, after those that bring a new thread to where the old one was. */
  #pending: Pending[] = []
  /** Settles when every request made so far was answered. */
  #last: Promise<unknown> = Promise.resolve()
  /** Why no request is taken any more; null while they are. */
  #over: GrapevineError | null = null

  /** Rejects with what the thread refused it for, or with what ended all. `prepare` runs just before it is posted, and again for another thread. */
  make(request: LearnerCall, prepare: () => void = () => undefined): Promise<Answer> {
    const answer = this.#last.then(() => {
      if (this.#over !== null) throw this.#over
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      this.#ask({ request, own: false, prepare, resolve, reject })
      return promise
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  /** Posts at once what is not answered in turn; nothing happens while no thread is ready. */
  tell(request: LearnerRequest): void {
    this.#post?.(request)
  }

  answered(answer: Answer): void {
    this.#pending.shift()?.resolve(answer)
  }

  refused(error: unknown): void {
    this.#pending.shift()?.reject(error)
  }

  /** The thread is gone: what it did not answer waits for another one. */
  hold(): void {
    this.#post = null
  }

  /** A thread is ready: `first` brings it to where the one before was. */
  goOn(post: (request: LearnerRequest) => void, first: readonly LearnerCall[]): void {
    const left = this.#pending.filter(({ own }) => !own)
    this.#pending = []
    this.#post = post
    const ignore = () => undefined
    for (const request of first) this.#ask({ request, own: true, prepare: ignore, resolve: ignore, reject: ignore })
    for (const pending of left) this.#ask(pending)
  }

  /** Rejects what waits and what is asked from now on; the first error counts for the latter. */
  end(error: GrapevineError): void {
    this.#over ??= error
    for (const pending of this.#pending.splice(0)) pending.reject(error)
  }

  #ask(pending: Pending): void {
    this.#pending.push(pending)
    if (this.#post === null) return
    pending.prepare()
    this.#post(pending.request)
  }
}
