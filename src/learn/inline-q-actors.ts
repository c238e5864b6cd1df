/** Ape-X's actors in the learner's own thread: rollouts are collected when they are asked for, on the live parameters. */
import type { Arena } from './engine.ts'
import { Experience, type ExperienceShape, type ExperienceSource } from './experience.ts'
import type { QCollector } from './q-collector.ts'
import type { StateFields } from './state.ts'

export class InlineQActors implements ExperienceSource {
  readonly faults = null
  readonly #collector: QCollector
  readonly #experience: Experience
  #parameters: Arena | null = null
  #version = 0

  constructor(collector: QCollector, shape: ExperienceShape) {
    this.#collector = collector
    this.#experience = new Experience(shape)
  }

  publish(parameters: Arena, version: number): void {
    this.#parameters = parameters
    this.#version = version
  }

  take(): Experience | null {
    if (this.#parameters === null) return null
    this.#collector.collect(this.#parameters, this.#version, this.#experience)
    return this.#experience
  }

  release(): void {}

  describe(): void {}

  state(fields: StateFields): boolean {
    // Saved by a learner whose actors were threads.
    if (fields.restoring && !fields.has('random')) return false
    return this.#collector.state(fields)
  }

  stop(): void {
    this.#collector.close()
  }
}
