/**
 * The body of a snapshot: all that a joiner needs to go on where its donor stood.
 *
 * Layout, little-endian: magic GVRS, major, minor, 1 if target parameters follow, zero (8 bytes); number of parameters (4), zero (4);
 * version, steps (8 each); parameters and target as float32 in canonical order; the normaliser section (normaliser.ts).
 */
import type { Replica } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import { Reader, Writer } from './binary.ts'
import { readFloats, writeFloats } from './floats.ts'
import { normaliserBytes, readNormalisers, writeNormalisers } from './normaliser.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

const MAGIC = [0x47, 0x56, 0x52, 0x53]
const HEADER_BYTES = 32

export function encodeReplica(replica: Replica): Uint8Array {
  const { parameters, target, normalisers } = replica
  const vectors = target === null ? [parameters] : [parameters, target]
  const writer = new Writer(
    HEADER_BYTES + vectors.length * parameters.byteLength + normaliserBytes(normalisers.map(({ mean }) => mean.length)),
  )
  for (const byte of [...MAGIC, ...PROTOCOL_VERSION, target === null ? 0 : 1, 0]) writer.u8(byte)
  writer.u32(parameters.length)
  writer.u32(0)
  writer.u53(replica.version)
  writer.u53(replica.steps)
  for (const vector of vectors) writeFloats(vector, writer.reserve(vector.byteLength))
  writeNormalisers(writer, normalisers)
  return writer.bytes
}

/** Throws `bad_replica` (fault peer) unless it holds exactly `parameterCount` finite parameters, and as many of a target if any. */
export function decodeReplica(bytes: Uint8Array, parameterCount: number): Replica {
  const reader = new Reader(bytes, badReplica)
  for (const byte of MAGIC) if (reader.u8() !== byte) throw badReplica('it does not begin like one')
  const major = reader.u8()
  reader.u8()
  if (major !== PROTOCOL_VERSION[0]) throw badReplica(`it was written by protocol ${major}, this is ${PROTOCOL_VERSION[0]}`)
  const hasTarget = reader.u8()
  if (hasTarget > 1 || reader.u8() !== 0) throw badReplica('a reserved byte is not zero')
  const count = reader.u32()
  if (count !== parameterCount) throw badReplica(`it has ${count} parameters where the model has ${parameterCount}`)
  if (reader.u32() !== 0) throw badReplica('a reserved byte is not zero')
  const version = reader.u53()
  const steps = reader.u53()
  const parameters = readVector(reader, count)
  const target = hasTarget === 1 ? readVector(reader, count) : null
  const normalisers = readNormalisers(reader, badReplica)
  reader.end()
  return { parameters, target, version, steps, normalisers }
}

function readVector(reader: Reader, count: number): Float32Array {
  const bytes = reader.bytes(4 * count)
  const values = new Float32Array(count)
  readFloats(bytes, values)
  if (!values.every(Number.isFinite)) throw badReplica('it holds parameters that are not finite')
  return values
}

function badReplica(problem: string): GrapevineError {
  return new GrapevineError('bad_replica', 'peer', `A snapshot was refused: ${problem}.`)
}
