/**
 * Event files as TensorBoard reads them: a sequence of TFRecords, each an `Event` of protocol buffers. Pure: values to bytes.
 *
 * Record: length as uint64, its masked CRC-32C, the event, its masked CRC-32C; all little-endian.
 * Event: wall_time = 1 (double), step = 2 (int64), file_version = 3 (string), summary = 5; Summary: value = 1 (tag = 1, simple_value = 2 float).
 */

/** The first record of a file. `unixSeconds` since 1970. */
export function fileHeader(unixSeconds: number): Uint8Array {
  return record([...double(1, unixSeconds), ...text(3, 'brain.Event:2')])
}

/** One number for each tag at `step`. A step is whole and not negative. */
export function scalars(unixSeconds: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const summary = Object.entries(values).flatMap(([tag, value]) => bytes(1, [...text(1, tag), ...float(2, value)]))
  return record([...double(1, unixSeconds), key(2, VARINT), ...varint(step), ...bytes(5, summary)])
}

const VARINT = 0
const FIXED_64 = 1
const LENGTH_DELIMITED = 2
const FIXED_32 = 5

function record(event: readonly number[]): Uint8Array {
  const out = new Uint8Array(16 + event.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, event.length, true)
  out.set(event, 12)
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true)
  view.setUint32(12 + event.length, maskedCrc(out.subarray(12, 12 + event.length)), true)
  return out
}

/** Fields below 16 have a key of one byte. */
function key(field: number, wireType: number): number {
  return (field << 3) | wireType
}

function bytes(field: number, content: readonly number[]): number[] {
  return [key(field, LENGTH_DELIMITED), ...varint(content.length), ...content]
}

function text(field: number, value: string): number[] {
  return bytes(field, [...new TextEncoder().encode(value)])
}

function double(field: number, value: number): number[] {
  return [key(field, FIXED_64), ...new Uint8Array(Float64Array.of(value).buffer)]
}

function float(field: number, value: number): number[] {
  return [key(field, FIXED_32), ...new Uint8Array(Float32Array.of(value).buffer)]
}

/** Seven bits to a byte, lowest first; beyond 32 bits, where shifts would not do. */
function varint(value: number): number[] {
  const out: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  out.push(rest)
  return out
}

/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  return crc
})

export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

/** TFRecord's mask: rotated right by 15 bits, plus a constant. */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
