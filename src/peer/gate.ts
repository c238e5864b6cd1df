/**
 * Where a received snapshot is accepted or refused: a pure function of the frame's bytes and what we know. Nothing is mixed that did not pass.
 *
 * Order: identity (the frame's author is the authenticated sender), manifest equality, exact byte length, digest, all values finite, moments as they can be,
 * (incarnation, sequence) newer than the last accepted of that author, norm at most MAX_NORM_RATIO times our own.
 * Every refusal has a code and says whether it is the author's doing: then the network charges the sender for it.
 */
import { type Codec, payloadBytes } from '../average/codecs.ts'
import { type InspectedPayload, inspectPayload } from '../average/passes.ts'
import type { Moments } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { allocateFloats } from '../util/memory.ts'
import { decodeFrame, type Frame } from '../wire/frame.ts'
import { isNewer, isSame } from './authors.ts'
import { MAX_NORM_RATIO } from './limits.ts'

export interface GateContext {
  readonly runPrefix: Uint8Array
  readonly codec: Codec
  readonly parameterCount: number
  /** Values of each of the run's normalisers. */
  readonly normaliserSizes: readonly number[]
  /** Order of the last frame accepted of this author; null when there was none. */
  readonly last: { readonly incarnation: number; readonly sequence: number } | null
  /** Euclidean norm of our own parameters. */
  readonly ownNorm: number
}

export type GateResult =
  | { readonly ok: true; readonly frame: Frame; readonly parameters: Float32Array; readonly moments: Moments | null }
  /** `hostile`: no honest peer sends this. `late` is no fault at all: gossip delivered an older frame after a newer one. */
  | { readonly ok: false; readonly code: string; readonly hostile: boolean }

export function judgeFrame(author: PeerId, bytes: Uint8Array, context: GateContext): GateResult {
  const opened = openFrame(author, bytes, context)
  if (!opened.ok) return opened
  const { frame } = opened
  const parameters = allocateFloats(context.parameterCount)
  return judgeOpened(frame, inspectPayload(frame.payload, frame.digest, context.codec, frame.epoch, parameters), context)
}

/** What can be said without a pass over the payload. */
export function openFrame(
  author: PeerId,
  bytes: Uint8Array,
  context: GateContext,
): { readonly ok: true; readonly frame: Frame } | Extract<GateResult, { ok: false }> {
  let frame: Frame
  try {
    frame = decodeFrame(bytes)
  } catch (error) {
    return refuse(error instanceof GrapevineError ? error.code : 'undecodable')
  }
  if (frame.author !== author) return refuse('wrong_author')
  if (!equalBytes(frame.runPrefix, context.runPrefix)) return refuse('manifest_mismatch')
  if (frame.codec !== context.codec.id || frame.count !== context.parameterCount) return refuse('manifest_mismatch')
  if (frame.payload.length !== payloadBytes(context.codec, context.parameterCount)) return refuse('wrong_length')
  return { ok: true, frame }
}

export function judgeOpened(frame: Frame, { parameters, norm, moments }: InspectedPayload, context: GateContext): GateResult {
  if (parameters === null) return refuse('bad_digest')
  const { normaliserSizes } = context
  if (frame.normalisers.length !== normaliserSizes.length || frame.normalisers.some(({ mean }, i) => mean.length !== normaliserSizes[i])) {
    return refuse('bad_normaliser')
  }
  if (!Number.isFinite(norm)) return refuse('not_finite')
  if (context.codec.moments !== null && moments === null) return refuse('bad_moments')
  if (!isNewer(frame, context.last)) return { ok: false, code: isSame(frame, context.last) ? 'stale_version' : 'late', hostile: false }
  if (norm > MAX_NORM_RATIO * context.ownNorm) return refuse('too_far')
  return { ok: true, frame, parameters, moments }
}

function refuse(code: string): Extract<GateResult, { ok: false }> {
  return { ok: false, code, hostile: true }
}
