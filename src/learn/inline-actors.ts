/**
 * Actors in the learner's own thread: rollouts are collected when they are asked for, with the policy of `lag` updates ago, so that the lag of
 * real actors is there to be corrected and the same seeds give the same curve.
 */
import type { Collector } from './collector.ts'
import type { Arena, EngineNetwork } from './engine.ts'
import { Experience, type ExperienceShape, type ExperienceSource } from './experience.ts'
import { arenaField, type StateFields } from './state.ts'

export class InlineActors implements ExperienceSource {
  readonly faults = null
  readonly #collector: Collector
  readonly #experience: Experience
  readonly #network: EngineNetwork
  /** The last `lag` + 1 policies; the one after `version` updates at `version` modulo their number. */
  readonly #policies: readonly Arena[]
  #first: number | null = null
  #version = 0

  constructor(collector: Collector, shape: ExperienceShape, lag: number, network: EngineNetwork) {
    this.#collector = collector
    this.#experience = new Experience(shape)
    this.#network = network
    this.#policies = Array.from({ length: lag + 1 }, () => network.allocate())
  }

  publish(parameters: Arena, version: number): void {
    this.#first ??= version
    this.#version = version
    this.#policy(version).data.set(parameters.data)
  }

  take(): Experience {
    const version = Math.max(this.#first ?? 0, this.#version - this.#policies.length + 1)
    this.#collector.collect(this.#policy(version), version, this.#experience)
    return this.#experience
  }

  release(): void {}

  describe(): void {}

  state(fields: StateFields): boolean {
    // Saved by a learner whose actors were threads.
    if (fields.restoring && !fields.has('policy/0')) return false
    for (const [i, policy] of this.#policies.entries()) arenaField(fields, `policy/${i}`, this.#network, policy)
    fields.numbers(
      'published',
      () => [this.#first ?? -1, this.#version],
      ([first, version]) => {
        this.#first = first === -1 ? null : first!
        this.#version = version!
      },
    )
    return this.#collector.state(fields)
  }

  stop(): void {
    this.#collector.close()
  }

  #policy(version: number): Arena {
    return this.#policies[version % this.#policies.length]!
  }
}
