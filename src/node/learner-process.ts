/**
 * One thread of a learner, as ThreadLearner starts and replaces it: the worker, its port and mailbox, and a watch over its environments. It is
 * lost when it crashes, ends by itself, or hangs: one step of its environments that does not end for `hangMs`. Who is told of a loss is told once,
 * and never after `leave`.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import type { LearnerSettings, Progress } from '../ports/learner.ts'
import type { GrapevineError } from '../util/errors.ts'
import { asError } from '../util/errors.ts'
import {
  crashed,
  type LearnerReply,
  type LearnerRequest,
  type LearnerThreadData,
  MAILBOX_WORDS,
  REQUESTS,
  restoredError,
  STEPPING,
} from './learner-protocol.ts'
import { LEARNER_WATCH_MS } from './limits.ts'
import { startWorker } from './start-worker.ts'

type Ready = Extract<LearnerReply, { kind: 'ready' }>

/** Called from the event loop. */
export interface ThreadOwner {
  receive(reply: LearnerReply): void
  lost(error: GrapevineError): void
  hung(): void
}

/** A thread that loads what learners need, and then waits for the settings of its own. */
export interface RaisedThread {
  readonly worker: Worker
  readonly port: MessagePort
  /** MAILBOX_WORDS words. */
  readonly mailbox: Int32Array
  /** Resolves with what crashed it, or null, when it is gone. */
  readonly exited: Promise<Error | null>
}

/** May come long before the settings are known: a third of a learner's start is done meanwhile. Who gives it up terminates its worker. */
export function raiseLearnerThread(): RaisedThread {
  const channel = new MessageChannel()
  const mailbox = new Int32Array(new SharedArrayBuffer(MAILBOX_WORDS * Int32Array.BYTES_PER_ELEMENT))
  const data: LearnerThreadData = { port: channel.port2, mailbox }
  const worker = startWorker('learner-worker', { workerData: data, transferList: [channel.port2], name: 'learner' })
  let crash: Error | null = null
  worker.on('error', (error) => {
    crash = asError(error)
  })
  const exited = new Promise<Error | null>((resolve) => worker.once('exit', () => resolve(crash)))
  return { worker, port: channel.port1, mailbox, exited }
}

export class LearnerProcess {
  /** Resolves when the learner is built and holds; rejects where it is lost before. A hang rejects nothing: its owner ends it. */
  readonly ready: Promise<Ready>
  readonly #thread: RaisedThread
  readonly #owner: ThreadOwner
  readonly #watch: NodeJS.Timeout
  #over = false

  constructor(
    thread: RaisedThread,
    settings: LearnerSettings,
    before: NonNullable<Progress['actors']>,
    hangMs: number,
    owner: ThreadOwner,
  ) {
    this.#thread = thread
    this.#owner = owner
    const ready = Promise.withResolvers<Ready>()
    this.ready = ready.promise
    // Whoever does not wait for it hears of a loss all the same.
    this.ready.catch(() => undefined)
    const lose = (error: GrapevineError) => {
      ready.reject(error)
      this.#lose(error)
    }
    const take = (reply: LearnerReply) => {
      if (this.#over) return
      if (reply.kind === 'ready') ready.resolve(reply)
      else if (reply.kind === 'failed') lose(restoredError(reply.error))
      else owner.receive(reply)
    }
    thread.port.on('message', take)
    thread.exited.then((crash) => {
      // Its last words may still lie in the port: the end of a thread is told by another way than its messages, and sometimes sooner.
      for (let packet = receiveMessageOnPort(thread.port); packet !== undefined; packet = receiveMessageOnPort(thread.port))
        take(packet.message)
      lose(crashed(crash?.message ?? 'it ended by itself'))
    })
    this.#watch = this.#watchSteps(hangMs)
    this.post({ kind: 'build', settings, before })
  }

  post(request: LearnerRequest): void {
    const { port, mailbox } = this.#thread
    port.postMessage(request)
    Atomics.add(mailbox, REQUESTS, 1)
    Atomics.notify(mailbox, REQUESTS)
  }

  /** From now on nobody is told anything; the thread is ended after `graceMs`, if it has not left by then. */
  async leave(graceMs: number): Promise<void> {
    this.#over = true
    clearInterval(this.#watch)
    if (graceMs === 0) void this.#thread.worker.terminate()
    const deadline = setTimeout(() => this.#thread.worker.terminate(), graceMs)
    await this.#thread.exited
    clearTimeout(deadline)
    this.#thread.port.close()
  }

  #lose(error: GrapevineError): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#watch)
    this.#owner.lost(error)
  }

  #watchSteps(hangMs: number): NodeJS.Timeout {
    const everyMs = Math.min(LEARNER_WATCH_MS, hangMs / 4)
    let seen = 0
    let stillMs = 0
    const look = () => {
      const now = Atomics.load(this.#thread.mailbox, STEPPING)
      const moving = now !== seen || (now & 1) === 0
      seen = now
      stillMs = moving ? 0 : stillMs + everyMs
      if (stillMs < hangMs) return
      clearInterval(this.#watch)
      if (!this.#over) this.#owner.hung()
    }
    return setInterval(look, everyMs).unref()
  }
}
