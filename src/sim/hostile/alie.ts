/** A little is enough: the honest mean minus some standard deviations of every coordinate, so that it lies within the spread. [arXiv 1902.06156] */
import { type Attack, honestMoments } from './attack.ts'

/** As in the paper's experiments with a quarter of corrupt workers. */
const DEVIATIONS = 1.5

export function alie(): Attack {
  return {
    lie(_own, knowledge) {
      const { mean, deviation } = honestMoments(knowledge)
      return mean.map((value, i) => value - DEVIATIONS * deviation[i]!)
    },
  }
}
