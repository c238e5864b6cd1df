/** A curve of a whole run in a few characters, in constant memory: when the line is full, every second point goes and later ones are taken half as often. */
const LEVELS = '▁▂▃▄▅▆▇█'

export class Sparkline {
  readonly #width: number
  readonly #points: number[] = []
  /** One of this many values becomes a point. */
  #stride = 1
  #seen = 0

  /** `width`: characters at most; an even number. */
  constructor(width: number) {
    this.#width = width
  }

  add(value: number): void {
    if (this.#seen++ % this.#stride !== 0) return
    if (this.#points.length === this.#width) {
      for (let i = 0; i < this.#width / 2; i++) this.#points[i] = this.#points[2 * i]!
      this.#points.length = this.#width / 2
      this.#stride *= 2
    }
    this.#points.push(value)
  }

  /** From the lowest to the highest value so far; a flat curve lies in the middle. Empty before the first value. */
  toString(): string {
    return sparkline(this.#points)
  }
}

export function sparkline(values: readonly number[]): string {
  const low = Math.min(...values)
  const span = Math.max(...values) - low
  return values.map((value) => LEVELS[span > 0 ? Math.min(7, Math.floor(((value - low) / span) * 8)) : 3]).join('')
}
