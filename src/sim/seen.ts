/** Remembers keys for at least `memoryMs` and at most twice that. */
export class Seen {
  readonly #memoryMs: number
  #recent = new Set<string>()
  #before = new Set<string>()
  #sinceMs = 0

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs
  }

  /** True the first time. */
  first(key: string, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= this.#memoryMs) {
      this.#before = nowMs - this.#sinceMs < 2 * this.#memoryMs ? this.#recent : new Set()
      this.#recent = new Set()
      this.#sinceMs = nowMs
    }
    if (this.#recent.has(key) || this.#before.has(key)) return false
    this.#recent.add(key)
    return true
  }
}
