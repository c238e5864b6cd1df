/**
 * A crowd of one: all attackers send the very same replica, a few typical distances from the honest mean in one direction that stays the
 * same, so that they look like agreement. With as many identities as it likes one machine is a majority.
 */
import { sumOfSquares } from '../../average/distance.ts'
import { seededRandom } from '../../util/random.ts'
import { type Attack, honestMoments } from './attack.ts'

const DISTANCE = 3

export function sybil(): Attack {
  return {
    lie(_own, knowledge) {
      const { mean, deviation } = honestMoments(knowledge)
      const random = seededRandom('sybil')
      const step = DISTANCE * Math.sqrt(sumOfSquares(deviation) / mean.length)
      return mean.map((value) => value + (random.uniform() < 0.5 ? -step : step))
    },
  }
}
