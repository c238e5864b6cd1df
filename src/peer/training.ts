/** When a peer learns: once enough others are alive, and not while it is paused; one that observes never does. Tells once that the task is solved. */
import type { PeerEvent } from '../observe/events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Learner, Progress } from '../ports/learner.ts'

interface TrainingOptions {
  readonly learner: Learner
  readonly clock: Clock
  readonly observing: boolean
  /** Are as many others alive as training holds for? */
  readonly isReady: () => boolean
  readonly emit: (event: PeerEvent) => void
}

export class Training {
  readonly #options: TrainingOptions
  #startedAtMs = 0
  #begun = false
  #paused = false
  #solvedReported: boolean

  constructor(options: TrainingOptions) {
    this.#options = options
    // One that goes on from a checkpoint has said so in an earlier life.
    this.#solvedReported = options.learner.progress().solved !== null
  }

  get paused(): boolean {
    return this.#paused
  }

  /** For the task to be solved, from now on; the returned function ends the watch. */
  watch(): () => void {
    const { learner, clock } = this.#options
    this.#startedAtMs = clock.now()
    return learner.onProgress((progress) => this.#onProgress(progress))
  }

  /** Nothing happens where it is too early, or was done. */
  async begin(): Promise<void> {
    const { learner, clock, observing, isReady } = this.#options
    if (observing || this.#begun || this.#paused || !isReady()) return
    this.#begun = true
    this.#startedAtMs = clock.now()
    await learner.run()
  }

  /** Learning holds at the next update boundary. */
  async pause(): Promise<void> {
    this.#paused = true
    await this.#options.learner.hold()
  }

  async resume(): Promise<void> {
    const { learner, observing } = this.#options
    this.#paused = false
    if (this.#begun && !observing) await learner.run()
    else await this.begin()
  }

  #onProgress(progress: Progress): void {
    if (progress.solved === null || this.#solvedReported) return
    this.#solvedReported = true
    const seconds = (this.#options.clock.now() - this.#startedAtMs) / 1_000
    this.#options.emit({ event: 'solved', steps: progress.solved.steps, seconds, returnMean: progress.solved.returnMean })
  }
}
