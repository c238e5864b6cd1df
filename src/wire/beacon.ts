/**
 * The beacon: with it a peer says it is there and how it stands. At most MAX_BEACON_BYTES; its author is the signer of the message.
 *
 * Layout, little-endian: magic GVBN, major, minor, flags, number of addresses (8 bytes); incarnation, sequence, epoch, version, steps
 * (8 each); mean return as float64; parameter digest (32); scale of the sketch as float32 and 256 halves of it; then the end that all
 * addresses share (usually /p2p/<id>) and the rest of each address, every one behind a byte with its length.
 */
import { GrapevineError } from '../util/errors.ts'
import { SHA256_BYTES } from '../util/sha256.ts'
import { Reader, Writer } from './binary.ts'
import { readHalves, writeHalves } from './floats.ts'
import { MAX_ADDRESS_CHARACTERS, MAX_BEACON_ADDRESSES, MAX_BEACON_BYTES, SKETCH_BUCKETS } from './limits.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

export interface Beacon {
  readonly incarnation: number
  readonly sequence: number
  /** Own rounds so far. */
  readonly epoch: number
  /** Updates behind the parameters that digest and sketch were made of. */
  readonly version: number
  /** Environment steps of this peer. */
  readonly steps: number
  /** Mean return of the last 100 episodes; null before the first. */
  readonly returnMean: number | null
  /** SHA-256 of the parameters. */
  readonly digest: Uint8Array
  /** [SKETCH_BUCKETS] Count-sketch of the parameters minus the initial ones; each value arrives exact to 2^-11 of itself plus 2^-25 of the largest. */
  readonly sketch: Float32Array
  readonly holding: boolean
  readonly leaving: boolean
  /** It follows the swarm and neither learns nor averages: no partner, and no voice in what the swarm is. */
  readonly observing: boolean
  readonly addresses: readonly string[]
}

const MAGIC = [0x47, 0x56, 0x42, 0x4e]
const HOLDING = 1
const LEAVING = 2
const HAS_RETURN = 4
const OBSERVING = 8

const FIXED_BYTES = 8 + 5 * 8 + 8 + SHA256_BYTES + 4 + 2 * SKETCH_BUCKETS

/** Addresses at the end of the list that do not fit are left out. */
export function encodeBeacon(beacon: Beacon): Uint8Array {
  const { suffix, stems } = fit(beacon.addresses)
  const writer = new Writer(FIXED_BYTES + stems.reduce((sum, stem) => sum + 1 + stem.length, 1 + suffix.length))
  for (const byte of [...MAGIC, ...PROTOCOL_VERSION]) writer.u8(byte)
  const state = (beacon.holding ? HOLDING : 0) | (beacon.leaving ? LEAVING : 0) | (beacon.observing ? OBSERVING : 0)
  writer.u8(state | (beacon.returnMean === null ? 0 : HAS_RETURN))
  writer.u8(stems.length)
  for (const value of [beacon.incarnation, beacon.sequence, beacon.epoch, beacon.version, beacon.steps]) writer.u53(value)
  writer.f64(beacon.returnMean ?? 0)
  writer.set(beacon.digest)
  writeSketch(writer, beacon.sketch)
  for (const part of [suffix, ...stems]) {
    writer.u8(part.length)
    writer.set(Buffer.from(part, 'latin1'))
  }
  return writer.bytes
}

