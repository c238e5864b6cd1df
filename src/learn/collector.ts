/**
 * An actor: steps a vector of environments with one policy for a whole rollout and writes what it saw and did into an `Experience`.
 * Episodes run on across rollouts. Nothing is allocated per step.
 */
import type { VectorBuffers } from '../envs/types.ts'
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Experience, ExperienceShape } from './experience.ts'
import { createPolicyHead, type PolicyHead } from './policy-head.ts'
import { environmentFields, randomField, type StateFields } from './state.ts'

export interface CollectorOptions {
  readonly environment: WrappedVector
  /** Takes at least as many rows as there are environments. */
  readonly network: EngineNetwork
  readonly random: SeededRandom
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class Collector {
  readonly #environment: WrappedVector
  readonly #network: EngineNetwork
  readonly #policy: PolicyHead
  readonly #random: SeededRandom
  /** Where the next rollout begins [B, d]. */
  readonly #current: Float32Array
  #fresh = true

  constructor({ environment, network, random, seed }: CollectorOptions) {
    this.#environment = environment
    this.#network = network
    this.#policy = createPolicyHead(network, environment.actionSpace, environment.count)
    this.#random = random
    this.#current = new Float32Array(environment.count * environment.observationSpace.low.length)
    environment.reset(seed, this.#current)
  }

  /** Fills `into` with the next steps under `parameters`, the policy after `version` updates. */
  collect(parameters: Arena, version: number, into: Experience): void {
    const environment = this.#environment
    let finals = 0
    into.version = version
    into.fresh = this.#fresh
    this.#fresh = false
    into.steps[0]!.observations.set(this.#current)
    for (const { observations, actions, logProbs, rawRewards, out } of into.steps) {
      this.#network.forward(parameters, observations, environment.count)
      this.#policy.sample(this.#random, actions)
      this.#policy.evaluate(actions, logProbs)
      environment.step(this.#policy.executable(actions), out)
      rawRewards.set(environment.rawRewards ?? out.rewards)
      finals = keepFinals(out, into.finalObservations, finals)
    }
    this.#current.set(into.lastObservations)
  }

  /** Where the next rollout begins; false where its environments began anew. */
  state(fields: StateFields): boolean {
    randomField(fields, 'random', this.#random)
    const goesOn = environmentFields(fields, this.#environment, this.#current, this.#random)
    if (fields.restoring) this.#fresh = !goesOn
    return goesOn
  }

  close(): void {
    this.#environment.close()
  }
}

/** The shape of rollouts of `steps` steps of `environment`. */
export function experienceShape(environment: WrappedVector, steps: number): ExperienceShape {
  const { actionSpace, count, observationSpace } = environment
  const discrete = actionSpace.kind === 'discrete'
  return {
    steps,
    environments: count,
    observationSize: observationSpace.low.length,
    actionWidth: discrete ? 1 : actionSpace.low.length,
    discrete,
  }
}

/** Packs the final observations of the rows truncated in this step behind the `count` there are; returns how many there are then. */
export function keepFinals({ truncated, finalObservations }: VectorBuffers, into: Float32Array, count: number): number {
  const width = finalObservations.length / truncated.length
  let kept = count
  for (let row = 0; row < truncated.length; row++) {
    if (truncated[row] !== 1) continue
    for (let i = 0; i < width; i++) into[kept * width + i] = finalObservations[row * width + i]!
    kept++
  }
  return kept
}
