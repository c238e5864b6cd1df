/** What one peer holds against a neighbour whose messages it rejected: more than a few in a short time, and the neighbour is not heard for a while. */

const TOLERATED_REJECTIONS = 2
/** Milliseconds in which one rejection is forgiven. */
const FORGIVEN_AFTER_MS = 30_000

export class Rejections {
  #held = 0
  #atMs = 0

  add(nowMs: number): void {
    this.#forgive(nowMs)
    this.#held++
  }

  tooMany(nowMs: number): boolean {
    this.#forgive(nowMs)
    return this.#held > TOLERATED_REJECTIONS
  }

  #forgive(nowMs: number): void {
    this.#held = Math.max(0, this.#held - (nowMs - this.#atMs) / FORGIVEN_AFTER_MS)
    this.#atMs = nowMs
  }
}
