/**
 * The Learner port over a thread. Requests are answered one at a time in the order they were made, so that a snapshot follows every earlier mix.
 * A thread that crashes rejects `failed` and whatever was waiting. `stop` gives the thread LEARNER_STOP_MS to leave and ends it then.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { requireLength } from '../learn/shapes.ts'
import type {
  Learner,
  LearnerDescription,
  LearnerSettings,
  LearnerState,
  Normaliser,
  Progress,
  Replica,
  SaveOptions,
  SharedExperience,
  Snapshot,
} from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { shareKernelRanking } from './kernel-ranking.ts'
import { crashed, type LearnerReply, type LearnerRequest, type LearnerThreadData, restoredError } from './learner-protocol.ts'
import { LEARNER_STOP_MS } from './limits.ts'
import { workerUrl } from './worker-url.ts'

type Ready = Extract<LearnerReply, { kind: 'ready' }>
type Done = Extract<LearnerReply, { kind: 'done' }>
type Saved = Extract<LearnerReply, { kind: 'state' }>
type Offered = Extract<LearnerReply, { kind: 'offer' }>
type Taken = Extract<LearnerReply, { kind: 'taken' }>
/** What settles the oldest request. */
type Answer = Done | Saved | Offered | Taken

/** A thread that loads what learners need, and then waits for the settings of its own. */
export interface RaisedThread {
  readonly worker: Worker
  readonly port: MessagePort
  readonly mailbox: Int32Array
  /** Resolves with what crashed it, or null, when it is gone. */
  readonly exited: Promise<Error | null>
}

/** May come long before the settings are known: a third of a learner's start is done meanwhile. Who gives it up terminates its worker. */
export function raiseLearnerThread(): RaisedThread {
  const channel = new MessageChannel()
  const mailbox = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const data: LearnerThreadData = { port: channel.port2, mailbox }
  const worker = new Worker(workerUrl('learner-worker'), { workerData: data, transferList: [channel.port2], name: 'learner' })
  let crash: Error | null = null
  worker.on('error', (error) => {
    crash = error instanceof Error ? error : new Error(String(error))
  })
  const exited = new Promise<Error | null>((resolve) => worker.once('exit', () => resolve(crash)))
  return { worker, port: channel.port1, mailbox, exited }
}

/** Starts a learner in a thread of its own; resolves when it is built and holds, rejects with what its construction threw or with the reason of `signal`. */
export async function startLearnerThread(
  settings: LearnerSettings,
  signal = new AbortController().signal,
  thread: RaisedThread = raiseLearnerThread(),
): Promise<Learner> {
  const { worker, port, exited } = thread
  const ready = Promise.withResolvers<Ready>()
  const onReply = (reply: LearnerReply) => {
    if (reply.kind === 'ready') ready.resolve(reply)
    if (reply.kind === 'failed') ready.reject(restoredError(reply.error))
  }
  const onAbort = () => ready.reject(signal.reason)
  port.on('message', onReply)
  signal.addEventListener('abort', onAbort, { once: true })
  exited.then((crash) => ready.reject(crashed(crash?.message ?? 'it ended before it was ready')))
  try {
    signal.throwIfAborted()
    send(thread, { kind: 'build', settings })
    const first = await ready.promise
    shareKernelRanking(first.kernels)
    return new ThreadLearner(thread, first)
  } catch (error) {
    port.close()
    await worker.terminate()
    throw error
  } finally {
    port.off('message', onReply)
    signal.removeEventListener('abort', onAbort)
  }
}

function send({ port, mailbox }: Pick<RaisedThread, 'port' | 'mailbox'>, request: LearnerRequest): void {
  port.postMessage(request)
  Atomics.add(mailbox, 0, 1)
  Atomics.notify(mailbox, 0)
}

class ThreadLearner implements Learner {
  readonly failed: Promise<never>
  readonly #fail: (error: unknown) => void
  readonly #thread: RaisedThread
  readonly #ready: Ready
  readonly #listeners = new Set<(progress: Progress) => void>()
  readonly #waiters = new Map<number, { readonly resolve: (progress: Progress) => void; readonly reject: (error: unknown) => void }>()
  #pending: { readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void } | null = null
  /** Settles when every request made so far was answered. */
  #last: Promise<unknown> = Promise.resolve()
  #progress: Progress
  #nextToken = 0
  /** Why no call is taken any more; null while alive. */
  #over: GrapevineError | null = null
  #stopping: Promise<void> | null = null

