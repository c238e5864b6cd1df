/** What the attacker once sent, again and again: the very frame, and the parameters of the first day under new numbers. */
import type { Attack } from './attack.ts'

export function staleReplay(): Attack {
  let oldParameters: Float32Array | null = null
  let oldFrame: Uint8Array | null = null
  return {
    lie(own) {
      oldParameters ??= own.slice()
      return oldParameters.slice()
    },
    forge(frame) {
      oldFrame ??= frame
      return [oldFrame, frame]
    },
  }
}
