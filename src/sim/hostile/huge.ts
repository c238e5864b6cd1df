/** The own parameters a million times over: one attacker outweighs any mean. */
import type { Attack } from './attack.ts'

const FACTOR = 1e6

export function huge(): Attack {
  return { lie: (own) => own.map((value) => FACTOR * value) }
}
