/** Safetensors files that know when they are damaged (seal.ts). Any reader of safetensors reads them. */
import type { StateArray } from '../ports/learner.ts'
import type { TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { sha256Hex } from '../util/sha256.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
import { SEAL_AT, SEAL_DIGITS, sealIn } from './seal.ts'

export function sealTensors({ tensors, metadata }: TensorFile): Uint8Array {
  const bytes = encodeSafetensors({ tensors, metadata: { sha256: '0'.repeat(SEAL_DIGITS), ...metadata } })
  bytes.set(new TextEncoder().encode(sha256Hex(bytes)), SEAL_AT)
  return bytes
}

/** One-dimensional tensors. */
export function vectors(arrays: Readonly<Record<string, StateArray>>): TensorFile['tensors'] {
  return Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, { shape: [data.length], data }]))
}

/** Throws `bad_tensors` where the file is damaged or was not sealed. */
export function openSealed(bytes: Uint8Array): TensorFile {
  const seal = sealIn(bytes)
  if (seal === null) throw bad('it has no checksum')
  if (sha256Hex(seal.of) !== seal.sha256) throw bad('its checksum does not match its bytes')
  const { tensors, metadata } = decodeSafetensors(bytes)
  const { sha256: _, ...rest } = metadata
  return { tensors, metadata: rest }
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_tensors', 'local', `This file cannot be trusted: ${problem}.`, { problem })
}
