import type { StateFields } from './state.ts'

/** How many updates old the policies behind the last rollouts were: mean and maximum over a window. */
const WINDOW = 100

export class LagWindow {
  readonly #lags = new Float64Array(WINDOW)
  #count = 0

  add(lag: number): void {
    this.#lags[this.#count++ % WINDOW] = lag
  }

  /** 0 before the first. */
  get mean(): number {
    let sum = 0
    for (let i = 0; i < this.#size; i++) sum += this.#lags[i]!
    return this.#size === 0 ? 0 : sum / this.#size
  }

  get max(): number {
    let max = 0
    for (let i = 0; i < this.#size; i++) max = Math.max(max, this.#lags[i]!)
    return max
  }

  state(fields: StateFields): void {
    fields.array('lags', this.#lags)
    fields.numbers(
      'lagCount',
      () => [this.#count],
      ([count]) => {
        this.#count = count!
      },
    )
  }

  get #size(): number {
    return Math.min(this.#count, WINDOW)
  }
}
