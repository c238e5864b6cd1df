/**
 * n-step transitions from the steps of a vector of environments, each on its own: R = sum of gamma^k r_k over m steps, then gamma^m times the
 * value of what followed. m = n inside an episode; at its end the steps still open are closed with the m they have, so that none is lost.
 * A terminated episode has no value behind it (discount 0), a truncated one that of its final observation. Nothing is allocated per step.
 * [Sutton and Barto 2018, 7.1; Horgan et al. 2018, arXiv 1803.00933, C]
 *
 *   for each step: follow(row, slot, value) with the observation acted in, then act(row, action, qValue), then reward(row, r);
 *   where the episode ended: terminate(row) or truncate(row, finalSlot, finalValue).
 */

import type { StateFields } from './state.ts'

/** Who takes the transitions; `slot` and `nextSlot` are the caller's names for observations. */
export interface TransitionSink {
  /**
   * Acting with `action` in `slot` earned `reward` (the m-step sum) and led to `nextSlot`, whose value counts `discount` (gamma^m, or 0, and
   * then `nextSlot` is `slot`). `tdError` is what the actor's own values say: reward + discount * value - qValue.
   */
  transition(slot: number, action: number, reward: number, discount: number, nextSlot: number, tdError: number): void
}

/** What the head of this file says, for one vector; the transitions go to a `TransitionSink`. */
export class NStepTransitions {
  readonly #n: number
  readonly #gamma: number
  readonly #sink: TransitionSink
  /** Open steps per environment, a ring each [environments, n]. */
  readonly #slots: Int32Array
  readonly #actions: Int32Array
  readonly #qValues: Float64Array
  readonly #returns: Float64Array
  readonly #discounts: Float64Array
  /** Place of the oldest open step, and how many there are. */
  readonly #first: Int32Array
  readonly #open: Int32Array
  readonly #current: Int32Array

  constructor(environments: number, n: number, gamma: number, sink: TransitionSink) {
    this.#n = n
    this.#gamma = gamma
    this.#sink = sink
    this.#slots = new Int32Array(environments * n)
    this.#actions = new Int32Array(environments * n)
    this.#qValues = new Float64Array(environments * n)
    this.#returns = new Float64Array(environments * n)
    this.#discounts = new Float64Array(environments * n)
    this.#first = new Int32Array(environments)
    this.#open = new Int32Array(environments)
    this.#current = new Int32Array(environments)
  }

  /** Environment `row` is now in observation `slot` of value `value` (the largest Q there): closes the step of n steps ago. */
  follow(row: number, slot: number, value: number): void {
    this.#current[row] = slot
    if (this.#open[row] === this.#n) this.#closeOldest(row, slot, value)
  }

  /** It acts in that observation, with the actor's Q value of the action. */
  act(row: number, action: number, qValue: number): void {
    const at = row * this.#n + ((this.#first[row]! + this.#open[row]!) % this.#n)
    this.#slots[at] = this.#current[row]!
    this.#actions[at] = action
    this.#qValues[at] = qValue
    this.#returns[at] = 0
    this.#discounts[at] = 1
    this.#open[row]!++
  }

  /** What that action earned. */
  reward(row: number, reward: number): void {
    const open = this.#open[row]!
    for (let k = 0; k < open; k++) {
      const at = row * this.#n + ((this.#first[row]! + k) % this.#n)
      this.#returns[at]! += this.#discounts[at]! * reward
      this.#discounts[at]! *= this.#gamma
    }
  }

  /** Its episode is over for good: closes all open steps without a value. */
  terminate(row: number): void {
    while (this.#open[row]! > 0) {
      const at = row * this.#n + this.#first[row]!
      this.#discounts[at] = 0
      this.#closeOldest(row, this.#slots[at]!, 0)
    }
  }

  /** Its episode was cut off: closes all open steps with the value of its final observation. */
  truncate(row: number, finalSlot: number, finalValue: number): void {
    while (this.#open[row]! > 0) this.#closeOldest(row, finalSlot, finalValue)
  }

  /** Forgets the open steps of environment `row`: it began anew, and what they led to is not known. */
  forget(row: number): void {
    this.#open[row] = 0
  }

  state(fields: StateFields): void {
    fields.array('slots', this.#slots)
    fields.array('actions', this.#actions)
    fields.array('qValues', this.#qValues)
    fields.array('returns', this.#returns)
    fields.array('discounts', this.#discounts)
    fields.array('first', this.#first)
    fields.array('open', this.#open)
    fields.array('current', this.#current)
  }

  #closeOldest(row: number, nextSlot: number, value: number): void {
    const at = row * this.#n + this.#first[row]!
    const discount = this.#discounts[at]!
    const reward = this.#returns[at]!
    this.#first[row] = (this.#first[row]! + 1) % this.#n
    this.#open[row]!--
    const tdError = reward + (discount === 0 ? 0 : discount * value) - this.#qValues[at]!
    this.#sink.transition(this.#slots[at]!, this.#actions[at]!, reward, discount, nextSlot, tdError)
  }
}
