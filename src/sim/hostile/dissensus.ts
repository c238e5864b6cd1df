/** Dissensus: away from the mean in the direction of whoever is farthest from it already, so that replicas drift apart. [arXiv 2202.01545] */
import { squaredDistance } from '../../average/distance.ts'
import { type Attack, honestMoments } from './attack.ts'

const FACTOR = 10

export function dissensus(): Attack {
  return {
    lie(_own, knowledge) {
      const { mean } = honestMoments(knowledge)
      const replicas = knowledge.honest()
      const distances = replicas.map((replica) => squaredDistance(replica, mean))
      const farthest = replicas[distances.indexOf(Math.max(...distances))]!
      return mean.map((value, i) => value + FACTOR * (farthest[i]! - value))
    },
  }
}
