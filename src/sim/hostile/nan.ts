/** One parameter that is not a number: enough to poison a mean for good. */
import type { Attack } from './attack.ts'

export function nan(): Attack {
  return {
    lie(own, { random }) {
      const lie = own.slice()
      lie[Math.floor(random.uniform() * lie.length)] = Number.NaN
      return lie
    },
  }
}
