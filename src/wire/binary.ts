/**
 * Reading and writing fixed layouts, little-endian. A reader checks every length against what is there before it makes a view, and its
 * owner says with which error it refuses; a writer fills exactly the bytes it was made for.
 */
import { GrapevineError } from '../util/errors.ts'

const TWO_32 = 4_294_967_296

/** The error for a problem said as part of a sentence; `truncated`: the bytes end too early. */
export type Refusal = (problem: string, truncated: boolean) => GrapevineError

export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #refuse: Refusal
  #offset = 0

  constructor(bytes: Uint8Array, refuse: Refusal) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#refuse = refuse
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  /** A non-negative integer of at most 53 bits in eight bytes. */
  u53(): number {
    const offset = this.#advance(8)
    const value = this.#view.getUint32(offset + 4, true) * TWO_32 + this.#view.getUint32(offset, true)
    if (!Number.isSafeInteger(value)) throw this.#refuse('a number is over 2^53', false)
    return value
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const offset = this.#advance(length)
    return this.#bytes.subarray(offset, offset + length)
  }

  /** The next `length` bytes as printable ASCII without spaces: what addresses and codes are made of. */
  ascii(length: number): string {
    const bytes = this.bytes(length)
    for (const byte of bytes) if (byte <= 0x20 || byte >= 0x7f) throw this.#refuse('a text has characters that do not belong there', false)
    return String.fromCharCode(...bytes)
  }

  /** Refuses bytes that nobody read. */
  end(): void {
    if (this.remaining > 0) throw this.#refuse(`${this.remaining} bytes follow after its end`, false)
  }

  #advance(length: number): number {
    if (length > this.remaining) throw this.#refuse(`it ends ${length - this.remaining} bytes too early`, true)
    const offset = this.#offset
    this.#offset += length
    return offset
  }
}

export class Writer {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  /** `bytes`: memory to write into, instead of new. */
  constructor(length: number, bytes: Uint8Array = new Uint8Array(length)) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(value: number): void {
    this.#view.setUint8(this.#advance(1), value)
  }

  u32(value: number): void {
    this.#view.setUint32(this.#advance(4), value, true)
  }

  /** Throws `bad_value` unless `value` is an integer in [0, 2^53). */
  u53(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new GrapevineError(
        'bad_value',
        'local',
        `A counter must be a whole number from 0 to 2^53, not ${value}; this is a bug of ours.`,
      )
    }
    const offset = this.#advance(8)
    this.#view.setUint32(offset, value % TWO_32, true)
    this.#view.setUint32(offset + 4, Math.floor(value / TWO_32), true)
  }

  f32(value: number): void {
    this.#view.setFloat32(this.#advance(4), value, true)
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#advance(8), value, true)
  }

  set(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#advance(bytes.length))
  }

  /** The next `length` bytes, for the caller to fill. */
  reserve(length: number): Uint8Array {
    const offset = this.#advance(length)
    return this.bytes.subarray(offset, offset + length)
  }

  #advance(length: number): number {
    const offset = this.#offset
    this.#offset += length
    return offset
  }
}
