/** What every decoder owes to whoever sends it bytes: a value or a typed error, and no more memory than the bytes are worth. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DECODERS, hostileInputs } from '../support/decoders.ts'
import { accepts, survivesDamage } from '../support/refusal.ts'

const INPUTS = 3_000

/** Bytes that one call of `work` took, heap and array buffers together; null when the collector came between. */
function taken(work: () => void): number | null {
  const before = process.memoryUsage()
  work()
  const after = process.memoryUsage()
  const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
  return bytes < 0 ? null : bytes
}

for (const decoder of DECODERS) {
  describe(decoder.name, () => {
    test('every single change and truncation, and noise, are refused or valid', () => {
      for (const valid of decoder.valid) survivesDamage(valid, decoder.decode)
    })

    test('hostile inputs end in a value or a typed error', () => {
      const inputs = hostileInputs(decoder, 1)
      for (let i = 0; i < INPUTS; i++) accepts(decoder.decode, inputs.next().value)
    })

    test('no input costs more than twice its length and an allowance', () => {
      const inputs = hostileInputs(decoder, 2)
      // Code that runs for the first time allocates, too.
      for (let i = 0; i < 200; i++) accepts(decoder.decode, inputs.next().value)
      for (let i = 0; i < 300; i++) {
        const input = inputs.next().value
        const limit = 2 * input.length + decoder.allowanceBytes
        // What the machine does beside it may fall into one measurement, not into three.
        const costs = [0, 1, 2].map(() => taken(() => void accepts(decoder.decode, input)))
        const least = Math.min(...costs.map((bytes) => bytes ?? Number.POSITIVE_INFINITY))
        if (Number.isFinite(least)) assert.ok(least <= limit, `${least} bytes for ${Buffer.from(input).toString('hex')}`)
      }
    })
  })
}
