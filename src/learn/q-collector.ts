/**
 * Ape-X's actor: steps a vector of environments for a rollout, each with its own epsilon, and leaves in an `Experience` beside what it saw and did
 * the Q values it acted by, from which first priorities come. Episodes run on across rollouts. Nothing is allocated per step.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import { keepFinals } from './collector.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Experience } from './experience.ts'
import { requireDiscrete } from './networks.ts'
import { bestAction, duelingValues } from './q-losses.ts'
import { environmentFields, randomField, type StateFields } from './state.ts'

export interface QCollectorOptions {
  readonly environment: WrappedVector
  /** Takes at least as many rows as there are environments. */
  readonly network: EngineNetwork
  /** One per environment. */
  readonly epsilons: Float64Array
  readonly random: SeededRandom
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class QCollector {
  readonly #environment: WrappedVector
  readonly #network: EngineNetwork
  readonly #epsilons: Float64Array
  readonly #random: SeededRandom
  /** Where the next rollout begins [B, d]. */
  readonly #current: Float32Array
  /** [B, actions] */
  readonly #q: Float32Array
  readonly #width: number
  #fresh = true

  constructor({ environment, network, epsilons, random, seed }: QCollectorOptions) {
    this.#environment = environment
    this.#network = network
    this.#epsilons = epsilons
    this.#random = random
    this.#current = new Float32Array(environment.count * environment.observationSpace.low.length)
    this.#width = requireDiscrete(environment.actionSpace)
    this.#q = new Float32Array(environment.count * this.#width)
    environment.reset(seed, this.#current)
  }

  /** Fills `into`, whose shape has `qValues`, with the next steps under `parameters`, the policy after `version` updates. */
  collect(parameters: Arena, version: number, into: Experience): void {
    const environment = this.#environment
    let finals = 0
    into.version = version
    into.fresh = this.#fresh
    this.#fresh = false
    into.steps[0]!.observations.set(this.#current)
    for (const { observations, actions, rawRewards, bestQ, actionQ, out } of into.steps) {
      this.#evaluate(parameters, observations, this.#q)
      this.#choose(actions as Int32Array, bestQ, actionQ)
      environment.step(actions, out)
      rawRewards.set(environment.rawRewards ?? out.rewards)
      const before = finals
      finals = keepFinals(out, into.finalObservations, finals)
      if (finals > before) this.#valueFinals(parameters, into, before, finals)
    }
    this.#current.set(into.lastObservations)
  }

  /** False where the environments began anew. */
  state(fields: StateFields): boolean {
    randomField(fields, 'random', this.#random)
    const goesOn = environmentFields(fields, this.#environment, this.#current, this.#random)
    if (fields.restoring) this.#fresh = !goesOn
    return goesOn
  }

  close(): void {
    this.#environment.close()
  }

  #choose(actions: Int32Array, bestQ: Float32Array, actionQ: Float32Array): void {
    const width = this.#width
    for (let row = 0; row < actions.length; row++) {
      const offset = row * width
      const best = bestAction(this.#q, offset, width)
      const action = this.#random.uniform() < this.#epsilons[row]! ? this.#random.below(width) : best
      actions[row] = action
      bestQ[row] = this.#q[offset + best]!
      actionQ[row] = this.#q[offset + action]!
    }
  }

  /** Values the final observations from place `from` to before `to`. */
  #valueFinals(parameters: Arena, { finalObservations, finalQ, shape }: Experience, from: number, to: number): void {
    const size = shape.observationSize
    const q = this.#q.subarray(0, (to - from) * this.#width)
    this.#evaluate(parameters, finalObservations.subarray(from * size, to * size), q)
    for (let i = from; i < to; i++) {
      const offset = (i - from) * this.#width
      finalQ[i] = q[offset + bestAction(q, offset, this.#width)]!
    }
  }

  /** Q values of `observations` into `q`. */
  #evaluate(parameters: Arena, observations: Float32Array, q: Float32Array): void {
    this.#network.forward(parameters, observations, q.length / this.#width)
    duelingValues(this.#network.output('value'), this.#network.output('advantage'), q)
  }
}
