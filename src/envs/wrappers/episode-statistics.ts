/** Keeps return and length of the last episodes that ended, from the rewards as they pass this wrapper (innermost: the raw ones). */
import { GrapevineError } from '../../util/errors.ts'
import { readOptions } from '../options.ts'
import type { VectorEnvironment } from '../types.ts'
import { forEnded, type Layer, overlay } from './layer.ts'

export interface EpisodeStatistics {
  /** Episodes that ended, all told. */
  readonly episodes: number
  /** Returns of the last `window` of them, oldest first. */
  returns(): number[]
  /** Their lengths in steps. */
  lengths(): number[]
}

/** `window` (100) episodes are remembered. */
export function keepEpisodes(
  inner: VectorEnvironment,
  options: Readonly<Record<string, unknown>>,
): Layer & { readonly statistics: EpisodeStatistics } {
  const { window } = readOptions('episodeStatistics', options, { window: 100 })
  if (!Number.isInteger(window) || window < 1)
    throw new GrapevineError(
      'option',
      'local',
      `Option "window" of episodeStatistics must be an integer of at least 1, but it is ${window}.`,
    )
  const { count } = inner
  const running = new Float64Array(count)
  const elapsed = new Int32Array(count)
  const returns = new Float64Array(window)
  const lengths = new Float64Array(window)
  const ended = new Float64Array(1)

  const inOrder = (ring: Float64Array): number[] => {
    const episodes = ended[0]!
    if (episodes <= window) return [...ring.subarray(0, episodes)]
    const oldest = episodes % window
    return [...ring.subarray(oldest), ...ring.subarray(0, oldest)]
  }
  const environment = overlay(
    inner,
    {
      reset(seed, observations) {
        running.fill(0)
        elapsed.fill(0)
        inner.reset(seed, observations)
      },
      step(actions, out) {
        inner.step(actions, out)
        for (let row = 0; row < count; row++) {
          running[row]! += out.rewards[row]!
          elapsed[row]! += 1
        }
        forEnded(out, (row) => {
          const slot = ended[0]! % window
          returns[slot] = running[row]!
          lengths[slot] = elapsed[row]!
          ended[0]! += 1
          running[row] = 0
          elapsed[row] = 0
        })
      },
      restarted(flags) {
        for (let row = 0; row < count; row++) {
          if (flags[row] !== 1) continue
          running[row] = 0
          elapsed[row] = 0
        }
      },
    },
    [running, elapsed, returns, lengths, ended],
  )
  return {
    environment,
    statistics: {
      get episodes() {
        return ended[0]!
      },
      returns: () => inOrder(returns),
      lengths: () => inOrder(lengths),
    },
  }
}
