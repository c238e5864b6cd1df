/**
 * The Learner port in the caller's own thread, paced by an injected clock: every update takes `updateMs` of its time, whatever it takes the
 * machine. The simulator runs peers this way on virtual time, so a slow peer is one with a larger `updateMs`.
 */
import type { Clock } from '../ports/clock.ts'
import type {
  Learner,
  LearnerDescription,
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
import type { LearnerCore, SnapshotTarget } from './learner.ts'
import { PROGRESS_INTERVAL_MS } from './limits.ts'
import { requireLength } from './shapes.ts'

export interface Pace {
  /** Milliseconds of the clock per update. */
  readonly updateMs: number
  /** Updates taken at one tick of the clock, after as many times `updateMs`; a slice ends early at an update somebody waits for. */
  readonly sliceUpdates: number
}

/** What of a learner's core is paced here: in a simulation without learning another one stands in. */
export type PacedCore = Pick<
  LearnerCore,
  | 'description'
  | 'hasTarget'
  | 'updates'
  | 'exhausted'
  | 'solved'
  | 'version'
  | 'scheduleSteps'
  | 'update'
  | 'progress'
  | 'snapshot'
  | 'mix'
  | 'optimiserSteps'
  | 'normalisers'
  | 'mergeNormalisers'
  | 'setRateFactor'
  | 'offerExperience'
  | 'takeExperience'
  | 'adopt'
  | 'saveState'
  | 'restoreState'
  | 'dispose'
>

export class InlineLearner implements Learner {
  readonly failed: Promise<never>
  readonly #core: PacedCore
  readonly #clock: Clock
  readonly #pace: Pace
  readonly #fail: (error: unknown) => void
  readonly #listeners = new Set<(progress: Progress) => void>()
  readonly #waiters = new Set<{ readonly updates: number; readonly settle: () => void }>()
  /** Memory of every snapshot: one is the caller's until the next. */
  #snapshot: Required<SnapshotTarget> | null = null
  #running = false
  #stopped = false
  #cancel: () => void = () => undefined
  #sliceStartMs = 0
  #reportedAtMs = Number.NEGATIVE_INFINITY
  #solvedReported = false

  constructor(core: PacedCore, clock: Clock, pace: Pace) {
    const failure = Promise.withResolvers<never>()
    this.failed = failure.promise
    this.#fail = failure.reject
    // Whoever does not watch `failed` still sees the learner hold.
    this.failed.catch(() => undefined)
    this.#core = core
    this.#clock = clock
    this.#pace = pace
  }

  describe(): LearnerDescription {
    return this.#core.description
  }

  async run(): Promise<void> {
    this.#requireAlive()
    if (this.#running || this.#core.exhausted) return
    this.#running = true
    this.#schedule(this.#clock.now())
  }

  async hold(): Promise<void> {
    this.#requireAlive()
    this.#halt()
  }

  reach(updates: number, signal?: AbortSignal): Promise<Progress> {
    this.#requireAlive()
    signal?.throwIfAborted()
    if (!this.#running || this.#core.updates >= updates) return Promise.resolve(this.progress())
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiters.delete(waiter)
        reject(signal?.reason)
      }
      const settle = () => {
        signal?.removeEventListener('abort', abort)
        this.#waiters.delete(waiter)
        resolve(this.progress())
      }
      const waiter = { updates, settle }
      this.#waiters.add(waiter)
      this.#cancel()
      this.#schedule(this.#sliceStartMs)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  progress(): Progress {
    return this.#core.progress(!this.#running, null)
  }

  async snapshot(): Promise<Snapshot> {
    this.#requireAlive()
    const { parameterCount, moments: kinds } = this.#core.description
    this.#snapshot ??= {
      parameters: new Float32Array(parameterCount),
      target: this.#core.hasTarget ? new Float32Array(parameterCount) : null,
      moments: kinds === undefined ? null : new Float32Array(kinds.length * parameterCount),
    }
    const { parameters, target, moments: values } = this.#snapshot
    this.#core.snapshot(this.#snapshot)
    const { version, scheduleSteps: steps, optimiserSteps } = this.#core
    const { own, all } = this.#core.normalisers()
    const replica = { parameters, target, version, steps, normalisers: all, ownNormalisers: own }
    return values === null ? replica : { ...replica, moments: { steps: optimiserSteps, values } }
  }

  async mix(delta: Float32Array, moments?: MomentMix): Promise<void> {
    this.#requireAlive()
    requireMix(this.#core.description, delta, moments)
    this.#core.mix(delta, moments)
  }

  async mergeNormalisers(others: readonly (readonly Normaliser[])[]): Promise<void> {
    this.#requireAlive()
    this.#core.mergeNormalisers(others)
  }

  async setRateFactor(factor: number): Promise<void> {
    this.#requireAlive()
    this.#core.setRateFactor(factor)
  }

  async offerExperience(most: number): Promise<SharedExperience | null> {
    this.#requireAlive()
    return this.#core.offerExperience(most)
  }

  async takeExperience(author: string, experience: SharedExperience): Promise<boolean> {
    this.#requireAlive()
    return this.#core.takeExperience(author, experience)
  }

  async adopt(replica: Replica): Promise<void> {
    this.#requireAlive()
    requireHolding(!this.#running)
    requireReplica(replica, this.#core.description.parameterCount)
    this.#core.adopt(replica)
  }

  async saveState(options: SaveOptions): Promise<LearnerState> {
    this.#requireAlive()
    return this.#core.saveState(options)
  }

  async restoreState(state: LearnerState): Promise<void> {
    this.#requireAlive()
    requireHolding(!this.#running)
    this.#core.restoreState(state)
    this.#solvedReported = this.#core.solved !== null
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#halt()
    this.#stopped = true
    this.#listeners.clear()
    this.#core.dispose()
  }

  /** Plans the slice that began at `startMs`: as long as allowed, but to the first update that somebody waits for. */
  #schedule(startMs: number): void {
    const { updateMs, sliceUpdates } = this.#pace
    let updates = sliceUpdates
    for (const waiter of this.#waiters) updates = Math.min(updates, Math.max(1, waiter.updates - this.#core.updates))
    this.#sliceStartMs = startMs
    this.#cancel = this.#clock.after(Math.max(0, startMs + updates * updateMs - this.#clock.now()), () => this.#slice(updates))
  }

  #slice(updates: number): void {
    try {
      for (let i = 0; i < updates && !this.#core.exhausted; i++) this.#core.update()
    } catch (error) {
      this.#halt()
      this.#fail(error)
      return
    }
    if (this.#core.exhausted) {
      this.#halt()
      return
    }
    for (const waiter of [...this.#waiters]) if (this.#core.updates >= waiter.updates) waiter.settle()
    this.#report(false)
    if (this.#running) this.#schedule(this.#clock.now())
  }

  #halt(): void {
    this.#cancel()
    if (!this.#running) return
    this.#running = false
    for (const waiter of [...this.#waiters]) waiter.settle()
    this.#report(true)
  }

  #report(atOnce: boolean): void {
    const nowMs = this.#clock.now()
    const solvedNow = this.#core.solved !== null && !this.#solvedReported
    if (!atOnce && !solvedNow && nowMs - this.#reportedAtMs < PROGRESS_INTERVAL_MS) return
    this.#reportedAtMs = nowMs
    this.#solvedReported = this.#core.solved !== null
    if (this.#listeners.size === 0) return
    const progress = this.progress()
    for (const listener of [...this.#listeners]) listener(progress)
  }

  #requireAlive(): void {
    if (this.#stopped) throw new GrapevineError('stopped', 'local', 'The learner was stopped and takes no more calls.')
  }
}

/** Throws GrapevineError `not_holding` unless the learner holds. */
export function requireHolding(holding: boolean): void {
  if (!holding)
    throw new GrapevineError('not_holding', 'local', 'A replica can only be replaced while the learner holds; call hold() first.')
}

/** Throws GrapevineError `shape` unless the vectors of a mix have the lengths that the learner describes. */
export function requireMix({ parameterCount, moments = [] }: LearnerDescription, delta: Float32Array, mixed: MomentMix | undefined): void {
  requireLength('delta', delta, parameterCount)
  if (mixed !== undefined) requireLength('delta of moments', mixed.delta, moments.length * parameterCount)
}

/** Throws GrapevineError `shape` unless the replica has `parameterCount` parameters, in its target too if it has one. */
export function requireReplica(replica: Replica, parameterCount: number): void {
  requireLength('parameters', replica.parameters, parameterCount)
  if (replica.target !== null) requireLength('target', replica.target, parameterCount)
}
