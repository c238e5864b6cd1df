/** Claims: more updates and rounds than anybody, and normalisers of more samples than there are, with a mean of the attacker's choice. */
import { decodeFrame, encodeFrame } from '../../wire/frame.ts'
import type { Attack } from './attack.ts'
import { signFlip } from './sign-flip.ts'

export function weightInflation(): Attack {
  return {
    ...signFlip(),
    forge(bytes) {
      const frame = decodeFrame(bytes)
      const normalisers = frame.normalisers.map(({ mean, m2 }) => ({
        count: Number.MAX_SAFE_INTEGER,
        mean: mean.map(() => 1e6),
        m2: m2.map(() => 1e9),
      }))
      return [encodeFrame({ ...frame, version: Number.MAX_SAFE_INTEGER, epoch: Number.MAX_SAFE_INTEGER, normalisers })]
    },
  }
}
