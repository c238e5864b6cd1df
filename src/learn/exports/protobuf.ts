/** The part of the protobuf wire format that ONNX files need: fields of varints, bytes, text and messages, one after another. */
export class Message {
  readonly #parts: Uint8Array[] = []

  /** A whole number of at least 0. */
  varint(field: number, value: number): this {
    return this.#put(field, 0, varint(value))
  }

  /** -1 as a 64-bit number. */
  minusOne(field: number): this {
    return this.#put(field, 0, Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1))
  }

  float(field: number, value: number): this {
    return this.#put(field, 5, new Uint8Array(Float32Array.of(value).buffer))
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#put(field, 2, varint(value.length), value)
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encode())
  }

  encode(): Uint8Array {
    const whole = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of this.#parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  #put(field: number, wireType: number, ...parts: readonly Uint8Array[]): this {
    this.#parts.push(varint(field * 8 + wireType), ...parts)
    return this
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.of(...bytes, rest)
}
