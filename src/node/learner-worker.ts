/**
 * Entry of the learner thread: owns the replica, collects and updates, and between two updates does what the main thread asked for.
 * It never waits for the main thread; while it holds it sleeps on the mailbox. Progress goes out at most every 100 ms, and at once when
 * `solved` is first set, a hold begins, or the learner fails.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { rankKernels } from '../learn/engines/wasm-builds.ts'
import type { StepWatch } from '../learn/environments.ts'
import { requireHolding, requireMix, requireReplica } from '../learn/inline-learner.ts'
import { createLearner, type LearnerCore } from '../learn/learner.ts'
import { PROGRESS_INTERVAL_MS } from '../learn/limits.ts'
import { StepPace } from '../learn/step-pace.ts'
import type { LearnerSettings } from '../ports/learner.ts'
import { actorThreads } from './actor-threads.ts'
import { inheritKernelRanking, shareKernelRanking } from './kernel-ranking.ts'
import { type LearnerReply, type LearnerRequest, type LearnerThreadData, plainError, REQUESTS, STEPPING } from './learner-protocol.ts'
import { LEARNER_NICENESS } from './limits.ts'
import { registerOwn } from './own-network.ts'
import { standBehind } from './priority.ts'
import { threadCpuMs } from './thread-cpu.ts'

const { port, mailbox } = workerData as LearnerThreadData

/** Somebody who wants to hear when `updates` is reached. */
interface Waiter {
  readonly updates: number
  readonly token: number
}

class LearnerThread {
  readonly #core: LearnerCore
  readonly #snapshot: Float32Array
  readonly #target: Float32Array | null
  readonly #moments: Float32Array | null
  readonly #delta: Float32Array
  readonly #pace: StepPace
  #handled = 0
  #holding = true
  #stopping = false
  #reportedAtMs = 0
  #solvedReported = false
  #waiters: readonly Waiter[] = []
  /** The smallest number of updates that somebody waits for. */
  #nextReach = Number.POSITIVE_INFINITY

  constructor(core: LearnerCore, pace: StepPace) {
    const { parameterCount, moments = [] } = core.description
    this.#core = core
    this.#pace = pace
    this.#snapshot = sharedVector(parameterCount)
    this.#target = core.hasTarget ? sharedVector(parameterCount) : null
    this.#moments = moments.length === 0 ? null : sharedVector(moments.length * parameterCount)
    this.#delta = sharedVector(parameterCount)
  }

  /** Runs until asked to stop. */
  async live(): Promise<void> {
    const core = this.#core
    post({
      kind: 'ready',
      description: core.description,
      snapshot: this.#snapshot,
      target: this.#target,
      moments: this.#moments,
      delta: this.#delta,
      kernels: shareKernelRanking(),
      progress: this.#progress(),
    })
    standBehind(LEARNER_NICENESS)
    while (!this.#stopping) {
      if (Atomics.load(mailbox, REQUESTS) !== this.#handled) this.#drain()
      else if (this.#holding) Atomics.wait(mailbox, REQUESTS, this.#handled)
      else if (!this.#early()) {
        core.update()
        if (core.exhausted) this.#hold()
        else await this.#afterUpdate()
      }
    }
  }

  /** Whether the next update would come too soon; if so, it has waited until then, or until somebody asks for something. */
  #early(): boolean {
    const waitMs = this.#pace.waitMs(performance.now(), this.#core.steps)
    if (waitMs > 0) Atomics.wait(mailbox, REQUESTS, this.#handled, waitMs)
    return waitMs > 0
  }

  async #afterUpdate(): Promise<void> {
    const core = this.#core
    if (core.updates >= this.#nextReach) this.#settleWaiters(core.updates)
    const solvedNow = core.solved !== null && !this.#solvedReported
    if (!solvedNow && performance.now() - this.#reportedAtMs < PROGRESS_INTERVAL_MS) return
    this.#report()
    // Native finalisers and the inspector live on the event loop: it gets a turn as often as there is progress.
    await nextTurn()
  }

  #drain(): void {
    this.#handled = Atomics.load(mailbox, REQUESTS)
    for (let packet = receiveMessageOnPort(port); packet !== undefined; packet = receiveMessageOnPort(port)) {
      const request = packet.message as Exclude<LearnerRequest, { kind: 'build' }>
      if (request.kind === 'reach') {
        this.#waiters = [...this.#waiters, request]
        this.#settleWaiters(this.#holding ? Number.POSITIVE_INFINITY : this.#core.updates)
        continue
      }
      try {
        this.#answer(request)
      } catch (error) {
        post({ kind: 'refused', error: plainError(error) })
      }
    }
  }

  #answer(request: Exclude<LearnerRequest, { kind: 'build' | 'reach' }>): void {
    const core = this.#core
    switch (request.kind) {
      case 'saveState':
        this.#saveState(request.replay)
        return
      case 'offerExperience':
        post({ kind: 'offer', experience: core.offerExperience(request.most) })
        return
      case 'takeExperience':
        post({ kind: 'taken', plausible: core.takeExperience(request.author, request.experience) })
        return
      default:
        this.#perform(request)
        post({
          kind: 'done',
          progress: this.#progress(),
          version: core.version,
          steps: core.scheduleSteps,
          optimiserSteps: core.optimiserSteps,
          normalisers: request.kind === 'snapshot' ? core.normalisers() : { own: [], all: [] },
        })
    }
  }

  /** What was saved is handed over, not copied again. */
  #saveState(replay: boolean): void {
    const state = this.#core.saveState({ replay })
    const reply: LearnerReply = { kind: 'state', state }
    port.postMessage(
      reply,
      Object.values(state).map((array) => array.buffer as ArrayBuffer),
    )
  }

