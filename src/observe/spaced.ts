/**
 * A curve of bounded length over a time of any length: when it is full, the gap that points must keep doubles and those that are too close go,
 * so that what is kept covers the whole time about evenly, whatever was put together from parts of other gaps.
 */
export class Spaced<T extends { readonly seconds: number }> {
  readonly #limit: number
  #points: T[] = []
  /** Seconds between points at least. */
  #gap = 0

  /** `limit`: points at most. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get points(): readonly T[] {
    return this.#points
  }

  /** Whether a point at `seconds` would be kept. */
  wants(seconds: number): boolean {
    const last = this.#points.at(-1)
    return last === undefined || seconds - last.seconds >= this.#gap
  }

  add(point: T): void {
    if (!this.wants(point.seconds)) return
    while (this.#points.length >= this.#limit) this.#thin()
    this.#points.push(point)
  }

  #thin(): void {
    this.#gap = this.#gap === 0 ? this.#smallestGap() * SLACK : this.#gap * 2
    const kept: T[] = []
    for (const point of this.#points) {
      const last = kept.at(-1)
      if (last === undefined || point.seconds - last.seconds >= this.#gap) kept.push(point)
    }
    this.#points = kept
  }

  #smallestGap(): number {
    let least = Number.POSITIVE_INFINITY
    for (const [i, { seconds }] of this.#points.entries()) {
      const gap = seconds - (this.#points[i - 1]?.seconds ?? Number.NEGATIVE_INFINITY)
      if (gap > 0 && gap < least) least = gap
    }
    return Number.isFinite(least) ? least : 1
  }
}

/** The first gap is one and a half of the smallest there is: every second point of an even series goes, whatever its jitter. */
const SLACK = 1.5
