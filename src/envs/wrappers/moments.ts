/**
 * Running mean and variance of a stream of vectors, in float64, without keeping them (Chan, Golub and LeVeque 1983: moments of parts add up
 * to moments of the whole). The own part and what other peers have seen are kept apart, so that neither is ever counted twice.
 */
import { GrapevineError } from '../../util/errors.ts'
import type { StateArray } from '../memory.ts'

/** `count` samples of `mean.length` values each; `m2` is the sum of squared deviations. */
export interface Moments {
  readonly count: number
  readonly mean: Float64Array
  readonly m2: Float64Array
}

export class RunningMoments {
  readonly size: number
  /** While true the own part does not grow (evaluation). */
  frozen = false
  /** For saved states: everything but `frozen`. */
  readonly memory: readonly StateArray[]
  /** Own, others'. */
  readonly #count = new Float64Array(2)
  readonly #ownMean: Float64Array
  readonly #ownM2: Float64Array
  readonly #othersMean: Float64Array
  readonly #othersM2: Float64Array
  readonly #batchMean: Float64Array
  readonly #batchM2: Float64Array

  constructor(size: number) {
    this.size = size
    const array = (): Float64Array => new Float64Array(size)
    this.#ownMean = array()
    this.#ownM2 = array()
    this.#othersMean = array()
    this.#othersM2 = array()
    this.#batchMean = array()
    this.#batchM2 = array()
    this.memory = [this.#count, this.#ownMean, this.#ownM2, this.#othersMean, this.#othersM2]
  }

  /** A copy of what was seen here: what travels to other peers. */
  own(): Moments {
    return { count: this.#count[0]!, mean: this.#ownMean.slice(), m2: this.#ownM2.slice() }
  }

  /** A copy of everything, own and others': what a joiner begins with. */
  all(): Moments {
    const { count, mean, m2 } = this.own()
    const others = this.#count[1]!
    if (others === 0) return { count, mean, m2 }
    return { count: merge(mean, m2, count, this.#othersMean, this.#othersM2, others), mean, m2 }
  }

  /** Replaces the own part (a restored replica). */
  setOwn(moments: Moments): void {
    this.#check(moments)
    this.#count[0] = moments.count
    this.#ownMean.set(moments.mean)
    this.#ownM2.set(moments.m2)
  }

  /** Replaces what others have seen by the sum of `parts`, one for each peer. Throws `moments` when one has another size or is not finite. */
  setOthers(parts: readonly Moments[]): void {
    for (const part of parts) this.#check(part)
    this.#count[1] = 0
    this.#othersMean.fill(0)
    this.#othersM2.fill(0)
    for (const { count, mean, m2 } of parts) {
      if (count > 0) this.#count[1] = merge(this.#othersMean, this.#othersM2, this.#count[1]!, mean, m2, count)
    }
  }

  /** Counts `rows` samples, one after another in `values` [rows, size] from index 0 on. */
  add(values: Float32Array | Float64Array, rows: number): void {
    if (this.frozen || rows === 0) return
    const { size } = this
    const mean = this.#batchMean.fill(0)
    const m2 = this.#batchM2.fill(0)
    for (let row = 0, at = 0; row < rows; row++) for (let i = 0; i < size; i++) mean[i]! += values[at++]!
    for (let i = 0; i < size; i++) mean[i]! /= rows
    for (let row = 0, at = 0; row < rows; row++) {
      for (let i = 0; i < size; i++) {
        const off = values[at++]! - mean[i]!
        m2[i]! += off * off
      }
    }
    this.#count[0] = merge(this.#ownMean, this.#ownM2, this.#count[0]!, mean, m2, rows)
  }

  /** Writes mean and variance of everything, own and others'. Before any sample: 0 and 1. */
  read(mean: Float64Array, variance: Float64Array): void {
    const own = this.#count[0]!
    const others = this.#count[1]!
    if (own + others === 0) {
      mean.fill(0)
      variance.fill(1)
      return
    }
    mean.set(this.#ownMean)
    variance.set(this.#ownM2)
    const count = others === 0 ? own : merge(mean, variance, own, this.#othersMean, this.#othersM2, others)
    for (let i = 0; i < variance.length; i++) variance[i]! /= count
  }

  #check({ count, mean, m2 }: Moments): void {
    const sound =
      Number.isFinite(count) &&
      count >= 0 &&
      mean.length === this.size &&
      m2.length === this.size &&
      mean.every(Number.isFinite) &&
      m2.every((value) => value >= 0 && value < Number.POSITIVE_INFINITY)
    if (!sound)
      throw new GrapevineError(
        'moments',
        'local',
        `Moments of ${mean.length} values with count ${count} do not fit a normaliser of ${this.size} values.`,
      )
  }
}

/** Adds (mean, m2, count) to (intoMean, intoM2, intoCount) and returns the count of both. */
function merge(
  intoMean: Float64Array,
  intoM2: Float64Array,
  intoCount: number,
  mean: Float64Array,
  m2: Float64Array,
  count: number,
): number {
  const total = intoCount + count
  const share = count / total
  for (let i = 0; i < intoMean.length; i++) {
    const apart = mean[i]! - intoMean[i]!
    intoMean[i]! += apart * share
    intoM2[i]! += m2[i]! + apart * apart * intoCount * share
  }
  return total
}
