import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pcg64Rows } from '../../src/envs/pcg64.ts'

/** Answers of numpy.random.default_rng(seed). */
const known = [
  { seed: 0, word: 'a30febcfd9c2825f', doubles: [0.6369616873214543, 0.2697867137638703] },
  { seed: 42, word: 'c621fbcd16d92688', doubles: [0.7739560485559633, 0.4388784397520523] },
  { seed: 123, word: 'aeae9c9903f3e9cd', doubles: [0.6823518632481435, 0.053821018802222675] },
]

test("words and doubles are NumPy's", () => {
  const streams = new Pcg64Rows(3)
  for (const [row, { seed, word, doubles }] of known.entries()) {
    streams.seed(row, seed)
    const [high, low] = streams.next64(row)
    assert.equal(high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0'), word)
    streams.seed(row, seed)
    for (const double of doubles) assert.equal(streams.random(row), double)
  }
})

test('the stream equals the definition in big integers', () => {
  const mask = (1n << 128n) - 1n
  const multiplier = 0x2360ed051fc65da44385df649fccf645n
  const streams = new Pcg64Rows(1)
  streams.seed(0, 2 ** 53 - 1)
  const limbs = Array.from(streams.words, BigInt)
  let state = limbs.slice(0, 4).reduceRight((sum, limb) => (sum << 32n) | limb, 0n)
  const increment = limbs.slice(4).reduceRight((sum, limb) => (sum << 32n) | limb, 0n)
  const twin = new Pcg64Rows(1)
  twin.words.set(streams.words)
  for (let i = 0; i < 2000; i++) {
    state = (state * multiplier + increment) & mask
    const folded = (state >> 64n) ^ (state & 0xffffffffffffffffn)
    const turn = state >> 122n
    const expected = ((folded >> turn) | (folded << (64n - turn))) & 0xffffffffffffffffn
    const [high, low] = streams.next64(0)
    assert.equal((BigInt(high) << 32n) | BigInt(low), expected)
    assert.equal(twin.random(0), Number(expected >> 11n) / 2 ** 53)
  }
})

test('rows do not disturb each other', () => {
  const together = new Pcg64Rows(2)
  const alone = new Pcg64Rows(2)
  for (let i = 0; i < 10; i++) together.random(0)
  assert.equal(together.random(1), alone.random(1))
})

test('seeds that are no integers are refused', () => {
  const streams = new Pcg64Rows(1)
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => streams.seed(0, seed), { code: 'seed' })
})
