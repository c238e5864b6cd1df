/** Keeps a copy of a learner's state for another thread to go on from: every `everyMs`, and when told to. One that cannot be had is left out. */
import type { LearnerState } from '../ports/learner.ts'

export class StateKeeper {
  readonly #save: () => Promise<LearnerState>
  readonly #timer: NodeJS.Timeout
  #kept: LearnerState | null = null
  #saving = false

  constructor(save: () => Promise<LearnerState>, everyMs: number) {
    this.#save = save
    this.#timer = setInterval(() => this.keep(), everyMs).unref()
  }

  /** What was kept last; null: nothing yet. */
  get kept(): LearnerState | null {
    return this.#kept
  }

  /** Asks for a copy, unless one was asked for and has not come. */
  keep(): void {
    if (this.#saving) return
    this.#saving = true
    this.#save()
      .then(
        (state) => {
          this.#kept = state
        },
        () => undefined,
      )
      .finally(() => {
        this.#saving = false
      })
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
