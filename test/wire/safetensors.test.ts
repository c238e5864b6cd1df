import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GrapevineError } from '../../src/util/errors.ts'
import { decodeSafetensors, encodeSafetensors } from '../../src/wire/safetensors.ts'
import { openSealed, sealTensors, vectors } from '../../src/wire/sealed-tensors.ts'
import { refusal } from '../support/refusal.ts'

/** A file as the format's page describes it: length, header, bytes. */
function file(header: unknown, data: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

const EXAMPLE = {
  tensors: {
    b: { shape: [2, 2], data: Float32Array.of(1, -2, 0.5, 3) },
    a: { shape: [3], data: Uint8Array.of(1, 2, 3) },
    c: { shape: [1], data: Float64Array.of(Math.PI) },
    d: { shape: [0], data: Int32Array.of() },
  },
  metadata: { made: 'by hand' },
}

test('the bytes are those of the format: aligned, wide elements first', () => {
  const bytes = encodeSafetensors(EXAMPLE)
  const view = new DataView(bytes.buffer)
  const headerBytes = Number(view.getBigUint64(0, true))
  assert.equal(headerBytes % 8, 0)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)))
  assert.deepEqual(header, {
    __metadata__: { made: 'by hand' },
    c: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
    b: { dtype: 'F32', shape: [2, 2], data_offsets: [8, 24] },
    d: { dtype: 'I32', shape: [0], data_offsets: [24, 24] },
    a: { dtype: 'U8', shape: [3], data_offsets: [24, 27] },
  })
  assert.equal(view.getFloat64(8 + headerBytes, true), Math.PI)
  assert.equal(view.getFloat32(8 + headerBytes + 12, true), -2)
  assert.deepEqual(decodeSafetensors(bytes), EXAMPLE)
})

test('files of others are read, in any order and place', () => {
  const header = { y: { dtype: 'F32', shape: [], data_offsets: [1, 5] }, x: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }
  assert.deepEqual(decodeSafetensors(file(header, [7, 0, 0, 128, 63])), {
    tensors: { y: { shape: [], data: Float32Array.of(1) }, x: { shape: [1], data: Uint8Array.of(7) } },
    metadata: {},
  })
})

test('what is no such file is refused with the reason', () => {
  const one = (entry: unknown, data: readonly number[] = [0, 0, 0, 0]) => file({ x: entry }, data)
  const cases: readonly [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /it has 0 bytes/],
    [new TextEncoder().encode('plain text, and long enough'), /does not begin like one/],
    [file('{').subarray(0, 8), /ends inside its header/],
    [file('[1]'), /not a JSON object/],
    [file('{"x"'), /not a JSON object/],
    [file({ __metadata__: { n: 1 } }), /metadata is malformed/],
    [one(null), /entry of "x"/],
    [one({ dtype: 'F32', shape: [-1], data_offsets: [0, 4] }), /entry of "x"/],
    [one({ dtype: 'F32', shape: [1], data_offsets: [4, 0] }), /entry of "x"/],
    [one({ dtype: 'BF16', shape: [2], data_offsets: [0, 4] }), /type BF16/],
    [one({ dtype: 'F32', shape: [2], data_offsets: [0, 4] }), /does not fit its shape/],
    [one({ dtype: 'F32', shape: [2], data_offsets: [0, 8] }), /ends inside "x"/],
    [one({ dtype: 'F32', shape: [1], data_offsets: [0, 4] }, [0, 0, 0, 0, 0]), /belong to no tensor/],
    [file('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /entry of "__proto__"/],
    [
      file({ x: { dtype: 'U8', shape: [4], data_offsets: [0, 4] }, y: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } }, [0, 0, 0, 0]),
      /overlap/,
    ],
  ]
  for (const [bytes, reason] of cases) {
    const { code, message } = refusal(() => decodeSafetensors(bytes))
    assert.equal(code, 'bad_tensors')
    assert.match(message, reason)
    assert.match(message, /^This is no safetensors file that can be read: [^\n]+\.$/)
  }
})

test('any bytes give a file or a refusal', () => {
  const valid = encodeSafetensors(EXAMPLE)
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length), (at, byte, length) => {
      const bytes = valid.slice(0, length)
      if (at < length) bytes[at] = byte
      try {
        decodeSafetensors(bytes)
      } catch (error) {
        assert.ok(error instanceof GrapevineError && error.code === 'bad_tensors', String(error))
      }
    }),
    { numRuns: 500, seed: 1 },
  )
})

test('a sealed file is one of safetensors, and knows every change of it', () => {
  const sealed = sealTensors({ tensors: vectors({ x: Float32Array.of(1, 2) }), metadata: { n: '1' } })
  assert.deepEqual(decodeSafetensors(sealed).tensors, { x: { shape: [2], data: Float32Array.of(1, 2) } })
  assert.deepEqual(openSealed(sealed), { tensors: vectors({ x: Float32Array.of(1, 2) }), metadata: { n: '1' } })
  for (let at = 0; at < sealed.length; at++) {
    const flipped = sealed.slice()
    flipped[at]! ^= 1
    assert.throws(() => openSealed(flipped), { code: 'bad_tensors' }, `byte ${at}`)
    assert.throws(() => openSealed(sealed.subarray(0, at)), { code: 'bad_tensors' }, `${at} bytes`)
  }
  assert.throws(() => openSealed(encodeSafetensors(EXAMPLE)), {
    code: 'bad_tensors',
    message: 'This file cannot be trusted: it has no checksum.',
  })
  const changed = sealed.slice()
  changed[changed.length - 1]! ^= 1
  assert.equal(refusal(() => openSealed(changed)).message, 'This file cannot be trusted: its checksum does not match its bytes.')
})
