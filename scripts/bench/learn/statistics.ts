/** Statistics over a handful of runs: interquartile mean with bootstrap intervals, as rliable [Agarwal et al. 2021, arXiv 2108.13264]. */
import { seededRandom } from '../../../src/util/random.ts'

const RESAMPLES = 2_000

export interface Interval {
  readonly iqm: number
  /** 95 % of the interquartile means of resampled runs lie between. */
  readonly low: number
  readonly high: number
}

/** Mean of the middle half: a quarter of the values, rounded down, is left out at each end. NaN of none. */
export function interquartileMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const cut = Math.floor(sorted.length / 4)
  const middle = sorted.slice(cut, sorted.length - cut)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

/** Percentile bootstrap over the runs, from a fixed seed. */
export function iqmInterval(values: readonly number[], resamples = RESAMPLES): Interval {
  const random = seededRandom('bootstrap')
  const means = Array.from({ length: resamples }, () =>
    interquartileMean(values.map(() => values[Math.floor(random.uniform() * values.length)]!)),
  ).sort((a, b) => a - b)
  const at = (share: number) => means[Math.min(resamples - 1, Math.floor(share * resamples))]!
  return { iqm: interquartileMean(values), low: at(0.025), high: at(0.975) }
}

/** NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

/** Nearest rank, so that infinite values stay apart; the mean of the two middle ones for an even median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
