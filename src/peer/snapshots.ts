/**
 * One at a time: the learner's snapshot buffer belongs to the caller only until the next snapshot, so everyone who needs one (rounds,
 * beacons, donors) takes it here, in turn, and gets a copy of their own.
 */
import type { Clock } from '../ports/clock.ts'
import type { Learner, Snapshot } from '../ports/learner.ts'
import { copyFloats } from '../util/memory.ts'

export interface TakenSnapshot extends Snapshot {
  readonly takenAtMs: number
}

export class Snapshots {
  readonly #learner: Learner
  readonly #clock: Clock
  #turn: Promise<unknown> = Promise.resolve()
  #latest: TakenSnapshot | null = null

  constructor(learner: Learner, clock: Clock) {
    this.#learner = learner
    this.#clock = clock
  }

  /** The last one taken, of any age. */
  get latest(): TakenSnapshot | null {
    return this.#latest
  }

  /** A copy of the replica, taken after every earlier mix was applied. */
  take(): Promise<TakenSnapshot> {
    const next = this.#turn.then(async () => {
      const { moments, ...replica } = await this.#learner.snapshot()
      const taken: TakenSnapshot = {
        ...replica,
        parameters: copyFloats(replica.parameters),
        target: replica.target === null ? null : replica.target.slice(),
        ...(moments === undefined ? {} : { moments: { ...moments, values: copyFloats(moments.values) } }),
        takenAtMs: this.#clock.now(),
      }
      this.#latest = taken
      return taken
    })
    this.#turn = next.catch(() => undefined)
    return next
  }

  /** Lends the learner's own arrays to `work`, uncopied; nobody takes a snapshot before it has settled. */
  lend<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const next = this.#turn.then(async () => work(await this.#learner.snapshot()))
    this.#turn = next.catch(() => undefined)
    return next
  }

  /** The last copy when it is at most `maxAgeMs` old, else a new one. */
  async recent(maxAgeMs: number): Promise<TakenSnapshot> {
    if (this.#latest !== null && this.#clock.now() - this.#latest.takenAtMs <= maxAgeMs) return this.#latest
    return this.take()
  }
}