  #perform(request: Exclude<LearnerRequest, { kind: 'build' | 'reach' | 'saveState' | 'offerExperience' | 'takeExperience' }>): void {
    const core = this.#core
    switch (request.kind) {
      case 'run':
        this.#holding = core.exhausted
        return
      case 'hold':
        if (!this.#holding) this.#hold()
        return
      case 'snapshot':
        core.snapshot({ parameters: this.#snapshot, target: this.#target, moments: this.#moments })
        return
      case 'mix': {
        const delta = request.delta ?? this.#delta
        requireMix(core.description, delta, request.moments)
        core.mix(delta, request.moments)
        return
      }
      case 'adopt':
        requireHolding(this.#holding)
        requireReplica(request.replica, core.description.parameterCount)
        core.adopt(request.replica)
        return
      case 'restoreState':
        requireHolding(this.#holding)
        core.restoreState(request.state)
        this.#solvedReported = core.solved !== null
        return
      case 'mergeNormalisers':
        core.mergeNormalisers(request.others)
        return
      case 'setRateFactor':
        core.setRateFactor(request.factor)
        return
      case 'stop':
        this.#stopping = true
        core.dispose()
    }
  }

  #hold(): void {
    this.#holding = true
    this.#settleWaiters(Number.POSITIVE_INFINITY)
    this.#report()
  }

  /** Answers everybody who waits for at most `updates`. */
  #settleWaiters(updates: number): void {
    const left: Waiter[] = []
    for (const waiter of this.#waiters) {
      if (waiter.updates <= updates) post({ kind: 'reached', token: waiter.token, progress: this.#progress() })
      else left.push(waiter)
    }
    this.#waiters = left
    this.#nextReach = left.reduce((least, waiter) => Math.min(least, waiter.updates), Number.POSITIVE_INFINITY)
  }

  #report(): void {
    this.#reportedAtMs = performance.now()
    this.#solvedReported = this.#core.solved !== null
    post({ kind: 'progress', progress: this.#progress() })
  }

  #progress() {
    return this.#core.progress(this.#holding, threadCpuMs())
  }
}

function post(reply: LearnerReply): void {
  port.postMessage(reply)
}

function sharedVector(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT))
}

/** Only environments of one's own can hang without anybody noticing. */
function watchOver({ modules }: LearnerSettings): StepWatch | undefined {
  if (modules.length === 0) return undefined
  const count = () => Atomics.add(mailbox, STEPPING, 1)
  return { begin: count, end: count }
}

try {
  inheritKernelRanking()
  // Nearly every run uses the kernels, so they are measured while the settings are not known yet.
  if (Atomics.load(mailbox, REQUESTS) === 0) rankKernels()
  Atomics.wait(mailbox, REQUESTS, 0)
  const { settings, before } = receiveMessageOnPort(port)!.message as Extract<LearnerRequest, { kind: 'build' }>
  await registerOwn(settings)
  const core = await createLearner(settings, undefined, actorThreads(settings.actors), watchOver(settings), before)
  await new LearnerThread(core, new StepPace(settings.maxStepsPerSecond ?? null)).live()
} catch (error) {
  post({ kind: 'failed', error: plainError(error) })
} finally {
  port.close()
}
