/**
 * `npm run bench -- fuzz [--inputs N] [--seed S] [--only NAME]`: N hostile inputs (1,000,000) for every decoder. Each must end in a value or a
 * typed error; one in a hundred is also measured: memory at most twice the input and an allowance (64 KiB; the manifest's is larger), and time per input. One JSON line per decoder;
 * exit code 1 when any input broke a promise, with the input in hex and the seed.
 */
import { parseArgs } from 'node:util'
import { GrapevineError } from '../../src/util/errors.ts'
import { DECODERS, type Decoder, hostileInputs } from '../../test/support/decoders.ts'

const MEASURED_EVERY = 100

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { inputs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } })
  const [inputs, seed] = [Number(values.inputs ?? 1_000_000), Number(values.seed ?? 1)]
  for (const decoder of DECODERS.filter(({ name }) => values.only === undefined || name === values.only)) {
    const result = fuzz(decoder, inputs, seed)
    console.log(JSON.stringify({ bench: 'fuzz', decoder: decoder.name, inputs, seed, ...result }))
    if (result.broken !== null) process.exitCode = 1
  }
}

function fuzz(decoder: Decoder, count: number, seed: number) {
  const inputs = hostileInputs(decoder, seed)
  const began = performance.now()
  let accepted = 0
  let mostBytesOver = Number.NEGATIVE_INFINITY
  let slowestUs = 0
  for (let i = 0; i < count; i++) {
    const input = inputs.next().value
    const measured = i >= 1_000 && i % MEASURED_EVERY === 0
    const before = measured ? process.memoryUsage() : null
    const startedAt = measured ? performance.now() : 0
    try {
      decoder.decode(input)
      accepted++
    } catch (error) {
      if (!(error instanceof GrapevineError)) return { broken: { why: String(error), input: Buffer.from(input).toString('hex') } }
    }
    if (before === null) continue
    slowestUs = Math.max(slowestUs, (performance.now() - startedAt) * 1_000)
    const after = process.memoryUsage()
    const over = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers - 2 * input.length
    mostBytesOver = Math.max(mostBytesOver, over)
    if (over > decoder.allowanceBytes && costsAgain(decoder, input)) {
      return { broken: { why: `it took ${over} bytes over twice its length`, input: Buffer.from(input).toString('hex') } }
    }
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10
  return { accepted, seconds, slowestUs: Math.round(slowestUs), mostBytesOver, broken: null }
}

/** The machine itself allocates now and then; an input that costs too much does so every time. */
function costsAgain(decoder: Decoder, input: Uint8Array): boolean {
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = process.memoryUsage()
    try {
      decoder.decode(input)
    } catch {}
    const after = process.memoryUsage()
    const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
    if (bytes <= 2 * input.length + decoder.allowanceBytes) return false
  }
  return true
}
