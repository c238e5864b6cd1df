/**
 * Inner-product manipulation: where the honest peers went since the last time, backwards, far enough that the mean of all goes backwards.
 * [Fall of Empires, arXiv 1903.03936]
 */
import { type Attack, honestMoments } from './attack.ts'

/** Over what turns the mean around. */
const EXCESS = 1.5

export function innerProduct(): Attack {
  let before: Float32Array | null = null
  return {
    lie(_own, knowledge) {
      const { mean } = honestMoments(knowledge)
      const origin = before ?? mean
      const back = (EXCESS * knowledge.honest().length) / knowledge.attackers
      before = mean
      return mean.map((value, i) => origin[i]! - back * (value - origin[i]!))
    },
  }
}
