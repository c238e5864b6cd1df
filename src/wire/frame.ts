/**
 * The parameter frame: one replica's encoded parameters with who made it, when, and its normalisers.
 *
 * Layout, little-endian: magic GVPF, major, minor, codec, zero (8 bytes); element count, payload length (4 each); run id prefix (16);
 * author (38); zero (2); incarnation, sequence, version, epoch (8 each); SHA-256 of the payload (32); then the payload and the normaliser
 * section (normaliser.ts). Nothing is allocated for what a header claims: the payload is a view, after its length was found to be true.
 */
import type { Normaliser } from '../ports/learner.ts'
import type { PeerId } from '../ports/network.ts'
import { equalBytes } from '../util/bytes.ts'
import { GrapevineError } from '../util/errors.ts'
import { SHA256_BYTES, sha256 } from '../util/sha256.ts'
import { Reader, Writer } from './binary.ts'
import { type CodecName, codecName, codecNumber } from './codec-names.ts'
import { MAX_PARAMETERS, MAX_PAYLOAD_BYTES_EACH } from './limits.ts'
import { normaliserBytes, readNormalisers, writeNormalisers } from './normaliser.ts'
import { PEER_ID_BYTES, peerIdBytes, peerIdText } from './peer-id.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

/** Leading bytes of the run id in a frame. */
export const RUN_PREFIX_BYTES = 16

export interface FrameHeader {
  readonly runPrefix: Uint8Array
  readonly author: PeerId
  readonly incarnation: number
  readonly sequence: number
  /** Updates behind the parameters. */
  readonly version: number
  /** The author's own rounds. */
  readonly epoch: number
  readonly codec: CodecName
  /** Parameters of the model. */
  readonly count: number
  readonly payloadBytes: number
  /** SHA-256 of the payload. */
  readonly digest: Uint8Array
}

export interface Frame extends FrameHeader {
  /** A view of the message's bytes. */
  readonly payload: Uint8Array
  readonly normalisers: readonly Normaliser[]
}

export type FrameErrorCode =
  | 'truncated'
  | 'bad_magic'
  | 'protocol_version'
  | 'bad_length'
  | 'unknown_codec'
  | 'bad_author'
  | 'bad_header'
  | 'bad_digest'
  | 'too_large'
  | 'bad_normaliser'

const MAGIC = [0x47, 0x56, 0x50, 0x46]
const HEADER_BYTES = 16 + RUN_PREFIX_BYTES + PEER_ID_BYTES + 2 + 32 + SHA256_BYTES

/** Bytes of a whole frame; `normaliserSizes`: values of each normaliser. */
export function encodedFrameBytes(payloadBytes: number, normaliserSizes: readonly number[] = []): number {
  return HEADER_BYTES + payloadBytes + normaliserBytes(normaliserSizes)
}

/** Payload length and digest are computed. Throws `bad_author` (fault local) when the author is no Ed25519 peer id. */
export function encodeFrame({ payload, ...frame }: Omit<Frame, 'payloadBytes' | 'digest'>): Uint8Array {
  return encodeFrameWith(frame, payload.length, (into) => into.set(payload))
}

