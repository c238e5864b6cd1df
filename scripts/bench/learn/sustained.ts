/**
 * When a learner holds a return: the first time that the mean of 8 consecutive evaluations of 20 stochastic episodes reaches the threshold.
 * The usual mean of the last 100 training episodes lags by tens of thousands of steps in CartPole.
 */

/** Evaluations in a row whose mean must reach the threshold. */
const EVALUATIONS = 8

/** Stochastic episodes of each. */
export const SUSTAINED_EPISODES = 20

export class Sustained {
  /** [steps, mean return] of every evaluation so far. */
  readonly evaluations: [number, number][] = []
  readonly #threshold: number

  constructor(threshold: number) {
    this.#threshold = threshold
  }

  /** Takes the mean return of the evaluation at `steps`; true where the threshold is held with it. */
  add(steps: number, meanReturn: number): boolean {
    this.evaluations.push([steps, meanReturn])
    const latest = this.evaluations.slice(-EVALUATIONS)
    return latest.length === EVALUATIONS && latest.reduce((sum, [, value]) => sum + value, 0) / EVALUATIONS >= this.#threshold
  }
}
