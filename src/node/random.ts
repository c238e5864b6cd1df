/** The operating system's randomness behind the Random port, fetched in blocks because one call per word is slow. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '../ports/random.ts'

/** Words per fetch: 1 KiB. */
const BLOCK_WORDS = 256

const block = new Uint32Array(BLOCK_WORDS)
let used = BLOCK_WORDS

function uint32(): number {
  if (used === BLOCK_WORDS) {
    randomFillSync(block)
    used = 0
  }
  const word = block[used]!
  // No word is left behind for a reader of this memory, and none is handed out twice.
  block[used++] = 0
  return word
}

export const systemRandom: Random = {
  uint32,
  uniform() {
    const high = uint32() >>> 5
    const low = uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  },
  fork: () => systemRandom,
}
