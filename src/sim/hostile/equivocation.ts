/** Two frames under one number: what some accept is not what others do. The second carries the payload backwards. */
import { decodeFrame, encodeFrame } from '../../wire/frame.ts'
import type { Attack } from './attack.ts'

export function equivocation(): Attack {
  return {
    forge(bytes) {
      const frame = decodeFrame(bytes)
      return [bytes, encodeFrame({ ...frame, payload: frame.payload.slice().reverse() })]
    },
  }
}
