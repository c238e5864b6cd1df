/**
 * The Learner port over a thread. Requests are answered one at a time in the order they were made, so that a snapshot follows every earlier mix.
 * A thread that crashes rejects `failed` and whatever was waiting. `stop` gives the thread LEARNER_STOP_MS to leave and ends it then.
 *
 * An environment of one's own that hangs in the learner's thread takes that thread with it. It is replaced by another one, which goes on from the
 * state kept last (LEARNER_KEEP_MS ago at most, so what was learned and mixed since is lost) with new episodes and other draws, and with the requests
 * that were not answered yet. An environment that hangs again and again without ENVIRONMENT_RECOVERED_STEPS steps in between is given up.
 */
import { ENVIRONMENT_FAULTS_MAX, ENVIRONMENT_RECOVERED_STEPS } from '../envs/limits.ts'
import { requireMix } from '../learn/inline-learner.ts'
import { begunAnew } from '../learn/state.ts'
import type {
  Learner,
  LearnerDescription,
  LearnerSettings,
  LearnerState,
  MomentMix,
  Normaliser,
  Progress,
  Replica,
  SaveOptions,
  SharedExperience,
  Snapshot,
} from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { shareKernelRanking } from './kernel-ranking.ts'
import { LearnerProcess, type RaisedThread, raiseLearnerThread, type ThreadOwner } from './learner-process.ts'
import { hung, type LearnerReply, restoredError } from './learner-protocol.ts'
import { type Answer, type LearnerCall, LearnerRequests } from './learner-requests.ts'
import { LEARNER_HANG_MS, LEARNER_KEEP_MS, LEARNER_STOP_MS } from './limits.ts'
import { ReachWaiters } from './reach-waiters.ts'
import { StateKeeper } from './state-keeper.ts'

type Ready = Extract<LearnerReply, { kind: 'ready' }>
type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>

/** Every how many milliseconds something happens; shorter for tests. */
export interface LearnerTimes {
  readonly hangMs: number
  readonly keepMs: number
}

const TIMES: LearnerTimes = { hangMs: LEARNER_HANG_MS, keepMs: LEARNER_KEEP_MS }

