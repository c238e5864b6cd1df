/**
 * The frames between a bridge's worker and one Python child, byte for byte as bridge.py has them: a header of four little-endian 32-bit
 * words (magic, kind, sequence, length of the payload) and the payload. Pure; whatever does not fit is refused, never guessed.
 */
import type { Description } from './description.ts'

const MAGIC = 0x31425647
export const HEADER_BYTES = 16

/** What a frame is. The child answers `open` with `ready`, the other two with `rows`, and anything with `failed`. */
export const KIND = { open: 1, reset: 2, step: 3, ready: 16, rows: 17, failed: 18 } as const
type Kind = (typeof KIND)[keyof typeof KIND]

/** A seed of all ones: the row's stream goes on. */
const STREAM_GOES_ON = 0xffff_ffff_ffff_ffffn

export interface Header {
  readonly kind: number
  readonly sequence: number
  /** Bytes of the payload. */
  readonly length: number
}

/** null: it does not begin as a frame does. */
export function decodeHeader(bytes: Uint8Array): Header | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  if (view.getUint32(0, true) !== MAGIC) return null
  return { kind: view.getUint32(4, true), sequence: view.getUint32(8, true), length: view.getUint32(12, true) }
}

/** A frame with room for `length` bytes of payload, which the caller fills from HEADER_BYTES on. */
export function newFrame(kind: Kind, length: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, kind, true)
  view.setUint32(12, length, true)
  return frame
}

export function setSequence(frame: Uint8Array, sequence: number): void {
  new DataView(frame.buffer, frame.byteOffset).setUint32(8, sequence, true)
}

/** `flags` [n]: the rows that begin an episode; `seeds` [n], null: from their streams; `options`: JSON or empty. */
export function resetFrame(flags: Uint8Array, seeds: readonly number[] | null, options: string): Uint8Array {
  const count = flags.length
  const text = new TextEncoder().encode(options)
  const seedsAt = HEADER_BYTES + padded(count)
  const frame = newFrame(KIND.reset, padded(count) + 8 * count + text.length)
  const view = new DataView(frame.buffer)
  frame.set(flags, HEADER_BYTES)
  for (let row = 0; row < count; row++) view.setBigUint64(seedsAt + 8 * row, seeds === null ? STREAM_GOES_ON : BigInt(seeds[row]!), true)
  frame.set(text, seedsAt + 8 * count)
  return frame
}

/** Where the parts of the payload of `rows` lie, in bytes: rewards f64[n] at 0, then the flags, the observations and the final ones. */
export interface RowsLayout {
  readonly count: number
  /** Numbers of one observation. */
  readonly width: number
  readonly type: Description['observation']['type']
  /** Bytes of one observation. */
  readonly rowBytes: number
  readonly terminatedAt: number
  readonly truncatedAt: number
  readonly observationsAt: number
  /** Also the length of a payload without final observations; each adds `rowBytes`, in the order of the rows that ended. */
  readonly finalsAt: number
  readonly maxBytes: number
}

export function rowsLayout(count: number, { observation }: Description): RowsLayout {
  const width = observation.shape.reduce((product, length) => product * length, 1)
  const rowBytes = width * (observation.type === 'u8' ? 1 : 4)
  const terminatedAt = 8 * count
  const observationsAt = terminatedAt + padded(2 * count)
  const finalsAt = observationsAt + count * rowBytes
  return {
    count,
    width,
    type: observation.type,
    rowBytes,
    terminatedAt,
    truncatedAt: terminatedAt + count,
    observationsAt,
    finalsAt,
    maxBytes: finalsAt + count * rowBytes,
  }
}

/** Can a payload of `rows` have this length? */
export function isRowsLength(layout: RowsLayout, length: number): boolean {
  return length >= layout.finalsAt && length <= layout.maxBytes && (length - layout.finalsAt) % layout.rowBytes === 0
}

/** Do flags and final observations agree? `payload` holds at least `length` bytes. */
export function finalsAgree(layout: RowsLayout, payload: Uint8Array, length: number, autoreset: boolean): boolean {
  let ended = 0
  for (let row = 0; row < layout.count; row++) {
    const terminated = payload[layout.terminatedAt + row]!
    const truncated = payload[layout.truncatedAt + row]!
    if (terminated > 1 || truncated > 1) return false
    ended += terminated | truncated
  }
  return (length - layout.finalsAt) / layout.rowBytes === (autoreset ? ended : 0)
}

export function padded(length: number): number {
  return Math.ceil(length / 8) * 8
}
