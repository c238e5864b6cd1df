/**
 * Codecs: how parameters become the payload of a frame. Q(x) = decode(encode(x)) is what everyone, the author included, holds the payload
 * for: strategies take differences of Q(theirs) and Q(mine) of the same draw, so that quantisation cancels in the swarm's mean. A codec that
 * sends some coordinates decodes the others to 0, which cancels as well: they are left alone.
 *
 * Both directions check lengths (`shape`, fault local). What is not finite decodes to something not finite: the receiver's gate refuses it.
 */
import type { MomentKind } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { CODEC_FORMS, type CodecChoice, type CodecName, readCodecName } from '../wire/codec-names.ts'
import { coordinatesOf } from './coordinates.ts'
import { FORMATS } from './formats.ts'
import { type MomentCodec, momentCodec } from './moments.ts'

/** What a codec must know of the model and its run. */
export interface CodecModel {
  /** Run id: coordinates are drawn from it. */
  readonly run: string
  /** Lengths of the model's slices in canonical order: each has a scale of its own where there are scales. */
  readonly slices: readonly number[]
  /** The optimiser's moments that travel behind the parameters; absent: none. */
  readonly moments?: readonly MomentKind[]
}

export interface Codec {
  /** As manifests name it. */
  readonly name: string
  /** As frames name it. */
  readonly id: CodecName
  /** How moments travel behind what this codec encodes; null: none do. */
  readonly moments: MomentCodec | null
  /** Exact length of `count` parameters. */
  bytesFor(count: number): number
  /** Share of the coordinates in one payload, in (0, 1]. */
  shareOf(count: number): number
  /** Indices of the coordinates in a payload, ascending, to be read before the next call of this codec; null: all. */
  coordinates(count: number, draw?: number): Uint32Array | null
  /** values [n], into [bytesFor(n)]. `draw` chooses the coordinates, where not all travel. */
  encode(values: Float32Array, into: Uint8Array, draw?: number): void
  /** bytes [bytesFor(n)], into [n], of the same draw */
  decode(bytes: Uint8Array, into: Float32Array, draw?: number): void
  /** Largest |Q(x) - x| of the coordinates that travel, for vectors of finite values of at most this magnitude. */
  errorBound(magnitude: number): number
}

/** Without `model` a vector is one slice. Throws `unknown_codec` (fault local): settings are checked when a run is founded or joined. */
export function codecNamed(name: string, model?: CodecModel): Codec {
  const choice = readCodecName(name)
  if (choice === null) {
    throw new GrapevineError('unknown_codec', 'local', `Codec "${name}" is not known here; choose one of ${CODEC_FORMS.join(', ')}.`, {
      name,
    })
  }
  const parameters = codecOf(choice, model)
  const kinds = model?.moments ?? []
  const moments = kinds.length === 0 ? null : momentCodec(kinds, codecOf({ ...choice, format: 'f32' }, model))
  return { ...parameters, moments }
}

/** Exact length of a frame's payload: `count` parameters, and moments where they travel. */
export function payloadBytes(codec: Codec, count: number): number {
  return codec.bytesFor(count) + (codec.moments?.bytesFor(count) ?? 0)
}

function codecOf(choice: CodecChoice, model: CodecModel | undefined): Omit<Codec, 'moments'> {
  const format = FORMATS[choice.format]
  const coordinates = coordinatesOf(choice.coordinates, model?.run ?? '')
  const slicesOf = (count: number) => {
    if (model === undefined) return [count]
    checkLengths('parameters', sum(model.slices), count)
    return model.slices
  }
  const bytesFor = (count: number) => format.bytesFor(coordinates.chosen(count), slicesOf(count).length)
  return {
    name: choice.name,
    id: choice.id,
    bytesFor,
    shareOf: (count) => coordinates.chosen(count) / count,
    coordinates: (count, draw = 0) => coordinates.indices(count, draw),
    encode(values, into, draw = 0) {
      checkLengths('bytes', bytesFor(values.length), into.length)
      const slices = slicesOf(values.length)
      const indices = coordinates.indices(values.length, draw)
      if (indices === null) format.encode(values, slices, into)
      else
        format.encode(
          Float32Array.from(indices, (i) => values[i]!),
          chosenLengths(indices, slices),
          into,
        )
    },
    decode(bytes, into, draw = 0) {
      checkLengths('bytes', bytesFor(into.length), bytes.length)
      const slices = slicesOf(into.length)
      const indices = coordinates.indices(into.length, draw)
      if (indices === null) {
        format.decode(bytes, slices, into)
        return
      }
      const chosen = new Float32Array(indices.length)
      format.decode(bytes, chosenLengths(indices, slices), chosen)
      into.fill(0)
      for (let i = 0; i < chosen.length; i++) into[indices[i]!] = chosen[i]!
    },
    errorBound: format.errorBound,
  }
}

/** How many of the ascending `indices` fall into each slice. */
function chosenLengths(indices: Uint32Array, slices: readonly number[]): readonly number[] {
  let at = 0
  let end = 0
  return slices.map((length) => {
    const from = at
    end += length
    while (at < indices.length && indices[at]! < end) at++
    return at - from
  })
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0)
}

function checkLengths(what: string, expected: number, found: number): void {
  if (expected !== found)
    throw new GrapevineError('shape', 'local', `A payload has ${found} ${what} where ${expected} belong; this is a bug of ours.`)
}
