/**
 * The samples of one rollout, dealt out as shuffled minibatches: every epoch each sample comes once, the last minibatch holds what is left.
 * A minibatch's arrays are filled by `take` and overwritten by the next; nothing is allocated after construction.
 */
import type { SeededRandom } from '../util/random.ts'
import type { Actions } from './policy-head.ts'
import { randomField, type StateFields } from './state.ts'

/** n samples: observations [n, d], actions [n, a], everything else [n]. */
export interface Samples {
  readonly observations: Float32Array
  readonly actions: Actions
  /** Log-probabilities of the actions under the policy that took them. */
  readonly logProbs: Float32Array
  /** Values by the network that acted. */
  readonly values: Float32Array
  readonly advantages: Float32Array
  /** Value targets. */
  readonly returns: Float32Array
}

export class Minibatches {
  /** Minibatches of one epoch. */
  readonly count: number
  readonly #source: Samples
  readonly #random: SeededRandom
  readonly #size: number
  /** Sample numbers in the order of this epoch. */
  readonly #order: Uint32Array
  readonly #whole: Samples
  readonly #rest: Samples

  /** Minibatches of `size` samples of `source`, of all of them where it has fewer. */
  constructor(source: Samples, size: number, random: SeededRandom) {
    const rows = source.logProbs.length
    this.#source = source
    this.#random = random
    this.#size = Math.min(size, rows)
    this.count = Math.ceil(rows / this.#size)
    this.#order = Uint32Array.from({ length: rows }, (_, i) => i)
    this.#whole = room(source, this.#size)
    const rest = rows % this.#size
    this.#rest = rest === 0 ? this.#whole : rowsOf(this.#whole, 0, rest)
  }

  /** Begins an epoch: a new order of the samples. [Fisher and Yates 1938] */
  shuffle(): void {
    const order = this.#order
    for (let i = order.length - 1; i > 0; i--) {
      const other = this.#random.below(i + 1)
      const moved = order[i]!
      order[i] = order[other]!
      order[other] = moved
    }
  }

  state(fields: StateFields): void {
    randomField(fields, 'random', this.#random)
    fields.array('order', this.#order)
  }

  /** Gathers minibatch `index` of the epoch, 0 <= index < count. */
  take(index: number): Samples {
    const into = index === this.count - 1 ? this.#rest : this.#whole
    const source = this.#source
    const rows = into.logProbs.length
    const width = source.observations.length / this.#order.length
    const actionWidth = source.actions.length / this.#order.length
    const first = index * this.#size
    for (let row = 0; row < rows; row++) {
      const from = this.#order[first + row]!
      for (let i = 0; i < width; i++) into.observations[row * width + i] = source.observations[from * width + i]!
      for (let i = 0; i < actionWidth; i++) into.actions[row * actionWidth + i] = source.actions[from * actionWidth + i]!
      into.logProbs[row] = source.logProbs[from]!
      into.values[row] = source.values[from]!
      into.advantages[row] = source.advantages[from]!
      into.returns[row] = source.returns[from]!
    }
    return into
  }
}

/** Arrays for `rows` samples like those of `source`. */
function room(source: Samples, rows: number): Samples {
  const of = (array: Float32Array) => new Float32Array((array.length / source.logProbs.length) * rows)
  const actions = source.actions instanceof Int32Array ? new Int32Array(rows) : of(source.actions)
  const { observations, logProbs, values, advantages, returns } = source
  return {
    observations: of(observations),
    actions,
    logProbs: of(logProbs),
    values: of(values),
    advantages: of(advantages),
    returns: of(returns),
  }
}

/** Views of the samples from row `first` to before row `end`. */
export function rowsOf(samples: Samples, first: number, end: number): Samples {
  const all = samples.logProbs.length
  const view = <T extends Actions>(array: T) => array.subarray((array.length / all) * first, (array.length / all) * end) as T
  const { observations, actions, logProbs, values, advantages, returns } = samples
  return {
    observations: view(observations),
    actions: view(actions),
    logProbs: view(logProbs),
    values: view(values),
    advantages: view(advantages),
    returns: view(returns),
  }
}
