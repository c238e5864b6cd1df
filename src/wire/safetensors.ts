/**
 * The safetensors format (github.com/huggingface/safetensors): a length, a JSON header that names each tensor, its bytes. Runs in Node and in a
 * browser. Decoding checks every length before it copies anything and throws GrapevineError `bad_tensors` with the problem in `data`.
 */
import type { Tensor, TensorFile } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import { MAX_TENSOR_HEADER_BYTES, MAX_TENSORS } from './limits.ts'

const LENGTH_BYTES = 8
const METADATA = '__metadata__'

const TYPES = [
  { dtype: 'F64', array: Float64Array },
  { dtype: 'F32', array: Float32Array },
  { dtype: 'I32', array: Int32Array },
  { dtype: 'U32', array: Uint32Array },
  { dtype: 'U8', array: Uint8Array },
] as const

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

/** `metadata` comes first in the header, in the order of its keys. Names may not be `__metadata__`. */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  // Wide elements first, so that every tensor is aligned.
  const rank = ({ data }: Tensor) => TYPES.findIndex(({ array }) => data instanceof array)
  const named = Object.entries(tensors).sort(([a, x], [b, y]) => rank(x) - rank(y) || (a < b ? -1 : 1))
  const header: Record<string, unknown> = { [METADATA]: metadata }
  let end = 0
  for (const [name, tensor] of named) {
    const { shape, data } = tensor
    const begin = end
    end += data.byteLength
    header[name] = { dtype: TYPES[rank(tensor)]!.dtype, shape, data_offsets: [begin, end] }
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const headerBytes = Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  bytes.set(text, LENGTH_BYTES)
  bytes.fill(0x20, LENGTH_BYTES + text.length, LENGTH_BYTES + headerBytes)
  let at = LENGTH_BYTES + headerBytes
  for (const [, { data }] of named) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

/** The arrays are copies. */
export function decodeSafetensors(bytes: Uint8Array): TensorFile {
  if (bytes.length < LENGTH_BYTES) throw bad(`it has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = Number(view.getBigUint64(0, true))
  if (headerBytes > MAX_TENSOR_HEADER_BYTES) throw bad('it does not begin like one')
  const start = LENGTH_BYTES + headerBytes
  if (start > bytes.length) throw bad('it ends inside its header')
  const { [METADATA]: metadata = {}, ...entries } = parseHeader(bytes.subarray(LENGTH_BYTES, start))
  const tensors: Record<string, Tensor> = {}
  const names = Object.keys(entries)
  if (names.length > MAX_TENSORS) throw bad(`it has ${names.length} tensors`)
  let total = 0
  for (const name of names) {
    const entry = name === '__proto__' ? null : entries[name]
    if (!isEntry(entry)) throw bad(`the entry of "${name.slice(0, 100)}" in its header is malformed`)
    const [begin, end] = entry.data_offsets
    const type = TYPES.find(({ dtype }) => dtype === entry.dtype)
    if (type === undefined) throw bad(`"${name.slice(0, 100)}" is of type ${entry.dtype.slice(0, 20)}, which is not read here`)
    const size = entry.shape.reduce((product, length) => product * length, 1)
    if (end - begin !== size * type.array.BYTES_PER_ELEMENT) throw bad(`the length of "${name.slice(0, 100)}" does not fit its shape`)
    if (start + end > bytes.length) throw bad(`it ends inside "${name.slice(0, 100)}"`)
    // Entries that share bytes would make more of them than there are.
    total += end - begin
    if (total > bytes.length - start) throw bad('its tensors overlap')
    tensors[name] = { shape: entry.shape, data: new type.array(bytes.slice(start + begin, start + end).buffer) }
  }
  if (total !== bytes.length - start) throw bad('it has bytes that belong to no tensor')
  if (!isTextMap(metadata)) throw bad('its metadata is malformed')
  return { tensors, metadata }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (header !== null && typeof header === 'object' && !Array.isArray(header)) return header as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw bad('its header is not a JSON object')
}

function isEntry(value: unknown): value is Entry {
  if (value === null || typeof value !== 'object') return false
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<keyof Entry, unknown>>
  return typeof dtype === 'string' && isCounts(shape) && isCounts(offsets) && offsets.length === 2 && offsets[0]! <= offsets[1]!
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function isTextMap(value: unknown): value is Record<string, string> {
  return value !== null && typeof value === 'object' && Object.values(value).every((item) => typeof item === 'string')
}

function bad(problem: string): GrapevineError {
  return new GrapevineError('bad_tensors', 'local', `This is no safetensors file that can be read: ${problem}.`, { problem })
}
