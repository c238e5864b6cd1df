/**
 * Collects rollouts: T steps of B environments under one set of parameters, written straight into arrays that are used again for the next.
 * Row t * B + b. Episodes run on across rollouts; the final observation of a truncated episode is valued at once, while its parameters hold.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Actions, PolicyHead } from './policy-head.ts'
import { discountsOf, type Trajectory } from './returns.ts'
import { environmentFields, randomField, type StateFields } from './state.ts'

/** Who counts steps and episodes: one call per step of all environments. */
export interface EpisodeRecord {
  record(rewards: Float32Array, terminated: Uint8Array, truncated: Uint8Array): void
}

export interface RolloutOptions {
  readonly environment: WrappedVector
  readonly network: EngineNetwork
  readonly policy: PolicyHead
  readonly episodes: EpisodeRecord
  readonly random: SeededRandom
  /** T */
  readonly length: number
  readonly gamma: number
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class Rollout {
  readonly trajectory: Trajectory
  /** Observations in which the policy acted [T * B, d] */
  readonly observations: Float32Array
  /** Actions as sampled [T * B, a] */
  readonly actions: Actions
  readonly rows: number
  readonly #options: RolloutOptions
  readonly #terminated: Uint8Array
  readonly #finalObservations: Float32Array
  /** Per step: where the policy reads, writes its actions, and the environments write. */
  readonly #steps: readonly { readonly observations: Float32Array; readonly actions: Actions; readonly out: VectorBuffers }[]
  readonly #first: Float32Array
  readonly #last: Float32Array

  constructor(options: RolloutOptions) {
    const { environment, policy, length } = options
    const count = environment.count
    const width = environment.observationSpace.low.length
    const rows = length * count
    this.rows = rows
    this.#options = options
    const rewards = new Float32Array(rows)
    const truncated = new Uint8Array(rows)
    this.trajectory = {
      steps: length,
      environments: count,
      rewards,
      discounts: new Float32Array(rows),
      truncated,
      values: new Float32Array(rows),
      nextValues: new Float32Array(rows),
    }
    const all = new Float32Array((rows + count) * width)
    this.observations = all.subarray(0, rows * width)
    this.actions = policy.allocate(rows)
    this.#terminated = new Uint8Array(rows)
    this.#finalObservations = new Float32Array(count * width)
    const observationsAt = (t: number) => all.subarray(t * count * width, (t + 1) * count * width)
    this.#steps = Array.from({ length }, (_, t) => ({
      observations: observationsAt(t),
      actions: this.actions.subarray(t * count * policy.width, (t + 1) * count * policy.width),
      out: {
        observations: observationsAt(t + 1),
        rewards: rewards.subarray(t * count, (t + 1) * count),
        terminated: this.#terminated.subarray(t * count, (t + 1) * count),
        truncated: truncated.subarray(t * count, (t + 1) * count),
        finalObservations: this.#finalObservations,
      },
    }))
    this.#first = observationsAt(0)
    this.#last = observationsAt(length)
    // Where the next rollout begins: `collect` moves the last observations to the front.
    environment.reset(options.seed, this.#last)
  }

  /** Steps the environments T times; afterwards every array of this rollout and its trajectory is complete. */
  collect(parameters: Arena): void {
    const { environment, network, policy, episodes, random, gamma } = this.#options
    const { environments: count, discounts, truncated, values, nextValues } = this.trajectory
    this.#first.set(this.#last)
    for (let t = 0; t < this.#steps.length; t++) {
      const { observations, actions, out } = this.#steps[t]!
      network.forward(parameters, observations, count)
      values.set(network.output('value'), t * count)
      policy.sample(random, actions)
      environment.step(policy.executable(actions), out)
      episodes.record(environment.rawRewards ?? out.rewards, out.terminated, out.truncated)
      this.#valueFinalObservations(parameters, t * count, out.truncated)
    }
    discountsOf(this.#terminated, gamma, discounts)
    network.forward(parameters, this.#last, count)
    const bootstrap = network.output('value')
    const beforeLast = this.rows - count
    for (let i = 0; i < this.rows; i++) {
      if (truncated[i] === 1) continue
      nextValues[i] = i < beforeLast ? values[i + count]! : bootstrap[i - beforeLast]!
    }
  }

  /** Values the final observations of the episodes that were truncated in the step beginning at row `offset` into `nextValues`. */
  #valueFinalObservations(parameters: Arena, offset: number, truncated: Uint8Array): void {
    const { network } = this.#options
    const finals = this.#finalObservations
    const width = finals.length / truncated.length
    let count = 0
    for (let b = 0; b < truncated.length; b++) {
      if (truncated[b] !== 1) continue
      // Packs the rows in place: row b never moves backwards past one still to be read.
      if (count !== b) finals.copyWithin(count * width, b * width, (b + 1) * width)
      count++
    }
    if (count === 0) return
    network.forward(parameters, finals.subarray(0, count * width), count)
    const valued = network.output('value')
    let row = 0
    for (let b = 0; b < truncated.length; b++) {
      if (truncated[b] === 1) this.trajectory.nextValues[offset + b] = valued[row++]!
    }
  }

  /** Where the next rollout begins; false where its environments began anew. */
  state(fields: StateFields): boolean {
    const { environment, random } = this.#options
    randomField(fields, 'random', random)
    return environmentFields(fields, environment, this.#last, random)
  }

  dispose(): void {
    this.#options.environment.close()
  }
}
