/** Normal numbers from uniform ones, by our own maths: the same bits on every machine. */
import { cos, log } from './maths.ts'

/** A standard normal number from two uniform ones. [Box and Muller 1958]; 1 - u keeps the logarithm finite. */
export function standardNormal(random: { uniform(): number }): number {
  const radius = Math.sqrt(-2 * log(1 - random.uniform()))
  return radius * cos(2 * Math.PI * random.uniform())
}
