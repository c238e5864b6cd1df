/**
 * An actor: steps vectors of environments with one policy for a whole rollout and writes what it saw and did into an `Experience`.
 * Episodes run on across rollouts.
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { SeededRandom } from '../util/random.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import type { Experience, ExperienceShape, ExperienceStep } from './experience.ts'
import { Parts } from './parts.ts'
import { type Actions, createPolicyHead, type PolicyHead } from './policy-head.ts'
import type { StateFields } from './state.ts'

export interface CollectorOptions {
  /** Alike, side by side. */
  readonly environments: readonly WrappedVector[]
  /** Takes at least as many rows as there are environments. */
  readonly network: EngineNetwork
  readonly random: SeededRandom
  /** Row i of the environments is seeded with `seed` + i. */
  readonly seed: number
}

export class Collector {
  readonly #parts: Parts
  readonly #network: EngineNetwork
  readonly #policy: PolicyHead
  readonly #random: SeededRandom

  constructor({ environments, network, random, seed }: CollectorOptions) {
    this.#parts = new Parts(environments, seed)
    this.#network = network
    this.#policy = createPolicyHead(network, environments[0]!.actionSpace, this.#parts.count)
    this.#random = random
  }

  /** Fills `into` with the next steps under `parameters`, the policy after `version` updates. */
  collect(parameters: Arena, version: number, into: Experience): void {
    const policy = this.#policy
    this.#parts.collect(into, version, {
      act: ({ observations, actions, logProbs }: ExperienceStep) => {
        this.#network.forward(parameters, observations, logProbs.length)
        policy.sample(this.#random, actions)
        policy.evaluate(actions, logProbs)
      },
      executable: (actions: Actions) => policy.executable(actions),
    })
  }

  /** Where the next rollout begins; false where its environments began anew. */
  state(fields: StateFields): boolean {
    return this.#parts.state(fields, this.#random)
  }

  close(): void {
    this.#parts.close()
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
