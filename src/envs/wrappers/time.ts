/** Wrappers that look across steps: a time limit, and the last few observations seen at once. */
import { GrapevineError } from '../../util/errors.ts'
import { readOptions } from '../options.ts'
import { boxSpace, sizeOf } from '../spaces.ts'
import type { VectorBuffers, VectorEnvironment } from '../types.ts'
import { forEnded, type Layer, overlay } from './layer.ts'

type Options = Readonly<Record<string, unknown>>

/** Truncates episodes after `steps` (required). Needs an environment that can restart single rows: all that the registry makes can. */
export function limitSteps(inner: VectorEnvironment, options: Options): Layer {
  const { steps } = readOptions('timeLimit', options, { steps: 0 })
  requireCount('timeLimit', 'steps', steps)
  const { restart } = inner
  if (restart === undefined)
    throw new GrapevineError(
      'wrapper',
      'local',
      'The wrapper timeLimit needs an environment that can restart single rows, and this one cannot.',
    )
  const { count } = inner
  const width = sizeOf(inner.observationSpace)
  const elapsed = new Int32Array(count)
  const flags = new Uint8Array(count)
  const environment = overlay(
    inner,
    {
      reset(seed, observations) {
        elapsed.fill(0)
        inner.reset(seed, observations)
      },
      step(actions, out) {
        inner.step(actions, out)
        let late = false
        for (let row = 0; row < count; row++) {
          flags[row] = 0
          const ended = (out.terminated[row]! | out.truncated[row]!) !== 0
          const over = ++elapsed[row]! >= steps
          if (ended || over) elapsed[row] = 0
          if (!over) continue
          out.truncated[row] = 1
          // An episode that ended by itself has its final observation and its successor already.
          if (ended) continue
          late = true
          flags[row] = 1
          out.finalObservations.set(out.observations.subarray(row * width, (row + 1) * width), row * width)
        }
        if (late) restart.call(inner, flags, out.observations)
      },
      restarted(restartedRows) {
        for (let row = 0; row < count; row++) if (restartedRows[row] === 1) elapsed[row] = 0
      },
    },
    [elapsed],
  )
  return { environment }
}

/**
 * Shows the last `frames` (4) observations at once, oldest first along the last axis; an episode begins with its first observation
 * repeated, as in Gymnasium.
 */
export function stackFrames(inner: VectorEnvironment, options: Options): Layer {
  const { frames } = readOptions('frameStack', options, { frames: 4 })
  requireCount('frameStack', 'frames', frames)
  const { count, observationSpace } = inner
  const width = sizeOf(observationSpace)
  const { shape, low, high } = observationSpace
  const depth = shape.at(-1) ?? 1
  const cells = width / depth
  const stride = depth * frames
  const plain = new Float32Array(count * width)
  const plainFinal = new Float32Array(count * width)
  /** [n, cells, frames * depth] */
  const stack = new Float32Array(count * width * frames)
  /** The caller's buffers with our own observations, made anew when he passes others. */
  let caller: VectorBuffers | null = null
  let plainOut: VectorBuffers

  const fill = (row: number): void => {
    for (let cell = 0; cell < cells; cell++) {
      const from = row * width + cell * depth
      for (let frame = 0; frame < frames; frame++) {
        stack.set(plain.subarray(from, from + depth), (row * cells + cell) * stride + frame * depth)
      }
    }
  }
  const push = (row: number, source: Float32Array): void => {
    for (let cell = 0; cell < cells; cell++) {
      const at = (row * cells + cell) * stride
      stack.copyWithin(at, at + depth, at + stride)
      const from = row * width + cell * depth
      for (let i = 0; i < depth; i++) stack[at + stride - depth + i] = source[from + i]!
    }
  }
  const copyRow = (row: number, to: Float32Array): void => {
    const at = row * width * frames
    to.set(stack.subarray(at, at + width * frames), at)
  }
  const spread = (bound: Float32Array): number[] => {
    const all: number[] = []
    for (let cell = 0; cell < cells; cell++) {
      for (let frame = 0; frame < frames; frame++) all.push(...bound.subarray(cell * depth, (cell + 1) * depth))
    }
    return all
  }
  const environment = overlay(
    inner,
    {
      observationSpace: boxSpace([...shape.slice(0, -1), stride], spread(low), spread(high)),
      reset(seed, observations) {
        inner.reset(seed, plain)
        for (let row = 0; row < count; row++) fill(row)
        observations.set(stack)
      },
      step(actions, out) {
        if (out !== caller) {
          caller = out
          plainOut = { ...out, observations: plain, finalObservations: plainFinal }
        }
        inner.step(actions, plainOut)
        for (let row = 0; row < count; row++) if ((out.terminated[row]! | out.truncated[row]!) === 0) push(row, plain)
        forEnded(out, (row) => {
          push(row, plainFinal)
          copyRow(row, out.finalObservations)
          fill(row)
        })
        out.observations.set(stack)
      },
      restart(flags, observations) {
        inner.restart?.(flags, plain)
        for (let row = 0; row < count; row++) {
          if (flags[row] !== 1) continue
          fill(row)
          copyRow(row, observations)
        }
      },
    },
    [stack],
  )
  return { environment }
}

function requireCount(id: string, option: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new GrapevineError('option', 'local', `Option "${option}" of ${id} must be an integer of at least 1, but it is ${value}.`, {
      id,
      option,
    })
}
