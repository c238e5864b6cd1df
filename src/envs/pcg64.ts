/**
 * NumPy's default stream, bit for bit: Generator(PCG64(SeedSequence(seed))) with random() and uniform(), in 32-bit limbs (BigInt is 20 times
 * slower). PCG XSL-RR 128/64 (O'Neill 2014); SeedSequence as in NumPy (O'Neill's seed_seq design).
 * One `Pcg64Rows` holds the streams of many rows side by side; a step of a stream allocates nothing.
 */
import { GrapevineError } from '../util/errors.ts'

/** 0x2360ED051FC65DA44385DF649FCCF645 in pieces of 16 bits, lowest first: products with 32-bit limbs stay exact in doubles. */
const M0 = 0xf645
const M1 = 0x9fcc
const M2 = 0xdf64
const M3 = 0x4385
const M4 = 0x5da4
const M5 = 0x1fc6
const M6 = 0xed05
const M7 = 0x2360

const TWO_32 = 4294967296
const TWO_M16 = 1 / 65536
const TWO_M53 = 1 / 9007199254740992

/** Words of one stream: state and increment, four limbs each, lowest first. */
const PCG64_WORDS = 8

export class Pcg64Rows {
  readonly count: number
  /** [count, PCG64_WORDS]; copied out and in by saveState and restoreState. */
  readonly words: Uint32Array

  /** Row i starts as if seeded with i. */
  constructor(count: number) {
    this.count = count
    this.words = new Uint32Array(count * PCG64_WORDS)
    for (let row = 0; row < count; row++) this.seed(row, row)
  }

  /** Seeds one row with a non-negative safe integer, as `np.random.default_rng(seed)`. */
  seed(row: number, seed: number): void {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new GrapevineError('seed', 'local', `A seed must be an integer from 0 to 2^53 - 1, but it is ${seed}.`, { seed })
    const [a, b, c, d, e, f, g, h] = seedSequence(seed)
    // NumPy reads four 64-bit words, high first, of two 32-bit halves, low first: initial state, then increment.
    const { words } = this
    const at = row * PCG64_WORDS
    words[at + 4] = (g << 1) | 1
    words[at + 5] = (h << 1) | (g >>> 31)
    words[at + 6] = (e << 1) | (h >>> 31)
    words[at + 7] = (f << 1) | (e >>> 31)
    words.fill(0, at, at + 4)
    this.#advance(at)
    let carry = 0
    for (const [limb, word] of [c, d, a, b].entries()) {
      carry += words[at + limb]! + word
      words[at + limb] = carry
      carry = carry >= TWO_32 ? 1 : 0
    }
    this.#advance(at)
  }

  /** state = state * multiplier + increment, modulo 2^128. */
  #advance(at: number): void {
    const { words } = this
    const s0 = words[at]!
    const s1 = words[at + 1]!
    const s2 = words[at + 2]!
    const s3 = words[at + 3]!
    // Sums of at most four 48-bit products and a carry: below 2^51, exact. Each line is one digit of 16 bits; floor takes its carry.
    const c0 = s0 * M0 + words[at + 4]!
    const f0 = Math.floor(c0 * TWO_M16)
    const c1 = f0 + s0 * M1
    const f1 = Math.floor(c1 * TWO_M16)
    const c2 = f1 + s0 * M2 + s1 * M0 + words[at + 5]!
    const f2 = Math.floor(c2 * TWO_M16)
    const c3 = f2 + s0 * M3 + s1 * M1
    const f3 = Math.floor(c3 * TWO_M16)
    const c4 = f3 + s0 * M4 + s1 * M2 + s2 * M0 + words[at + 6]!
    const f4 = Math.floor(c4 * TWO_M16)
    const c5 = f4 + s0 * M5 + s1 * M3 + s2 * M1
    const f5 = Math.floor(c5 * TWO_M16)
    const c6 = f5 + s0 * M6 + s1 * M4 + s2 * M2 + s3 * M0 + words[at + 7]!
    const f6 = Math.floor(c6 * TWO_M16)
    const c7 = f6 + s0 * M7 + s1 * M5 + s2 * M3 + s3 * M1
    const f7 = Math.floor(c7 * TWO_M16)
    words[at] = c0 - f0 * 65536 + (c1 - f1 * 65536) * 65536
    words[at + 1] = c2 - f2 * 65536 + (c3 - f3 * 65536) * 65536
    words[at + 2] = c4 - f4 * 65536 + (c5 - f5 * 65536) * 65536
    words[at + 3] = c6 - f6 * 65536 + (c7 - f7 * 65536) * 65536
  }

  /** The next 64 bits of a row: [high, low]. For tests; `uniform` avoids the pair. */
  next64(row: number): [number, number] {
    const at = row * PCG64_WORDS
    this.#advance(at)
    const { words } = this
    const low = words[at]! ^ words[at + 2]!
    const high = words[at + 1]! ^ words[at + 3]!
    const turn = words[at + 3]! >>> 26
    const swap = turn >= 32
    const near = swap ? high : low
    const far = swap ? low : high
    const shift = turn & 31
    if (shift === 0) return [far >>> 0, near >>> 0]
    return [((far >>> shift) | (near << (32 - shift))) >>> 0, ((near >>> shift) | (far << (32 - shift))) >>> 0]
  }

  /** Uniform double in [0, 1) with 53 bits: NumPy's random(). */
  random(row: number): number {
    const at = row * PCG64_WORDS
    this.#advance(at)
    const { words } = this
    const low = words[at]! ^ words[at + 2]!
    const high = words[at + 1]! ^ words[at + 3]!
    const turn = words[at + 3]! >>> 26
    const near = turn >= 32 ? high : low
    const far = turn >= 32 ? low : high
    const shift = turn & 31
    // A shift by 32 - 0 would wrap to 0; two shifts do not.
    const top = (far >>> shift) | ((near << 1) << (31 - shift))
    const bottom = (near >>> shift) | ((far << 1) << (31 - shift))
    return ((top >>> 0) * 2097152 + (bottom >>> 11)) * TWO_M53
  }

  /** Uniform double in [low, high): NumPy's uniform(low, high). */
  uniform(row: number, low: number, high: number): number {
    return low + (high - low) * this.random(row)
  }

  /** Uniform integer in [0, n), n <= 2^20, from one random(): floor(n * random()); the bias is below n / 2^53. Not NumPy's integers(). */
  below(row: number, n: number): number {
    return Math.floor(n * this.random(row))
  }
}

type EightWords = [number, number, number, number, number, number, number, number]

/** SeedSequence(seed).generate_state(8, uint32) for a seed below 2^53. */
function seedSequence(seed: number): EightWords {
  const entropy = [seed >>> 0, Math.floor(seed / TWO_32)]
  let constant = 0x43b0d7e5
  const hash = (word: number): number => {
    let value = word ^ constant
    constant = Math.imul(constant, 0x931e8875)
    value = Math.imul(value, constant)
    return value ^ (value >>> 16)
  }
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0))
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue
      const mixed = Math.imul(0xca01f9dd, pool[to]!) - Math.imul(0x4973f715, hash(pool[from]!))
      pool[to] = mixed ^ ((mixed | 0) >>> 16)
    }
  }
  constant = 0x8b51f9dd
  return Array.from({ length: 8 }, (_, i) => {
    let value = pool[i % 4]! ^ constant
    constant = Math.imul(constant, 0x58f38ded)
    value = Math.imul(value, constant)
    return (value ^ (value >>> 16)) >>> 0
  }) as EightWords
}
