/**
 * Rate limits by the generic cell rate algorithm: one number per key, no timer. What conforms is counted, what does not is not, so that a
 * flood does not lengthen its own wait. Times are monotonic milliseconds. [ITU-T I.371, annex A; as Lodestar limits requests]
 */
export interface Rate {
  /** Units per second that may come on average. */
  readonly perSecond: number
  /** Units that may come at once after silence. */
  readonly burst: number
}

/** One limit over everything. */
export class Gcra {
  readonly #emissionMs: number
  readonly #toleranceMs: number
  /** Theoretical arrival time: when the next unit would come if all came evenly. */
  #arrivalMs = Number.NEGATIVE_INFINITY

  constructor({ perSecond, burst }: Rate) {
    this.#emissionMs = 1_000 / perSecond
    this.#toleranceMs = burst * this.#emissionMs
  }

  /** 0 when `units` more conform, which counts them; else the milliseconds until they would. */
  take(nowMs: number, units = 1): number {
    const waitMs = this.waitMs(nowMs, units)
    if (waitMs === 0) this.spend(nowMs, units)
    return waitMs
  }

  /** Milliseconds until `units` more conform; nothing is counted. */
  waitMs(nowMs: number, units = 1): number {
    const waitMs = this.#after(nowMs, units) - nowMs - this.#toleranceMs
    // Units so small that they round away must not wait for ever.
    return waitMs > 1e-6 ? waitMs : 0
  }

  /** Counts `units` that come whether they conform or not: our own. */
  spend(nowMs: number, units = 1): void {
    this.#arrivalMs = this.#after(nowMs, units)
  }

  /** Nothing is left of what came before. */
  isIdle(nowMs: number): boolean {
    return this.#arrivalMs <= nowMs
  }

  #after(nowMs: number, units: number): number {
    return Math.max(this.#arrivalMs, nowMs) + units * this.#emissionMs
  }
}

/** The same limit for each of at most `maxKeys` keys; beyond, the least recently used is forgotten, idle ones first. */
export class KeyedGcra {
  readonly #rate: Rate
  readonly #maxKeys: number
  readonly #byKey = new Map<string, Gcra>()

  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate
    this.#maxKeys = maxKeys
  }

  take(key: string, nowMs: number, units = 1): number {
    let limit = this.#byKey.get(key)
    if (limit === undefined) {
      if (this.#byKey.size >= this.#maxKeys) this.#prune(nowMs)
      limit = new Gcra(this.#rate)
    } else this.#byKey.delete(key)
    this.#byKey.set(key, limit)
    return limit.take(nowMs, units)
  }

  get size(): number {
    return this.#byKey.size
  }

  #prune(nowMs: number): void {
    for (const [key, limit] of this.#byKey) if (limit.isIdle(nowMs)) this.#byKey.delete(key)
    const [oldest] = this.#byKey.keys()
    if (this.#byKey.size >= this.#maxKeys && oldest !== undefined) this.#byKey.delete(oldest)
  }
}
