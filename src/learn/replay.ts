/**
 * Prioritised replay in flat arrays, in shared memory of its own, of a size fixed, and checked, before anything is allocated. Every observation
 * is stored once: a transition names the slots of the observation it starts from and of the one it leads to. Slots are given out in turn and the
 * oldest is overwritten, so a transition is gone before the later observation it needs. A slot without a complete transition has priority 0 and
 * is never drawn.
 *
 * P(i) = p_i / sum p with p = (|td error| + 1e-6)^alpha. Importance weights are (p_i / min_j p_j)^-beta over the batch, which is
 * (N P(i))^-beta divided by the largest of the batch. [Schaul et al. 2016, arXiv 1511.05952, 3.3 and 3.4]
 */
import type { Random } from '../ports/random.ts'
import { GrapevineError } from '../util/errors.ts'
import { pow } from '../util/maths.ts'
import { MAX_REPLAY_BYTES } from './limits.ts'
import type { TransitionSink } from './n-step.ts'
import { requireLength } from './shapes.ts'
import type { StateFields } from './state.ts'
import { SumTree } from './sum-tree.ts'

/** Keeps a transition without error in play. [RLlib's prioritized_replay_eps] */
const PRIORITY_EPSILON = 1e-6

export interface ReplayOptions {
  /** Observations held. */
  readonly capacity: number
  /** Floats of one observation. */
  readonly observationSize: number
  /** Stores observations as bytes; they must be whole numbers from 0 to 255. */
  readonly bytes: boolean
  /** Exponent of the priorities: 0 draws uniformly, 1 in proportion to the error. */
  readonly alpha: number
}

/** n transitions, as drawn; d floats per observation. Arrays of the caller. */
export interface ReplayBatch {
  /** [n]: where they are stored, for `update` */
  readonly slots: Int32Array
  /** [n, d] */
  readonly observations: Float32Array
  /** [n] */
  readonly actions: Int32Array
  /** [n]: m-step sums */
  readonly rewards: Float32Array
  /** [n]: gamma^m, or 0 */
  readonly discounts: Float32Array
  /** [n, d]; the observation itself where the discount is 0 */
  readonly nextObservations: Float32Array
  /** [n]: importance weights, the largest is 1 */
  readonly weights: Float32Array
}

/** Arrays for a batch of `rows` transitions whose observations have `observationSize` floats, to draw into. */
export function replayBatch(rows: number, observationSize: number): ReplayBatch {
  return {
    slots: new Int32Array(rows),
    observations: new Float32Array(rows * observationSize),
    actions: new Int32Array(rows),
    rewards: new Float32Array(rows),
    discounts: new Float32Array(rows),
    nextObservations: new Float32Array(rows * observationSize),
    weights: new Float32Array(rows),
  }
}

/** Bytes that a replay memory takes. */
export function replayBytes({ capacity, observationSize, bytes }: Omit<ReplayOptions, 'alpha'>): number {
  // Action, reward, discount, next slot: 4 bytes each.
  return capacity * (observationSize * (bytes ? 1 : 4) + 16) + SumTree.bytes(capacity)
}

/** (|tdError| + 1e-6)^alpha */
export function priorityOf(tdError: number, alpha: number): number {
  return pow(Math.abs(tdError) + PRIORITY_EPSILON, alpha)
}

/** (p_i / min_j p_j)^-beta into `weights`, both [n]; all priorities above 0. */
export function importanceWeights(priorities: Float64Array, beta: number, weights: Float32Array): void {
  requireLength('weights', weights, priorities.length)
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < priorities.length; i++) if (priorities[i]! < least) least = priorities[i]!
  for (let i = 0; i < priorities.length; i++) weights[i] = pow(priorities[i]! / least, -beta)
}

export class PrioritisedReplay implements TransitionSink {
  /** Transitions refused so far because their reward is not a finite number. */
  refused = 0
  /** Size of the largest reward of a transition so far. */
  largestReward = 0
  readonly capacity: number
  readonly #options: ReplayOptions
  readonly #observations: Float32Array | Uint8Array
  readonly #actions: Int32Array
  readonly #rewards: Float32Array
  readonly #discounts: Float32Array
  readonly #next: Int32Array
  readonly #tree: SumTree
  /** Priorities of the batch: as drawn, or anew. */
  #drawn = new Float64Array(0)
  #pushed = 0

  /** Throws GrapevineError `replay_memory` when it would pass its bound; nothing is allocated then. */
  constructor(options: ReplayOptions) {
    const { capacity, observationSize } = options
    const needed = replayBytes(options)
    if (needed > MAX_REPLAY_BYTES) {
      throw new GrapevineError(
        'replay_memory',
        'local',
        `A replay memory of ${capacity} observations takes ${mebibytes(needed)} MiB, over the bound of ${mebibytes(MAX_REPLAY_BYTES)} MiB; lower replayCapacity, or set byteObservations where observations are whole numbers up to 255.`,
        { needed, bound: MAX_REPLAY_BYTES },
      )
    }
    this.capacity = capacity
    this.#options = options
    const words = () => new SharedArrayBuffer(capacity * 4)
    const numbers = capacity * observationSize
    this.#observations = options.bytes
      ? new Uint8Array(new SharedArrayBuffer(numbers))
      : new Float32Array(new SharedArrayBuffer(numbers * 4))
    this.#actions = new Int32Array(words())
    this.#rewards = new Float32Array(words())
    this.#discounts = new Float32Array(words())
    this.#next = new Int32Array(words())
    this.#tree = new SumTree(capacity)
  }

