/** Frames that lie about themselves, in turn: a parameter too few, a payload cut short, a digest of something else, a codec of another run. */
import { decodeFrame, encodeFrame } from '../../wire/frame.ts'
import type { Attack } from './attack.ts'

export function wrongShape(): Attack {
  let turn = 0
  return {
    forge(bytes) {
      const frame = decodeFrame(bytes)
      const flipped = bytes.slice()
      flipped[frame.payload.byteOffset - bytes.byteOffset]! ^= 1
      const lies = [
        encodeFrame({ ...frame, count: frame.count - 1 }),
        encodeFrame({ ...frame, payload: frame.payload.subarray(0, frame.payload.length - 1) }),
        flipped,
        encodeFrame({ ...frame, codec: frame.codec === 'f16' ? 'f32' : 'f16' }),
      ]
      return [lies[turn++ % lies.length]!]
    },
  }
}