/** Throws `protocol_version` or `bad_beacon` (fault peer). */
export function decodeBeacon(bytes: Uint8Array): Beacon {
  if (bytes.length > MAX_BEACON_BYTES) throw badBeacon(`it is ${bytes.length} bytes long, over the limit of ${MAX_BEACON_BYTES}`)
  const reader = new Reader(bytes, badBeacon)
  for (const byte of MAGIC) if (reader.u8() !== byte) throw badBeacon('it does not begin like one')
  const major = reader.u8()
  const minor = reader.u8()
  if (major !== PROTOCOL_VERSION[0]) {
    throw new GrapevineError(
      'protocol_version',
      'peer',
      `A beacon speaks protocol ${major}.${minor}, we speak ${PROTOCOL_VERSION.join('.')}.`,
    )
  }
  const flags = reader.u8()
  if (flags > (HOLDING | LEAVING | HAS_RETURN | OBSERVING)) throw badBeacon('it has unknown flags')
  const addressCount = reader.u8()
  if (addressCount > MAX_BEACON_ADDRESSES) throw badBeacon(`it has ${addressCount} addresses, over the limit of ${MAX_BEACON_ADDRESSES}`)
  const incarnation = reader.u53()
  const sequence = reader.u53()
  const epoch = reader.u53()
  const version = reader.u53()
  const steps = reader.u53()
  const returnMean = reader.f64()
  if (!Number.isFinite(returnMean)) throw badBeacon('its mean return is not finite')
  const digest = reader.bytes(SHA256_BYTES).slice()
  const sketch = readSketch(reader)
  const suffix = reader.ascii(reader.u8())
  const addresses: string[] = []
  for (let i = 0; i < addressCount; i++) {
    const address = reader.ascii(reader.u8()) + suffix
    if (address.length === 0 || address.length > MAX_ADDRESS_CHARACTERS) throw badBeacon(`an address has ${address.length} characters`)
    addresses.push(address)
  }
  reader.end()
  return {
    incarnation,
    sequence,
    epoch,
    version,
    steps,
    returnMean: (flags & HAS_RETURN) === 0 ? null : returnMean,
    digest,
    sketch,
    holding: (flags & HOLDING) !== 0,
    leaving: (flags & LEAVING) !== 0,
    observing: (flags & OBSERVING) !== 0,
    addresses,
  }
}

/** As halves of the largest magnitude, so that the range of half precision does not matter. */
function writeSketch(writer: Writer, sketch: Float32Array): void {
  let scale = 0
  for (const value of sketch) scale = Math.max(scale, Math.abs(value))
  // A replica that is not finite is its learner's to report; a beacon still has to go out.
  if (!Number.isFinite(scale)) scale = 0
  writer.f32(scale)
  writeHalves(scale === 0 ? new Float32Array(SKETCH_BUCKETS) : sketch.map((value) => value / scale), writer.reserve(2 * SKETCH_BUCKETS))
}

function readSketch(reader: Reader): Float32Array {
  const scale = reader.f32()
  if (!Number.isFinite(scale) || scale < 0) throw badBeacon('the scale of its sketch is no magnitude')
  const sketch = new Float32Array(SKETCH_BUCKETS)
  readHalves(reader.bytes(2 * SKETCH_BUCKETS), sketch)
  if (!sketch.every((value) => Math.abs(value) <= 1)) throw badBeacon('its sketch has values over its scale')
  return sketch.map((value) => value * scale)
}

/** The longest common end of the addresses and what precedes it in each, as many of them as fit. */
function fit(addresses: readonly string[]): { suffix: string; stems: string[] } {
  const usable = addresses.filter((address) => /^[\x21-\x7e]+$/.test(address) && address.length <= MAX_ADDRESS_CHARACTERS)
  let kept = usable.slice(0, MAX_BEACON_ADDRESSES)
  for (;;) {
    const suffix = commonEnd(kept)
    const stems = kept.map((address) => address.slice(0, address.length - suffix.length))
    const length = stems.reduce((sum, stem) => sum + 1 + stem.length, 1 + suffix.length)
    if (FIXED_BYTES + length <= MAX_BEACON_BYTES) return { suffix, stems }
    kept = kept.slice(0, -1)
  }
}

function commonEnd(texts: readonly string[]): string {
  const [first = '', ...others] = texts
  let length = first.length
  for (const other of others) {
    length = Math.min(length, other.length)
    while (length > 0 && other.slice(-length) !== first.slice(-length)) length--
  }
  return length === 0 ? '' : first.slice(-length)
}

function badBeacon(problem: string): GrapevineError {
  return new GrapevineError('bad_beacon', 'peer', `A beacon was refused: ${problem}.`)
}