/** The same with a payload that `write` makes where it belongs, in memory of `allocate`. */
export function encodeFrameWith(
  frame: Omit<Frame, 'payload' | 'payloadBytes' | 'digest'>,
  payloadBytes: number,
  write: (payload: Uint8Array) => void,
  allocate: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array {
  const author = peerIdBytes(frame.author)
  if (author === null || frame.runPrefix.length !== RUN_PREFIX_BYTES) {
    throw new GrapevineError('bad_author', 'local', `A frame needs an Ed25519 author and a run id; ${frame.author} with this run is none.`)
  }
  const sizes = frame.normalisers.map(({ mean }) => mean.length)
  const length = encodedFrameBytes(payloadBytes, sizes)
  const writer = new Writer(length, allocate(length))
  for (const byte of [...MAGIC, ...PROTOCOL_VERSION, codecNumber(frame.codec), 0]) writer.u8(byte)
  writer.u32(frame.count)
  writer.u32(payloadBytes)
  writer.set(frame.runPrefix)
  writer.set(author)
  writer.u8(0)
  writer.u8(0)
  for (const value of [frame.incarnation, frame.sequence, frame.version, frame.epoch]) writer.u53(value)
  const digest = writer.reserve(SHA256_BYTES)
  const payload = writer.reserve(payloadBytes)
  write(payload)
  digest.set(sha256(payload))
  writeNormalisers(writer, frame.normalisers)
  return writer.bytes
}

/** Reads the header at the start of `bytes` alone: what its lengths promise is not looked at. Throws a FrameErrorCode (fault peer). */
export function decodeFrameHeader(bytes: Uint8Array): FrameHeader {
  const reader = new Reader(bytes, (problem, truncated) => badFrame(truncated ? 'truncated' : 'bad_header', problem))
  for (const byte of MAGIC) if (reader.u8() !== byte) throw badFrame('bad_magic', 'it does not begin like one')
  const major = reader.u8()
  const minor = reader.u8()
  if (major !== PROTOCOL_VERSION[0])
    throw badFrame('protocol_version', `it speaks protocol ${major}.${minor}, we speak ${PROTOCOL_VERSION.join('.')}`)
  const number = reader.u8()
  const codec = codecName(number)
  if (codec === undefined) throw badFrame('unknown_codec', `codec ${number} is not known here`)
  if (reader.u8() !== 0) throw badFrame('bad_header', 'a reserved byte is not zero')
  const count = reader.u32()
  const payloadBytes = reader.u32()
  if (count > MAX_PARAMETERS || payloadBytes > MAX_PAYLOAD_BYTES_EACH * count)
    throw badFrame('too_large', `it claims ${count} parameters in ${payloadBytes} bytes`)
  const runPrefix = reader.bytes(RUN_PREFIX_BYTES).slice()
  const author = peerIdText(reader.bytes(PEER_ID_BYTES))
  if (author === null) throw badFrame('bad_author', 'its author is no Ed25519 peer id')
  if (reader.u8() !== 0 || reader.u8() !== 0) throw badFrame('bad_header', 'a reserved byte is not zero')
  const incarnation = reader.u53()
  const sequence = reader.u53()
  const version = reader.u53()
  const epoch = reader.u53()
  const digest = reader.bytes(SHA256_BYTES).slice()
  return { runPrefix, author, incarnation, sequence, version, epoch, codec, count, payloadBytes, digest }
}

/** Everything but the payload's digest, which `checkDigest` looks at. Throws a FrameErrorCode (fault peer). */
export function decodeFrame(bytes: Uint8Array): Frame {
  const header = decodeFrameHeader(bytes)
  if (header.payloadBytes > bytes.length - HEADER_BYTES) {
    throw badFrame('truncated', `it claims a payload of ${header.payloadBytes} bytes and has ${bytes.length - HEADER_BYTES}`)
  }
  const end = HEADER_BYTES + header.payloadBytes
  const refuse = (problem: string) => badFrame('bad_normaliser', problem)
  const section = new Reader(bytes.subarray(end), refuse)
  const normalisers = readNormalisers(section, refuse)
  if (section.remaining > 0) throw badFrame('bad_length', `${section.remaining} bytes follow after its end`)
  return { ...header, payload: bytes.subarray(HEADER_BYTES, end), normalisers }
}

/** Throws `bad_digest` (fault peer) unless the payload is what the header says. One pass over the payload. */
export function checkDigest(frame: Frame): void {
  if (!equalBytes(sha256(frame.payload), frame.digest)) throw badFrame('bad_digest', 'its payload is not what its header says')
}

function badFrame(code: FrameErrorCode, problem: string): GrapevineError<FrameErrorCode> {
  return new GrapevineError(code, 'peer', `A parameter frame was refused: ${problem}.`)
}
