/**
 * The passes that averaging makes over whole models, as named functions, so that large ones can run in a helper thread (Compute.pass):
 * arguments and results are cloneable, and large arrays among the results lie in shared memory.
 */
import { arrayMaths } from '../kernels/arrays.ts'
import type { Moments } from '../ports/learner.ts'
import type { Pass } from '../ports/workers.ts'
import { equalBytes } from '../util/bytes.ts'
import { allocateFloats, copyFloats } from '../util/memory.ts'
import { sha256 } from '../util/sha256.ts'
import { encodeFrameWith, type Frame } from '../wire/frame.ts'
import { type Codec, type CodecModel, codecNamed, payloadBytes } from './codecs.ts'
import { squaredDistance } from './distance.ts'
import { averagedMoments, type MixedMoments } from './moments.ts'
import { type OuterSettings, outerStep } from './outer.ts'

/** A codec in words. */
export interface CodecUse {
  readonly name: string
  readonly model: CodecModel
  readonly draw: number
}

/** Encodes `values` [n], and moments where they travel, as the frame `into`. `mine` [n] = Q(values), the same array where the codec is exact; `norm` of it. */
export const framePass: Pass<
  {
    readonly header: Omit<Frame, 'payload' | 'payloadBytes' | 'digest' | 'count' | 'codec'>
    readonly codec: CodecUse
    readonly values: Float32Array
    readonly moments?: Moments | undefined
    /** Of the frame's length. */
    readonly into: Uint8Array
  },
  { readonly mine: Float32Array; readonly norm: number }
> = {
  name: 'frame',
  run({ header, codec: use, values, moments, into: frame }) {
    const codec = codecOf(use)
    const end = codec.bytesFor(values.length)
    let payload: Uint8Array = new Uint8Array(0)
    const write = (into: Uint8Array) => {
      payload = into.subarray(0, end)
      codec.encode(values, payload, use.draw)
      if (moments !== undefined) codec.moments?.encode(moments, into.subarray(end), use.draw)
    }
    const head = { ...header, codec: codec.id, count: values.length }
    encodeFrameWith(head, payloadBytes(codec, values.length), write, () => frame)
    if (isExact(codec, values.length)) return { mine: values, norm: normOf(values) }
    const mine = allocateFloats(values.length)
    codec.decode(payload, mine, use.draw)
    return { mine, norm: normOf(mine) }
  },
}

/**
 * `inspectPayload` in a helper thread, with the parameters in `into` [n]. With `mine` [n] they become half the difference from it,
 * (theirs - mine) / 2, and `distance` is the norm of the whole.
 */
export const payloadPass: Pass<
  {
    readonly payload: Uint8Array
    readonly digest: Uint8Array
    readonly codec: CodecUse
    readonly mine: Float32Array | null
    readonly into: Float32Array
  },
  InspectedPayload & { readonly distance: number }
> = {
  name: 'payload',
  run({ payload, digest, codec, mine, into }) {
    const inspected = inspectPayload(payload, digest, codecOf(codec), codec.draw, into)
    const { parameters } = inspected
    if (parameters === null || mine === null) return { ...inspected, distance: 0 }
    return { ...inspected, distance: Math.sqrt(arrayMaths().difference(parameters, mine, 0.5)) }
  },
}

/** What is in a payload. */
export interface InspectedPayload {
  /** [count]; null where the digest is another. */
  readonly parameters: Float32Array | null
  /** Of the parameters: finite exactly when all of them are. */
  readonly norm: number
  /** null: none travel, or no moments can be such. */
  readonly moments: Moments | null
}

/** Checks a payload, of the codec's length for `parameters`, against its SHA-256 and decodes it into them. */
export function inspectPayload(
  payload: Uint8Array,
  digest: Uint8Array,
  codec: Codec,
  draw: number,
  parameters: Float32Array,
): InspectedPayload {
  if (!equalBytes(sha256(payload), digest)) return { parameters: null, norm: 0, moments: null }
  const count = parameters.length
  const end = codec.bytesFor(count)
  codec.decode(payload.subarray(0, end), parameters, draw)
  const moments = codec.moments?.decode(payload.subarray(end), count, draw) ?? null
  return { parameters, norm: normOf(parameters), moments }
}

/** `averagedMoments` in a helper thread. */
export const momentsPass: Pass<
  {
    readonly codec: { readonly name: string; readonly model: CodecModel }
    readonly own: Float32Array
    readonly others: readonly MixedMoments[]
    readonly reach: number
  },
  Float32Array
> = {
  name: 'moments',
  run: ({ codec, own, others, reach }) => averagedMoments(codecNamed(codec.name, codec.model).moments!, own, others, reach),
}

/** weight (theirs - mine), both [n], and the norm of theirs - mine: exactly the negative of what the other side computes. */
export const differencePass: Pass<
  { readonly theirs: Float32Array; readonly mine: Float32Array; readonly weight: number },
  { readonly difference: Float32Array; readonly norm: number }
> = {
  name: 'difference',
  run({ theirs, mine, weight }) {
    const difference = copyFloats(theirs)
    return { norm: Math.sqrt(arrayMaths().difference(difference, mine, weight)), difference }
  },
}

/** weight * values [n], in their memory. */
export const scalePass: Pass<{ readonly values: Float32Array; readonly weight: number }, Float32Array> = {
  name: 'scale',
  run({ values, weight }) {
    arrayMaths().scale(values, weight)
    return values
  },
}

/** ||to - from||, both [n]. */
export const distancePass: Pass<{ readonly from: Float32Array; readonly to: Float32Array }, number> = {
  name: 'distance',
  run: ({ from, to }) => Math.sqrt(squaredDistance(to, from)),
}

/** into = to + delta, all [n]. */
export const addPass: Pass<{ readonly to: Float32Array; readonly delta: Float32Array; readonly into: Float32Array }, void> = {
  name: 'add',
  run({ to, delta, into }) {
    into.set(to)
    arrayMaths().axpy(into, 1, delta)
  },
}

/** `outerStep` on copies: the delta with what the step goes beyond it, and the next velocity. */
export const outerPass: Pass<
  {
    readonly settings: OuterSettings
    readonly before: Float32Array
    readonly replica: Float32Array
    readonly velocity: Float32Array
    readonly delta: Float32Array
  },
  { readonly delta: Float32Array; readonly velocity: Float32Array }
> = {
  name: 'outer',
  run({ settings, before, replica, velocity, delta }) {
    const next = { delta: allocateFloats(delta.length), velocity: allocateFloats(delta.length) }
    next.delta.set(delta)
    next.velocity.set(velocity)
    outerStep(settings, before, replica, next.velocity, next.delta)
    return next
  },
}

const PASSES = [framePass, payloadPass, momentsPass, differencePass, scalePass, distancePass, addPass, outerPass] as const

/** For the helper thread: runs the pass of this name. */
export function runPass(name: string, input: unknown): unknown {
  const pass = PASSES.find((candidate) => candidate.name === name) as Pass<unknown, unknown>
  return pass.run(input)
}

function normOf(values: Float32Array): number {
  return Math.sqrt(arrayMaths().sumOfSquares(values))
}

function codecOf(use: CodecUse): Codec {
  return codecNamed(use.name, use.model)
}

function isExact(codec: Codec, count: number): boolean {
  return codec.shareOf(count) === 1 && codec.errorBound(1) === 0
}
