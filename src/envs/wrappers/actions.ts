/** Wrappers of actions: clipped or rescaled to the bounds of a box, or repeated by chance. */
import { GrapevineError } from '../../util/errors.ts'
import { readOptions, refuseOptions } from '../options.ts'
import { Pcg64Rows } from '../pcg64.ts'
import { boxSpace, sizeOf } from '../spaces.ts'
import type { BoxSpace, VectorEnvironment } from '../types.ts'
import { forEnded, type Layer, overlay } from './layer.ts'

type Options = Readonly<Record<string, unknown>>

/** Lets any action in and clips it to the bounds of the environment. */
export function clipActions(inner: VectorEnvironment, options: Options): Layer {
  refuseOptions('clipAction', options)
  const { shape, low, high } = requireBox('clipAction', inner)
  const width = low.length
  const clipped = new Float32Array(inner.count * width)
  const clip = (actions: Int32Array | Float32Array) => {
    requireLength(actions, clipped)
    for (let i = 0; i < clipped.length; i++) clipped[i] = Math.max(low[i % width]!, Math.min(high[i % width]!, actions[i]!))
    return clipped
  }
  return {
    environment: overlay(inner, {
      actionSpace: boxSpace(shape, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
      step: (actions, out) => inner.step(clip(actions), out),
      begin: (actions) => inner.begin!(clip(actions)),
    }),
  }
}

/** Actions from `low` (-1) to `high` (1) stand for those from one bound of the environment to the other, in a straight line. */
export function rescaleActions(inner: VectorEnvironment, options: Options): Layer {
  const bounds = readOptions('rescaleAction', options, { low: -1, high: 1 })
  const { shape, low, high } = requireBox('rescaleAction', inner)
  if (!(bounds.low < bounds.high))
    throw new GrapevineError('option', 'local', 'Option "low" of rescaleAction must be below its option "high".')
  if (![...low, ...high].every(Number.isFinite))
    throw new GrapevineError('wrapper', 'local', 'The wrapper rescaleAction needs an environment whose actions have finite bounds.')
  const width = low.length
  const scaled = new Float32Array(inner.count * width)
  const scale = (actions: Int32Array | Float32Array) => {
    requireLength(actions, scaled)
    for (let i = 0; i < scaled.length; i++) {
      const from = low[i % width]!
      scaled[i] = from + ((high[i % width]! - from) * (actions[i]! - bounds.low)) / (bounds.high - bounds.low)
    }
    return scaled
  }
  return {
    environment: overlay(inner, {
      actionSpace: boxSpace(shape, bounds.low, bounds.high),
      step: (actions, out) => inner.step(scale(actions), out),
      begin: (actions) => inner.begin!(scale(actions)),
    }),
  }
}

/** Set apart from the environment's own streams, which are seeded with the same numbers. */
const STREAM_OFFSET = 4_503_599_627_370_496

/** With `probability` (0.25, Machado et al. 2018) the action executed last is executed again; the first of an episode never is. */
export function stickActions(inner: VectorEnvironment, options: Options): Layer {
  const { probability } = readOptions('stickyActions', options, { probability: 0.25 })
  if (probability < 0 || probability > 1)
    throw new GrapevineError('option', 'local', `Option "probability" of stickyActions must lie in 0 to 1, but it is ${probability}.`)
  const { count, actionSpace } = inner
  const width = sizeOf(actionSpace)
  const executed = actionSpace.kind === 'discrete' ? new Int32Array(count) : new Float32Array(count * width)
  const begun = new Uint8Array(count)
  const streams = new Pcg64Rows(count)
  const environment = overlay(
    inner,
    {
      reset(seed, observations) {
        inner.reset(seed, observations)
        begun.fill(0)
        if (seed === null) return
        for (let row = 0; row < count; row++) streams.seed(row, (seed + row + STREAM_OFFSET) % (2 * STREAM_OFFSET))
      },
      step(actions, out) {
        requireLength(actions, executed)
        for (let row = 0; row < count; row++) {
          const repeat = streams.random(row) < probability && begun[row] === 1
          begun[row] = 1
          if (repeat) continue
          for (let i = row * width; i < (row + 1) * width; i++) executed[i] = actions[i]!
        }
        inner.step(executed, out)
        forEnded(out, (row) => {
          begun[row] = 0
        })
      },
      begin: null,
      restarted(flags) {
        for (let row = 0; row < count; row++) if (flags[row] === 1) begun[row] = 0
      },
    },
    [executed, begun, streams.words],
  )
  return { environment }
}

function requireBox(id: string, { actionSpace }: VectorEnvironment): BoxSpace {
  if (actionSpace.kind === 'box') return actionSpace
  throw new GrapevineError('wrapper', 'local', `The wrapper ${id} is for continuous actions, and this environment's are discrete.`)
}

function requireLength(actions: Int32Array | Float32Array, like: Int32Array | Float32Array): void {
  if (actions.length !== like.length || actions.constructor !== like.constructor)
    throw new GrapevineError(
      'shape',
      'local',
      `A step wants its actions as ${like.constructor.name} of length ${like.length}, but got ${actions.constructor.name} of length ${actions.length}.`,
    )
}
