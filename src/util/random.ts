/**
 * A seeded generator for everything but NumPy-compatible resets: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, 32-bit words.
 * The same key gives the same stream on every machine.
 */

/** State as four words, so that a stream can be saved and go on. */
export type RandomState = readonly [number, number, number, number]

export class SeededRandom {
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(state: RandomState) {
    ;[this.#a, this.#b, this.#c, this.#counter] = state
  }

  get state(): RandomState {
    return [this.#a, this.#b, this.#c, this.#counter]
  }

  set state([a, b, c, counter]: RandomState) {
    this.#a = a
    this.#b = b
    this.#c = c
    this.#counter = counter
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  uniform(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  /** Uniform integer in [0, n), n <= 2^32, without bias (rejection). */
  below(n: number): number {
    const limit = 4_294_967_296 - (4_294_967_296 % n)
    for (;;) {
      const word = this.uint32()
      if (word < limit) return word % n
    }
  }

  /** The stream named by `name` and where this one is, which stays there. */
  fork(name: string): SeededRandom {
    return seededRandom('fork', name, ...this.state)
  }
}

/** A stream named by `key`: numbers and strings, e.g. `seededRandom(seed, 'actor', 3)`. Different keys give unrelated streams. */
export function seededRandom(...key: readonly (number | string)[]): SeededRandom {
  const text = key.map((part) => `${typeof part}:${part}`).join('|')
  const words = [0, 1, 2, 3].map((lane) => hash32(text, 0x9e3779b9 + lane)) as [number, number, number, number]
  const random = new SeededRandom(words)
  // The first words of sfc32 still show the seed's structure; its author discards 12 or more.
  for (let i = 0; i < 16; i++) random.uint32()
  return random
}

/** MurmurHash3 (32 bit, Austin Appleby) over UTF-16 code units. */
function hash32(text: string, seed: number): number {
  let hash = seed | 0
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    hash ^= k
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  hash ^= text.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}
