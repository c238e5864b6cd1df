/**
 * Virtual time: timers fire in order of their due time, then of their creation, and between two of them every promise that can go on does
 * (one real `setImmediate` drains the microtasks). Nothing happens unless someone calls `run`.
 */
import type { Clock } from '../ports/clock.ts'
import { sleepOn } from '../util/abort.ts'

/** Cancelled timers that are not worth a sweep. */
const MIN_SWEPT_TIMERS = 1_024

interface Timer {
  readonly dueMs: number
  readonly order: number
  /** null once cancelled. */
  fire: (() => void) | null
}

export class VirtualClock implements Clock {
  readonly sleep = sleepOn((ms, run) => this.after(ms, run))
  readonly #startUnixSeconds: number
  /** Binary heap by (dueMs, order). */
  readonly #timers: Timer[] = []
  #nowMs = 0
  #order = 0
  #cancelled = 0

  constructor(startUnixSeconds = 1_700_000_000) {
    this.#startUnixSeconds = startUnixSeconds
  }

  now(): number {
    return this.#nowMs
  }

  unixSeconds(): number {
    return this.#startUnixSeconds + Math.floor(this.#nowMs / 1_000)
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fire: run }
    this.#push(timer)
    return () => {
      if (timer.fire === null) return
      timer.fire = null
      if (++this.#cancelled > MIN_SWEPT_TIMERS && 2 * this.#cancelled > this.#timers.length) this.#sweep()
    }
  }

  /** Lets `ms` of virtual time pass, or less when `until` says so before a timer fires. */
  async run(ms: number, until: () => boolean = () => false): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    while (!until()) {
      const next = this.#timers[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#pop()
      const { fire } = next
      if (fire === null) {
        this.#cancelled--
        continue
      }
      // Fired: cancelling it is too late.
      next.fire = null
      this.#nowMs = next.dueMs
      fire()
      await settle()
    }
    if (!until()) this.#nowMs = endMs
  }

  /** Lets virtual time pass until `work` is settled, no more than it needs, and returns or throws what it did. Throws when `limitMs` pass first. */
  async during<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let settled = false
    const done = work.finally(() => {
      settled = true
    })
    done.catch(() => undefined)
    await this.run(limitMs, () => settled)
    if (!settled) throw new Error(`Simulated work did not end within ${limitMs} virtual milliseconds.`)
    return done
  }

  /** Forgets cancelled timers: deadlines of requests that were answered would pile up until they are due. */
  #sweep(): void {
    const waiting = this.#timers.filter((timer) => timer.fire !== null)
    this.#timers.length = 0
    this.#cancelled = 0
    // In order they are a heap already.
    for (const timer of waiting.sort((a, b) => (before(a, b) ? -1 : 1))) this.#timers.push(timer)
  }

  #push(timer: Timer): void {
    const heap = this.#timers
    let i = heap.push(timer) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(timer, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = timer
  }

  #pop(): void {
    const heap = this.#timers
    const last = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

/** Every microtask that is ready, and those that they make ready, run before this resolves. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