  /** Observations held. */
  get size(): number {
    return Math.min(this.#pushed, this.capacity)
  }

  /** Observations pushed so far; the number of the last one is one less, its slot that number modulo the capacity. */
  get pushed(): number {
    return this.#pushed
  }

  /** Whether there is a transition to draw. */
  get ready(): boolean {
    return this.#tree.total > 0
  }

  /** Stores row `row` of `observations` [rows, d] over the oldest and returns its slot. Throws `observation` where it does not fit a byte. */
  push(observations: Float32Array, row: number): number {
    const slot = this.#pushed++ % this.capacity
    const width = this.#options.observationSize
    const stored = this.#observations
    const to = slot * width
    const from = row * width
    this.#tree.set(slot, 0)
    for (let k = 0; k < width; k++) stored[to + k] = observations[from + k]!
    if (this.#options.bytes) this.#requireExact(observations, from, to)
    return slot
  }

  transition(slot: number, action: number, reward: number, discount: number, nextSlot: number, tdError: number): void {
    if (!Number.isFinite(Math.fround(reward))) {
      this.refused++
      return
    }
    this.largestReward = Math.max(this.largestReward, Math.abs(reward))
    this.#actions[slot] = action
    this.#rewards[slot] = reward
    this.#discounts[slot] = discount
    this.#next[slot] = nextSlot
    this.#tree.set(slot, this.#priority(tdError))
  }

  /** Fills `batch` with transitions drawn by priority, one from each of n equal parts of the total. Throws `replay_empty`. */
  sample(random: Random, beta: number, batch: ReplayBatch): void {
    const { slots, weights } = batch
    const n = slots.length
    if (this.#drawn.length !== n) this.#drawn = new Float64Array(n)
    this.#tree.sample(random, slots)
    this.copy(batch)
    for (let i = 0; i < n; i++) this.#drawn[i] = this.#tree.get(slots[i]!)
    importanceWeights(this.#drawn, beta, weights)
  }

  /** Copies the transitions in `slots` into the other arrays but the weights. */
  copy({ slots, observations, actions, rewards, discounts, nextObservations }: Omit<ReplayBatch, 'weights'>): void {
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!
      actions[i] = this.#actions[slot]!
      rewards[i] = this.#rewards[slot]!
      discounts[i] = this.#discounts[slot]!
      this.#read(slot, observations, i)
      this.#read(this.#next[slot]!, nextObservations, i)
    }
  }

  /** Slots of the `most` transitions of highest priority among the observations number `from` to before `to` that are still there, highest first. */
  highest(from: number, to: number, most: number): Int32Array {
    const slots = new Int32Array(most)
    const priorities = new Float64Array(most)
    let found = 0
    for (let number = Math.max(from, this.#pushed - this.capacity); number < to; number++) {
      const slot = number % this.capacity
      const priority = this.#tree.get(slot)
      if (priority === 0 || (found === most && priority <= priorities[most - 1]!)) continue
      let place = found < most ? found++ : most - 1
      for (; place > 0 && priorities[place - 1]! < priority; place--) {
        priorities[place] = priorities[place - 1]!
        slots[place] = slots[place - 1]!
      }
      priorities[place] = priority
      slots[place] = slot
    }
    return slots.subarray(0, found)
  }

  /** Size of the error behind the priority of the transition in `slot`; 0 where priorities are all equal. */
  tdError(slot: number): number {
    const { alpha } = this.#options
    return alpha === 0 ? 0 : Math.max(0, pow(this.#tree.get(slot), 1 / alpha) - PRIORITY_EPSILON)
  }

  /** Gives the transitions in `slots`, just drawn, the priorities of their new errors; both [n]. */
  update(slots: Int32Array, tdErrors: Float32Array): void {
    requireLength('tdErrors', tdErrors, slots.length)
    if (this.#drawn.length !== slots.length) this.#drawn = new Float64Array(slots.length)
    for (let i = 0; i < slots.length; i++) this.#drawn[i] = this.#priority(tdErrors[i]!)
    this.#tree.setAll(slots, this.#drawn)
  }

  /** Mean over `slots` of the number of observations pushed since. */
  meanAge(slots: Int32Array): number {
    let sum = 0
    for (let i = 0; i < slots.length; i++) sum += (this.#pushed - 1 - slots[i]!) % this.capacity
    return sum / slots.length
  }

  state(fields: StateFields): void {
    fields.array('observations', this.#observations)
    fields.array('actions', this.#actions)
    fields.array('rewards', this.#rewards)
    fields.array('discounts', this.#discounts)
    fields.array('next', this.#next)
    this.#tree.state(fields)
    fields.numbers(
      'counters',
      () => [this.#pushed, this.refused],
      ([pushed, refused]) => {
        this.#pushed = pushed!
        this.refused = refused!
      },
    )
  }

  /** An error that is not finite (values beyond repair, not a reward) counts as the largest so far. */
  #priority(tdError: number): number {
    const priority = priorityOf(tdError, this.#options.alpha)
    return Number.isFinite(priority) ? priority : this.#tree.largest
  }

  #read(slot: number, into: Float32Array, row: number): void {
    const width = this.#options.observationSize
    const stored = this.#observations
    const from = slot * width
    const to = row * width
    for (let k = 0; k < width; k++) into[to + k] = stored[from + k]!
  }

  #requireExact(observations: Float32Array, from: number, to: number): void {
    for (let k = 0; k < this.#options.observationSize; k++) {
      const value = observations[from + k]!
      if (this.#observations[to + k] === value) continue
      throw new GrapevineError(
        'observation',
        'local',
        `An observation holds ${value}, which is no whole number from 0 to 255, so it cannot be stored as a byte; turn byteObservations off.`,
        { value },
      )
    }
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1_048_576)
}
