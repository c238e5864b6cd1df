/** What every codec promises (src/average/codecs.ts). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { broadcastDelta } from '../../src/average/broadcast.ts'
import { type Codec, codecNamed } from '../../src/average/codecs.ts'
import { meanOf } from '../../src/average/distance.ts'

/** `bytes`: of a model of these slices. */
export interface CodecCase {
  readonly name: string
  readonly slices: readonly number[]
  readonly bytes: number
  /** Coordinates in one payload. */
  readonly chosen: number
}

export function quantised(codec: Codec, values: Float32Array, draw = 0): Float32Array {
  const bytes = new Uint8Array(codec.bytesFor(values.length))
  codec.encode(values, bytes, draw)
  const decoded = new Float32Array(values.length).fill(7)
  codec.decode(bytes, decoded, draw)
  return decoded
}

const anyDraw = fc.maxSafeNat()
const finite = { noNaN: true, noDefaultInfinity: true } as const

export function codecContract({ name, slices, bytes, chosen }: CodecCase): void {
  const count = slices.reduce((sum, length) => sum + length, 0)
  const codec = codecNamed(name, { run: 'run', slices })
  const vectors = fc.float32Array({ minLength: count, maxLength: count, ...finite })
  const all = Uint32Array.from({ length: count }, (_, i) => i)
  const coordinates = (draw: number) => codec.coordinates(count, draw)?.slice() ?? all

  describe(`codec ${name} on ${slices.join(' + ')} parameters`, () => {
    test(`a payload has exactly ${bytes} bytes, of ${chosen} coordinates`, () => {
      assert.equal(codec.bytesFor(count), bytes)
      assert.equal(coordinates(3).length, chosen)
      assert.equal(codec.shareOf(count), chosen / count)
    })

    test('wrong lengths are refused in both directions', () => {
      const values = new Float32Array(count)
      for (const wrong of [-1, 1]) {
        assert.throws(() => codec.encode(values, new Uint8Array(bytes + wrong)), { code: 'shape' })
        assert.throws(() => codec.decode(new Uint8Array(bytes + wrong), values), { code: 'shape' })
        assert.throws(() => codec.encode(new Float32Array(count + wrong), new Uint8Array(bytes)), { code: 'shape' })
      }
    })

    test('what travels arrives within the bound, the rest as 0, and a second time nothing changes', () => {
      const property = fc.property(vectors, anyDraw, (values, draw) => {
        const decoded = quantised(codec, values, draw)
        const bound = codec.errorBound(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0))
        const travels = new Set(coordinates(draw))
        for (let i = 0; i < count; i++) {
          if (travels.has(i)) assert.ok(Math.abs(decoded[i]! - values[i]!) <= bound, `${values[i]} became ${decoded[i]}, bound ${bound}`)
          else assert.equal(decoded[i], 0)
        }
        assert.deepEqual(quantised(codec, decoded, draw), decoded)
      })
      fc.assert(property, { numRuns: 300, seed: 3 })
    })

    test('what is not finite stays not finite where it travels', () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const [at] = coordinates(5)
        const values = new Float32Array(count).fill(1)
        values[at!] = bad
        assert.ok(!Number.isFinite(quantised(codec, values, 5)[at!]))
      }
    })

    test('any bytes of the right length decode without a throw', () => {
      const payload = fc.uint8Array({ minLength: bytes, maxLength: bytes })
      fc.assert(
        fc.property(payload, anyDraw, (noise, draw) => codec.decode(noise, new Float32Array(count), draw)),
        { numRuns: 200, seed: 8 },
      )
    })

    test('used by all with one draw it leaves the mean of a swarm where it is', () => {
      const bounded = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 3 * count, maxLength: 3 * count })
      const property = fc.property(bounded, anyDraw, (values, draw) => {
        const replicas = [0, 1, 2].map((peer) => Float32Array.from(values.slice(peer * count, (peer + 1) * count)))
        const sent = replicas.map((replica) => quantised(codec, replica, draw))
        const deltas = sent.map((mine, peer) => {
          const delta = new Float32Array(count)
          broadcastDelta(
            sent.filter((_, other) => other !== peer),
            mine,
            delta,
          )
          return delta
        })
        for (const drift of meanOf(deltas)) assert.ok(Math.abs(drift) < 1e-6, String(drift))
      })
      fc.assert(property, { numRuns: 100, seed: 4 })
    })

    test('every coordinate travels sooner or later, each as often as any other to within one', () => {
      const times = new Uint32Array(count)
      const rounds = 3 * Math.ceil(count / chosen)
      for (let draw = 0; draw < rounds; draw++) for (const i of coordinates(draw)) times[i]!++
      assert.ok(
        times.every((often) => often >= 3),
        [...times].join(' '),
      )
    })

    test('payloads are the same on every machine and in any order of draws', () => {
      const values = Float32Array.from({ length: count }, (_, i) => Math.fround(((i * 7919) % 1000) / 300 - 1.5))
      const other = codecNamed(name, { run: 'run', slices })
      for (const draw of [9, 0, 2 ** 40, 9]) other.coordinates(count, draw)
      assert.deepEqual(quantised(other, values, 9), quantised(codec, values, 9))
    })
  })
}
