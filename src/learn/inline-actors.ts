/**
 * Actors in the learner's own thread: rollouts are collected when they are asked for, with the policy of `lag` updates ago, so that the lag of
 * real actors is there to be corrected and the same seeds give the same curve.
 */
import type { Collector } from './collector.ts'
import type { Arena } from './engine.ts'
import { Experience, type ExperienceShape, type ExperienceSource } from './experience.ts'

export class InlineActors implements ExperienceSource {
  readonly faults = null
  readonly #collector: Collector
  readonly #experience: Experience
  /** The last `lag` + 1 policies; the one after `version` updates at `version` modulo their number. */
  readonly #policies: readonly Arena[]
  #first: number | null = null
  #version = 0

  constructor(collector: Collector, shape: ExperienceShape, lag: number, allocate: () => Arena) {
    this.#collector = collector
    this.#experience = new Experience(shape)
    this.#policies = Array.from({ length: lag + 1 }, allocate)
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

  stop(): void {
    this.#collector.close()
  }

  #policy(version: number): Arena {
    return this.#policies[version % this.#policies.length]!
  }
}
