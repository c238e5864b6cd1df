/**
 * The rows of one child, kept alive. A child that fails is killed, told of and started again; new episodes begin in its rows, and the step
 * that meets the failure reports all of them truncated with the observations seen last. After FAILURES_MAX failures without recovery it is
 * given up. New episodes after a restart have seeds of their own, so that what killed a child does not come back by itself.
 */
import { GrapevineError } from '../../util/errors.ts'
import { ChildFailure, PythonChild } from './child.ts'
import { finalsAgree, HEADER_BYTES, KIND, newFrame, resetFrame } from './frames.ts'
import { FAILURES_MAX, RECOVERED_STEPS } from './limits.ts'
import { type BridgePlan, currentSlot, flipSlot, type LanePlan } from './plan.ts'
import { gymnasiumId } from './script.ts'

/** Odd and far from every small multiple: seeds of restarts do not meet those of neighbouring rows. */
const SEED_STRIDE = 0x9e3779b1

export class Lane {
  readonly #plan: BridgePlan
  readonly #index: number
  readonly #lane: LanePlan
  readonly #onRestart: (message: string) => void
  readonly #slots: readonly [Uint8Array, Uint8Array]
  readonly #actions: Uint8Array
  readonly #stepFrame: Uint8Array
  readonly #allRows: Uint8Array
  /** What each row was last seeded with; its index when it never was. */
  readonly #seeds: number[]
  #child: PythonChild | null = null
  /** Whether episodes were lost that no step has reported truncated yet. */
  #lost = false
  #begun = false
  #failures = 0
  #restarts = 0
  #goodSteps = 0
  #closed = false

  /** `onRestart` is called with a sentence before a child is started again. */
  constructor(plan: BridgePlan, index: number, onRestart: (message: string) => void) {
    const lane = plan.lanes[index]!
    const { count, maxBytes } = lane.layout
    this.#plan = plan
    this.#index = index
    this.#lane = lane
    this.#onRestart = onRestart
    const slot = (at: number) => new Uint8Array(plan.shared, at, maxBytes)
    this.#slots = [slot(lane.slots[0]), slot(lane.slots[1])]
    this.#actions = new Uint8Array(plan.shared, lane.first * plan.actionBytesPerRow, count * plan.actionBytesPerRow)
    this.#stepFrame = newFrame(KIND.step, this.#actions.length)
    this.#allRows = new Uint8Array(count).fill(1)
    this.#seeds = Array.from({ length: count }, (_, row) => lane.first + row)
  }