  constructor(thread: RaisedThread, ready: Ready) {
    const failure = Promise.withResolvers<never>()
    this.failed = failure.promise
    this.#fail = failure.reject
    // Whoever does not watch `failed` still sees every call rejected.
    this.failed.catch(() => undefined)
    this.#thread = thread
    this.#ready = ready
    this.#progress = ready.progress
    thread.port.on('message', (reply: LearnerReply) => this.#receive(reply))
    thread.exited.then((crash) => this.#crash(crashed(crash?.message ?? 'it ended by itself')))
  }

  describe(): LearnerDescription {
    return this.#ready.description
  }

  async run(): Promise<void> {
    await this.#request({ kind: 'run' })
  }

  async hold(): Promise<void> {
    await this.#request({ kind: 'hold' })
  }

  reach(updates: number, signal?: AbortSignal): Promise<Progress> {
    if (this.#over !== null) return Promise.reject(this.#over)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const token = this.#nextToken++
    return new Promise<Progress>((resolve, reject) => {
      const abort = () => {
        this.#waiters.delete(token)
        reject(signal?.reason)
      }
      const settled = () => signal?.removeEventListener('abort', abort)
      this.#waiters.set(token, {
        resolve: (progress) => {
          settled()
          resolve(progress)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
      signal?.addEventListener('abort', abort, { once: true })
      this.#post({ kind: 'reach', updates, token })
    })
  }

  progress(): Progress {
    return this.#progress
  }

  async snapshot(): Promise<Snapshot> {
    const { version, steps, normalisers } = (await this.#request({ kind: 'snapshot' })) as Done
    const { snapshot: parameters, target } = this.#ready
    return { parameters, target, version, steps, normalisers: normalisers.all, ownNormalisers: normalisers.own }
  }

  async mix(delta: Float32Array): Promise<void> {
    const own = this.#ready.delta
    requireLength('delta', delta, own.length)
    const shared = delta.buffer instanceof SharedArrayBuffer
    await this.#request({ kind: 'mix', delta: shared ? delta : null }, () => {
      if (!shared) own.set(delta)
    })
  }

  async mergeNormalisers(others: readonly (readonly Normaliser[])[]): Promise<void> {
    await this.#request({ kind: 'mergeNormalisers', others })
  }

  async setRateFactor(factor: number): Promise<void> {
    await this.#request({ kind: 'setRateFactor', factor })
  }

  async offerExperience(most: number): Promise<SharedExperience | null> {
    return ((await this.#request({ kind: 'offerExperience', most })) as Offered).experience
  }

  async takeExperience(author: string, experience: SharedExperience): Promise<boolean> {
    return ((await this.#request({ kind: 'takeExperience', author, experience })) as Taken).plausible
  }

  async adopt(replica: Replica): Promise<void> {
    await this.#request({ kind: 'adopt', replica })
  }

  async saveState({ replay }: SaveOptions): Promise<LearnerState> {
    const { state } = (await this.#request({ kind: 'saveState', replay })) as Saved
    return state
  }

  async restoreState(state: LearnerState): Promise<void> {
    await this.#request({ kind: 'restoreState', state })
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#end(new GrapevineError('stopped', 'local', 'The learner was stopped and takes no more calls.'))
    this.#listeners.clear()
    this.#post({ kind: 'stop' })
    const deadline = setTimeout(() => this.#thread.worker.terminate(), LEARNER_STOP_MS)
    await this.#thread.exited
    clearTimeout(deadline)
    this.#thread.port.close()
  }

  /** One request, after all earlier ones were answered; `prepare` runs just before it is posted. */
  #request(request: Exclude<LearnerRequest, { kind: 'reach' | 'build' }>, prepare: () => void = () => undefined): Promise<Answer> {
    const answer = this.#last.then(() => {
      if (this.#over !== null) throw this.#over
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      this.#pending = { resolve, reject }
      prepare()
      this.#post(request)
      return promise
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  #post(request: LearnerRequest): void {
    send(this.#thread, request)
  }

  #receive(reply: LearnerReply): void {
    switch (reply.kind) {
      case 'done':
        this.#progress = reply.progress
        this.#settle()?.resolve(reply)
        return
      case 'state':
      case 'offer':
      case 'taken':
        this.#settle()?.resolve(reply)
        return
      case 'refused':
        this.#settle()?.reject(restoredError(reply.error))
        return
      case 'reached':
        this.#progress = reply.progress
        this.#waiters.get(reply.token)?.resolve(reply.progress)
        this.#waiters.delete(reply.token)
        return
      case 'progress':
        this.#progress = reply.progress
        for (const listener of [...this.#listeners]) listener(reply.progress)
        return
      case 'failed':
        this.#crash(restoredError(reply.error))
        return
      case 'ready':
        return
    }
  }

  #settle() {
    const pending = this.#pending
    this.#pending = null
    return pending
  }

  /** The learner is lost, unless it was told to stop. */
  #crash(error: GrapevineError): void {
    if (this.#over !== null) return
    this.#end(error)
    this.#progress = { ...this.#progress, holding: true }
    for (const listener of [...this.#listeners]) listener(this.#progress)
    this.#fail(error)
  }

  #end(error: GrapevineError): void {
    this.#over ??= error
    this.#settle()?.reject(error)
    for (const waiter of [...this.#waiters.values()]) waiter.reject(error)
    this.#waiters.clear()
  }
}
