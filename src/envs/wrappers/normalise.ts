/**
 * Normalisation with running moments, as Gymnasium's NormalizeObservation and NormalizeReward (Andrychowicz et al. 2021 found both to
 * matter for continuous control). The moments belong to the replica: a policy is worth nothing without those it was trained with.
 */
import { GrapevineError } from '../../util/errors.ts'
import { readOptions } from '../options.ts'
import { boxSpace, sizeOf } from '../spaces.ts'
import type { VectorEnvironment } from '../types.ts'
import { forEnded, type Layer, overlay } from './layer.ts'
import { RunningMoments } from './moments.ts'

type Options = Readonly<Record<string, unknown>>

/**
 * Observations minus their running mean, over their running deviation, clipped to +-`clip` (10); `epsilon` (1e-8) is added to the variance.
 * Each observation is counted before it is normalised; final observations are normalised but not counted.
 */
export function normaliseObservations(inner: VectorEnvironment, options: Options): Layer {
  const { clip, epsilon } = readOptions('normaliseObservations', options, { clip: 10, epsilon: 1e-8 })
  requirePositive('normaliseObservations', { clip, epsilon })
  const { count } = inner
  const width = sizeOf(inner.observationSpace)
  const moments = new RunningMoments(width)
  const mean = new Float64Array(width)
  const scale = new Float64Array(width)
  const fresh = new Float32Array(count * width)

  const refresh = (): void => {
    moments.read(mean, scale)
    for (let i = 0; i < width; i++) scale[i] = 1 / Math.sqrt(scale[i]! + epsilon)
  }
  const apply = (values: Float32Array, first: number, rows: number): void => {
    for (let row = first, at = first * width; row < first + rows; row++) {
      for (let i = 0; i < width; i++, at++) {
        const value = (values[at]! - mean[i]!) * scale[i]!
        values[at] = value > clip ? clip : Math.max(-clip, value)
      }
    }
  }
  const environment = overlay(
    inner,
    {
      observationSpace: boxSpace(inner.observationSpace.shape, -clip, clip),
      reset(seed, observations) {
        inner.reset(seed, observations)
        moments.add(observations, count)
        refresh()
        apply(observations, 0, count)
      },
      step(actions, out) {
        inner.step(actions, out)
        moments.add(out.observations, count)
        refresh()
        apply(out.observations, 0, count)
        forEnded(out, (row) => apply(out.finalObservations, row, 1))
      },
      restarted(flags, observations) {
        let rows = 0
        for (let row = 0; row < count; row++) {
          if (flags[row] !== 1) continue
          fresh.set(observations.subarray(row * width, (row + 1) * width), rows++ * width)
        }
        moments.add(fresh, rows)
        refresh()
        for (let row = 0; row < count; row++) if (flags[row] === 1) apply(observations, row, 1)
      },
    },
    moments.memory,
  )
  return { environment, moments }
}

/**
 * Rewards over the running deviation of the discounted return (`gamma` 0.99), clipped to +-`clip` (10); the mean is left alone, so that
 * no reward changes its sign. `epsilon` (1e-8) is added to the variance.
 */
export function normaliseRewards(inner: VectorEnvironment, options: Options): Layer {
  const { gamma, clip, epsilon } = readOptions('normaliseRewards', options, { gamma: 0.99, clip: 10, epsilon: 1e-8 })
  requirePositive('normaliseRewards', { clip, epsilon })
  if (gamma < 0 || gamma > 1)
    throw new GrapevineError('option', 'local', `Option "gamma" of normaliseRewards must lie in 0 to 1, but it is ${gamma}.`)
  const { count } = inner
  const moments = new RunningMoments(1)
  const returns = new Float64Array(count)
  const rawRewards = new Float32Array(count)
  const mean = new Float64Array(1)
  const variance = new Float64Array(1)
  const environment = overlay(
    inner,
    {
      reset(seed, observations) {
        returns.fill(0)
        inner.reset(seed, observations)
      },
      step(actions, out) {
        inner.step(actions, out)
        rawRewards.set(out.rewards)
        for (let row = 0; row < count; row++) returns[row] = returns[row]! * gamma + out.rewards[row]!
        moments.add(returns, count)
        moments.read(mean, variance)
        const scale = 1 / Math.sqrt(variance[0]! + epsilon)
        for (let row = 0; row < count; row++) out.rewards[row] = Math.max(-clip, Math.min(clip, out.rewards[row]! * scale))
        forEnded(out, (row) => {
          returns[row] = 0
        })
      },
      restarted(flags) {
        for (let row = 0; row < count; row++) if (flags[row] === 1) returns[row] = 0
      },
    },
    [...moments.memory, returns],
  )
  return { environment, moments, rawRewards }
}

function requirePositive(id: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0))
      throw new GrapevineError('option', 'local', `Option "${name}" of ${id} must be above 0, but it is ${value}.`, { id, option: name })
  }
}