  /** Begins episodes in the rows of the vector whose flag is 1 (null: all); row i is seeded with `seed` + i (null: its stream goes on). */
  async reset(seed: number | null, flags: Uint8Array | null, options: string): Promise<void> {
    const { first, layout } = this.#lane
    const own = flags?.subarray(first, first + layout.count) ?? null
    if (own !== null && !own.includes(1)) return
    if (seed !== null) for (let row = 0; row < layout.count; row++) this.#seeds[row] = seed + first + row
    await this.#persist(async () => {
      const fresh = await this.#require()
      const partial = own !== null && !fresh
      const seeds = seed === null && !fresh ? null : this.#freshSeeds(seed === null)
      await this.#rows(resetFrame(partial ? own : this.#allRows, seeds, options))
      if (own === null) this.#lost = false
      else if (fresh) this.#keepUnflagged(own)
    })
    this.#begun = true
    flipSlot(this.#plan, this.#index)
  }

  async step(): Promise<void> {
    await this.#persist(async () => {
      const fresh = await this.#require()
      if (!this.#lost) {
        this.#stepFrame.set(this.#actions, HEADER_BYTES)
        await this.#rows(this.#stepFrame)
        return
      }
      await this.#rows(resetFrame(this.#allRows, fresh ? this.#freshSeeds(true) : null, ''))
      this.#reportLost()
      this.#lost = false
    })
    this.#goodSteps++
    flipSlot(this.#plan, this.#index)
  }

  /** Ends the child, in the middle of a step, too: that rejects. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#child?.stop(false)
    this.#child = null
  }

  get #next(): Uint8Array {
    return this.#slots[1 - currentSlot(this.#plan, this.#index)]!
  }

  get #last(): Uint8Array {
    return this.#slots[currentSlot(this.#plan, this.#index)]!
  }

  /** Starts the child unless it runs; true when it was started and its rows have not begun. */
  async #require(): Promise<boolean> {
    if (this.#child !== null) return false
    const { id, options, description, maxEpisodeSteps, autoreset } = this.#plan
    this.#child = new PythonChild(id, options.python)
    const request = {
      id: gymnasiumId(id),
      arguments: options.arguments,
      count: this.#lane.layout.count,
      maxEpisodeSteps: maxEpisodeSteps ?? -1,
      autoreset,
    }
    const answer = await this.#child.open(request, options.startTimeoutMs)
    if (JSON.stringify(answer) === JSON.stringify(description)) return true
    throw new GrapevineError('environment_failed', 'local', `${id} has other spaces than it had a moment ago; correct the environment.`, {
      id,
    })
  }

  /** Asks the child and writes its rows to the next slot. */
  async #rows(frame: Uint8Array): Promise<void> {
    const { layout } = this.#lane
    const into = this.#next
    const length = await this.#child!.rows(frame, layout, into, this.#plan.options.stepTimeoutMs)
    if (!finalsAgree(layout, into, length, this.#plan.autoreset)) throw new ChildFailure('answered with flags that make no sense')
  }

  /** Repeats `attempt` with a new child for as long as the old ones fail and patience lasts. */
  async #persist(attempt: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await attempt()
        return
      } catch (error) {
        if (this.#closed || !(error instanceof ChildFailure)) throw error
        await this.#restart(error.message)
      }
    }
  }

  async #restart(reason: string): Promise<void> {
    const { id, options } = this.#plan
    const { first, layout } = this.#lane
    const pid = this.#child?.pid
    await this.#child?.stop(true)
    this.#child = null
    this.#lost = this.#begun
    if (this.#goodSteps >= RECOVERED_STEPS) this.#failures = 0
    this.#goodSteps = 0
    if (++this.#failures > FAILURES_MAX)
      throw new GrapevineError(
        'environment_failed',
        'local',
        `${id} is given up because its Python process failed ${this.#failures} times in a row, at last because it ${reason}; see what it does in "${options.python}" by hand.`,
        { id, reason },
      )
    this.#restarts++
    this.#onRestart(
      `Python process ${pid} of ${id} (rows ${first} to ${first + layout.count - 1}) ${reason}; it is started again and new episodes begin there (restart ${this.#restarts}).`,
    )
  }

  /** The rows' seeds; after a restart, and unless they were `asked` for, others than before. */
  #freshSeeds(unasked: boolean): number[] {
    if (!unasked || this.#restarts === 0) return this.#seeds
    return this.#seeds.map((seed) => (seed + this.#restarts * SEED_STRIDE) % 2 ** 32)
  }

  /** Makes the next slot say that every row was truncated where it was last seen. */
  #reportLost(): void {
    const { layout } = this.#lane
    const next = this.#next
    const seen = this.#last.subarray(layout.observationsAt, layout.finalsAt)
    next.fill(0, 0, layout.truncatedAt)
    next.fill(1, layout.truncatedAt, layout.truncatedAt + layout.count)
    next.set(seen, this.#plan.autoreset ? layout.finalsAt : layout.observationsAt)
  }

  /** Rows that nobody asked to begin anew look as they did; the next step reports them truncated. */
  #keepUnflagged(flags: Uint8Array): void {
    const { layout } = this.#lane
    for (let row = 0; row < layout.count; row++) {
      if (flags[row] === 1) continue
      const at = layout.observationsAt + row * layout.rowBytes
      this.#next.set(this.#last.subarray(at, at + layout.rowBytes), at)
    }
  }
}
