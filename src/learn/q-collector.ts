/**
 * Ape-X's actor: steps vectors of environments for a rollout, each with its own epsilon, and leaves in an `Experience` beside what it saw and did
 * the Q values it acted by, from which first priorities come. Episodes run on across rollouts.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Experience, ExperienceStep } from './experience.ts'
import { requireDiscrete } from './networks.ts'
import { Parts } from './parts.ts'
import { bestAction, duelingValues } from './q-losses.ts'
import type { StateFields } from './state.ts'

export interface QCollectorOptions {
  /** Alike, side by side. */
  readonly environments: readonly WrappedVector[]
  /** Takes at least as many rows as there are environments. */
  readonly network: EngineNetwork
  /** One per environment. */
  readonly epsilons: Float64Array
  readonly random: SeededRandom
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class QCollector {
  readonly #parts: Parts
  readonly #network: EngineNetwork
  readonly #epsilons: Float64Array
  readonly #random: SeededRandom
  /** [B, actions] */
  readonly #q: Float32Array
  readonly #width: number

  constructor({ environments, network, epsilons, random, seed }: QCollectorOptions) {
    this.#parts = new Parts(environments, seed)
    this.#network = network
    this.#epsilons = epsilons
    this.#random = random
    this.#width = requireDiscrete(environments[0]!.actionSpace)
    this.#q = new Float32Array(this.#parts.count * this.#width)
  }

  /** Fills `into`, whose shape has `qValues`, with the next steps under `parameters`, the policy after `version` updates. */
  collect(parameters: Arena, version: number, into: Experience): void {
    this.#parts.collect(into, version, {
      act: (step, first) => this.#act(parameters, step, first),
      executable: (actions) => actions,
      ended: (from, to) => this.#valueFinals(parameters, into, from, to),
    })
  }

  /** False where the environments began anew. */
  state(fields: StateFields): boolean {
    return this.#parts.state(fields, this.#random)
  }

  close(): void {
    this.#parts.close()
  }

  #act(parameters: Arena, { observations, actions, bestQ, actionQ }: ExperienceStep, first: number): void {
    const width = this.#width
    const q = this.#first(actions.length)
    this.#evaluate(parameters, observations, q)
    for (let row = 0; row < actions.length; row++) {
      const offset = row * width
      const best = bestAction(q, offset, width)
      const action = this.#random.uniform() < this.#epsilons[first + row]! ? this.#random.below(width) : best
      actions[row] = action
      bestQ[row] = q[offset + best]!
      actionQ[row] = q[offset + action]!
    }
  }

  /** Values the final observations from place `from` to before `to`. */
  #valueFinals(parameters: Arena, { finalObservations, finalQ, shape }: Experience, from: number, to: number): void {
    const size = shape.observationSize
    const q = this.#first(to - from)
    this.#evaluate(parameters, finalObservations.subarray(from * size, to * size), q)
    for (let i = from; i < to; i++) {
      const offset = (i - from) * this.#width
      finalQ[i] = q[offset + bestAction(q, offset, this.#width)]!
    }
  }

  /** Room for the Q values of `rows` observations. */
  #first(rows: number): Float32Array {
    const length = rows * this.#width
    return this.#q.length === length ? this.#q : this.#q.subarray(0, length)
  }

  /** Q values of `observations` into `q`. */
  #evaluate(parameters: Arena, observations: Float32Array, q: Float32Array): void {
    this.#network.forward(parameters, observations, q.length / this.#width)
    duelingValues(this.#network.output('value'), this.#network.output('advantage'), q)
  }
}
