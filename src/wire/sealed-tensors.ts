/**
 * Safetensors files that know when they are damaged: the metadata begins with the SHA-256 of the whole file, computed with zeros in its place.
 * Any reader of safetensors reads them.
 */
import type { StateArray } from '../ports/learner.ts'
import type { TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { sha256Hex } from '../util/sha256.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

const PREFIX = '{"__metadata__":{"sha256":"'
const DIGITS = 64
/** After the length of the header. */
const DIGITS_AT = 8 + PREFIX.length

export function sealTensors({ tensors, metadata }: TensorFile): Uint8Array {
  const bytes = encodeSafetensors({ tensors, metadata: { sha256: '0'.repeat(DIGITS), ...metadata } })
  bytes.set(new TextEncoder().encode(sha256Hex(bytes)), DIGITS_AT)
  return bytes
}

/** One-dimensional tensors. */
export function vectors(arrays: Readonly<Record<string, StateArray>>): TensorFile['tensors'] {
  return Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, { shape: [data.length], data }]))
}

/** Throws `bad_tensors` where the file is damaged or was not sealed. */
export function openSealed(bytes: Uint8Array): TensorFile {
  const text = new TextDecoder('latin1').decode(bytes.subarray(8, DIGITS_AT + DIGITS))
  if (!text.startsWith(PREFIX)) throw bad('it has no checksum')
  const blank = bytes.slice()
  blank.fill(0x30, DIGITS_AT, DIGITS_AT + DIGITS)
  if (sha256Hex(blank) !== text.slice(PREFIX.length)) throw bad('its checksum does not match its bytes')
  const { tensors, metadata } = decodeSafetensors(bytes)
  const { sha256: _, ...rest } = metadata
  return { tensors, metadata: rest }
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_tensors', 'local', `This file cannot be trusted: ${problem}.`, { problem })
}
