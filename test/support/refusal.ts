/** What decoders owe: a value or a GrapevineError, whatever the bytes. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GrapevineError } from '../../src/util/errors.ts'

/** Runs `action`, which must throw a GrapevineError with a whole sentence, and returns that. */
export function refusal(action: () => unknown): GrapevineError {
  try {
    action()
  } catch (error) {
    if (!(error instanceof GrapevineError)) throw error
    assert.match(error.message, /^[A-Z].*[.!?]$/s)
    return error
  }
  return assert.fail('nothing was refused')
}

/** True when `decode` returns a value, false when it refuses with a GrapevineError; anything else it throws goes through. */
export function accepts(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes)
    return true
  } catch (error) {
    if (error instanceof GrapevineError) return false
    throw error
  }
}

/** Every truncation of `valid`, every bit flip and some other change of every byte, and arbitrary bytes: refused or a value. */
export function survivesDamage(valid: Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  assert.ok(accepts(decode, valid))
  for (let length = 0; length < valid.length; length++) accepts(decode, valid.subarray(0, length))
  for (let i = 0; i < valid.length; i++) {
    for (const change of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      const damaged = valid.slice()
      damaged[i]! ^= change
      accepts(decode, damaged)
    }
  }
  const arbitrary = fc.uint8Array({ maxLength: 300 })
  const any = fc.property(arbitrary, (bytes) => void accepts(decode, bytes))
  fc.assert(any, { numRuns: 1000, seed: 1 })
  // Behind a valid beginning, so that the later fields are reached.
  const tail = fc.property(
    fc.nat(valid.length),
    arbitrary,
    (cut, bytes) => void accepts(decode, Buffer.concat([valid.subarray(0, cut), bytes])),
  )
  fc.assert(tail, { numRuns: 1000, seed: 2 })
}
