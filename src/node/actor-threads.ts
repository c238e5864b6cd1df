/**
 * Threads for a learner's actors, watched over from the learner's own thread: one that crashes, or whose environments do not move for
 * ACTOR_HANG_MS, is named, counted and started again. Its scratch in the shared memory is not used again, so restarts of whole threads cost some
 * memory; environments that merely throw are made anew in their thread, which costs none.
 */
import type { Worker } from 'node:worker_threads'
import type { ActorJob, ActorThreads, RunningActors } from '../learn/actors.ts'
import { messageOf } from '../util/errors.ts'
import { type ActorFault, type ActorThreadData, beatsWord, lifeWords, restsWord, STOP } from './actor-protocol.ts'
import { shareKernelRanking } from './kernel-ranking.ts'
import { ACTOR_HANG_MS, ACTOR_PAUSE_MS, ACTOR_WATCH_MS } from './limits.ts'
import { startWorker } from './start-worker.ts'

/** `hangMs`: shorter for tests. */
export function actorThreads(count: number, hangMs = ACTOR_HANG_MS): ActorThreads {
  return { count, start: (job) => new Pool(job, count, hangMs) }
}

interface Place {
  worker: Worker | null
  restarts: number
  /** Of the beats seen last. */
  beats: number
  movedAtMs: number
  /** When an actor that left is started again. */
  startAtMs: number
}

class Pool implements RunningActors {
  restarts = 0
  lastFault: string | null = null
  readonly #job: ActorJob
  readonly #hangMs: number
  readonly #life: Int32Array
  readonly #places: readonly Place[]
  #watchedAtMs = performance.now()

  constructor(job: ActorJob, count: number, hangMs: number) {
    this.#job = job
    this.#hangMs = hangMs
    this.#life = new Int32Array(new SharedArrayBuffer(lifeWords(count) * Int32Array.BYTES_PER_ELEMENT))
    this.#places = Array.from({ length: count }, () => ({ worker: null, restarts: 0, beats: 0, movedAtMs: 0, startAtMs: 0 }))
    this.#places.forEach((_, index) => {
      this.#start(index)
    })
  }

  supervise(): void {
    const nowMs = performance.now()
    if (nowMs - this.#watchedAtMs < Math.min(ACTOR_WATCH_MS, this.#hangMs)) return
    this.#watchedAtMs = nowMs
    for (const [index, place] of this.#places.entries()) {
      const beats = Atomics.load(this.#life, beatsWord(index))
      if (place.worker === null) {
        if (nowMs >= place.startAtMs) this.#start(index)
      } else if (beats !== place.beats || Atomics.load(this.#life, restsWord(index)) === 1) {
        place.beats = beats
        place.movedAtMs = nowMs
      } else if (nowMs - place.movedAtMs > this.#hangMs) {
        this.#leave(index, place.worker, `its environments did not move for ${Math.round(this.#hangMs / 1000)} s`)
      }
    }
  }

  stop(): void {
    Atomics.store(this.#life, STOP, 1)
    Atomics.notify(this.#life, STOP)
    for (const place of this.#places) {
      void place.worker?.terminate()
      place.worker = null
    }
  }

  #start(index: number): void {
    const place = this.#places[index]!
    const data: ActorThreadData = { job: this.#job, index, restarts: place.restarts, life: this.#life }
    shareKernelRanking()
    const worker = startWorker('actor-worker', { workerData: data, name: `actor ${index}` })
    place.worker = worker
    place.movedAtMs = performance.now()
    worker.on('message', ({ error }: ActorFault) => this.#count(index, error.message))
    worker.on('error', (error) => this.#leave(index, worker, messageOf(error)))
    worker.on('exit', (code) => this.#leave(index, worker, `it left with ${code}`))
  }

  /** The actor is lost, unless it was told to stop or is gone already. */
  #leave(index: number, worker: Worker, reason: string): void {
    const place = this.#places[index]!
    if (place.worker !== worker) return
    void worker.terminate()
    place.worker = null
    place.restarts++
    place.startAtMs = performance.now() + ACTOR_PAUSE_MS
    this.#count(index, reason)
  }

  #count(index: number, reason: string): void {
    this.restarts++
    this.lastFault = `Actor ${index} was started again: ${reason}.`
  }
}