/** Starts a learner in a thread of its own; resolves when it is built and holds, rejects with what its construction threw or with the reason of `signal`. */
export async function startLearnerThread(
  settings: LearnerSettings,
  signal = new AbortController().signal,
  thread = raiseLearnerThread(),
  times = TIMES,
): Promise<Learner> {
  const learner = new ThreadLearner(settings, thread, times)
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await Promise.race([learner.built, aborted.promise])
    return learner
  } catch (error) {
    await learner.discard()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

class ThreadLearner implements Learner {
  readonly failed: Promise<never>
  /** Settles when there is a thread that is ready, or none will be. */
  readonly built: Promise<void>
  readonly #built = Promise.withResolvers<void>()
  readonly #fail: (error: unknown) => void
  readonly #settings: LearnerSettings
  readonly #times: LearnerTimes
  /** What a new thread would go on from; null where no environment can hang unnoticed. */
  readonly #keeper: StateKeeper | null
  readonly #listeners = new Set<(progress: Progress) => void>()
  readonly #requests = new LearnerRequests()
  readonly #waiters = new ReachWaiters()
  #thread: LearnerProcess
  #ready!: Ready
  #progress!: Progress
  /** Whether the learner was told to run. */
  #running = false
  #rateFactor: number | null = null
  #restarts = 0
  #hangsInARow = 0
  /** Steps at the last hang. */
  #hungAtSteps = 0
  /** Why no call is taken any more; null while alive. */
  #over: GrapevineError | null = null
  #stopping: Promise<void> | null = null

  constructor(settings: LearnerSettings, thread: RaisedThread, times: LearnerTimes) {
    const failure = Promise.withResolvers<never>()
    this.failed = failure.promise
    this.#fail = failure.reject
    // Whoever does not watch `failed` still sees every call rejected.
    this.failed.catch(() => undefined)
    this.#built.promise.catch(() => undefined)
    this.#settings = settings
    this.#times = times
    this.built = this.#built.promise
    this.#thread = this.#begin(thread, null)
    this.#keeper = settings.modules.length === 0 ? null : new StateKeeper(() => this.saveState({ replay: false }), times.keepMs)
  }

  describe(): LearnerDescription {
    return this.#ready.description
  }

  async run(): Promise<void> {
    await this.#requests.make({ kind: 'run' })
    this.#running = true
  }

  async hold(): Promise<void> {
    this.#running = false
    await this.#requests.make({ kind: 'hold' })
  }

  reach(updates: number, signal?: AbortSignal): Promise<Progress> {
    if (this.#over !== null) return Promise.reject(this.#over)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { request, reached } = this.#waiters.add(updates, signal)
    this.#requests.tell(request)
    return reached
  }

  progress(): Progress {
    return this.#progress
  }

  async snapshot(): Promise<Snapshot> {
    const { version, steps, optimiserSteps, normalisers } = (await this.#requests.make({ kind: 'snapshot' })) as AnswerOf<'done'>
    const { snapshot: parameters, target, moments } = this.#ready
    const replica = { parameters, target, version, steps, normalisers: normalisers.all, ownNormalisers: normalisers.own }
    return moments === null ? replica : { ...replica, moments: { steps: optimiserSteps, values: moments } }
  }

  async mix(delta: Float32Array, moments?: MomentMix): Promise<void> {
    requireMix(this.#ready.description, delta, moments)
    const shared = delta.buffer instanceof SharedArrayBuffer
    await this.#requests.make({ kind: 'mix', delta: shared ? delta : null, moments }, () => {
      if (!shared) this.#ready.delta.set(delta)
    })
  }

  async mergeNormalisers(others: readonly (readonly Normaliser[])[]): Promise<void> {
    await this.#requests.make({ kind: 'mergeNormalisers', others })
  }

  async setRateFactor(factor: number): Promise<void> {
    await this.#requests.make({ kind: 'setRateFactor', factor })
    this.#rateFactor = factor
  }

  async offerExperience(most: number): Promise<SharedExperience | null> {
    return ((await this.#requests.make({ kind: 'offerExperience', most })) as AnswerOf<'offer'>).experience
  }

  async takeExperience(author: string, experience: SharedExperience): Promise<boolean> {
    return ((await this.#requests.make({ kind: 'takeExperience', author, experience })) as AnswerOf<'taken'>).plausible
  }

  async adopt(replica: Replica): Promise<void> {
    await this.#requests.make({ kind: 'adopt', replica })
    this.#keeper?.keep()
  }

  async saveState({ replay }: SaveOptions): Promise<LearnerState> {
    const { state } = (await this.#requests.make({ kind: 'saveState', replay })) as AnswerOf<'state'>
    return state
  }

  async restoreState(state: LearnerState): Promise<void> {
    await this.#requests.make({ kind: 'restoreState', state })
    this.#keeper?.keep()
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Ends what was never handed out. */
  async discard(): Promise<void> {
    this.#end(new GrapevineError('stopped', 'local', 'The learner was stopped before it was built.'))
    await this.#thread.leave(0)
  }

  async #stop(): Promise<void> {
    this.#end(new GrapevineError('stopped', 'local', 'The learner was stopped and takes no more calls.'))
    this.#listeners.clear()
    this.#thread.post({ kind: 'stop' })
    await this.#thread.leave(LEARNER_STOP_MS)
  }

  #begin(raised: RaisedThread, lastFault: string | null): LearnerProcess {
    // Events of a thread that was replaced meanwhile are not heard: it has left.
    const owner: ThreadOwner = {
      receive: (reply) => this.#receive(reply),
      lost: (error) => this.#crash(error),
      hung: () => this.#replace(),
    }
    const before = { restarts: this.#restarts, lastFault }
    const thread = new LearnerProcess(raised, this.#settings, before, this.#times.hangMs, owner)
    this.#requests.hold()
    thread.ready.then(
      (ready) => this.#takeOver(ready),
      () => undefined,
    )
    return thread
  }

  /** The thread's environment hangs: another thread goes on. */
  #replace(): void {
    const { hangMs } = this.#times
    const { id } = this.#settings.environment
    const steps = this.#progress?.steps ?? 0
    this.#hangsInARow = steps - this.#hungAtSteps < ENVIRONMENT_RECOVERED_STEPS ? this.#hangsInARow + 1 : 1
    this.#hungAtSteps = steps
    void this.#thread.leave(0)
    if (this.#hangsInARow > ENVIRONMENT_FAULTS_MAX) {
      this.#crash(hung(id, hangMs, this.#hangsInARow))
      return
    }
    this.#restarts++
    this.#thread = this.#begin(
      raiseLearnerThread(),
      `${id} did not come back from a step for ${hangMs / 1000} s; its learner was started again from the state kept last.`,
    )
  }

  /** Brings a new thread to where the old one was, and posts again what that one did not answer. */
  #takeOver(ready: Ready): void {
    this.#ready = ready
    this.#progress ??= ready.progress
    shareKernelRanking(ready.kernels)
    const first: LearnerCall[] = []
    const kept = this.#keeper?.kept ?? null
    if (kept !== null) first.push({ kind: 'restoreState', state: begunAnew(kept, this.#restarts) })
    if (this.#rateFactor !== null) first.push({ kind: 'setRateFactor', factor: this.#rateFactor })
    if (this.#running) first.push({ kind: 'run' })
    const thread = this.#thread
    this.#requests.goOn((request) => thread.post(request), first)
    for (const request of this.#waiters.requests()) this.#requests.tell(request)
    this.#built.resolve()
  }

  #receive(reply: LearnerReply): void {
    switch (reply.kind) {
      case 'done':
        this.#progress = reply.progress
        this.#requests.answered(reply)
        return
      case 'state':
      case 'offer':
      case 'taken':
        this.#requests.answered(reply)
        return
      case 'refused':
        this.#requests.refused(restoredError(reply.error))
        return
      case 'reached':
        this.#progress = reply.progress
        this.#waiters.settle(reply.token, reply.progress)
        return
      case 'progress':
        this.#progress = reply.progress
        for (const listener of [...this.#listeners]) listener(reply.progress)
        return
      case 'failed':
      case 'ready':
        // The process hears these.
        return
    }
  }

  /** The learner is lost, unless it was told to stop. */
  #crash(error: GrapevineError): void {
    if (this.#over !== null) return
    this.#end(error)
    this.#progress = { ...this.#progress, holding: true }
    for (const listener of [...this.#listeners]) listener(this.#progress)
    this.#fail(error)
    this.#built.reject(error)
  }

  #end(error: GrapevineError): void {
    this.#over ??= error
    this.#keeper?.stop()
    this.#requests.end(error)
    this.#waiters.rejectAll(error)
  }
}
