/**
 * A replica that does not learn, for the bench of averaging: updates pass and change nothing. It starts from zeros, which all peers of a run
 * share; other values are adopted.
 */
import type { PacedCore } from '../learn/inline-learner.ts'
import { layout } from '../learn/layout.ts'
import type { LearnerDescription, LearnerSettings, LearnerState, Normaliser, Progress, Replica } from '../ports/learner.ts'

export class StillCore implements PacedCore {
  readonly description: LearnerDescription
  readonly hasTarget = false
  readonly solved = null
  readonly scheduleSteps = 0
  readonly optimiserSteps = 0
  readonly #parameters: Float32Array
  readonly #untilSteps: number | null
  #updates = 0

  constructor({ network, untilSteps }: LearnerSettings) {
    const { slices, parameterCount } = layout(network)
    this.description = { slices, parameterCount, engine: 'none' }
    this.#parameters = new Float32Array(parameterCount)
    this.#untilSteps = untilSteps
  }

  get updates(): number {
    return this.#updates
  }

  get version(): number {
    return this.#updates
  }

  get exhausted(): boolean {
    return this.#untilSteps !== null && this.#updates >= this.#untilSteps
  }

  update(): void {
    this.#updates++
  }

  progress(holding: boolean, cpuMs: number | null): Progress {
    const nothing = { steps: 0, episodes: 0, returnMean: null, lengthMean: null, solved: null, statistics: {}, actors: null }
    return { ...nothing, updates: this.#updates, holding, cpuMs }
  }

  snapshot(into: { readonly parameters: Float32Array }): void {
    into.parameters.set(this.#parameters)
  }

  mix(delta: Float32Array): void {
    const parameters = this.#parameters
    for (let i = 0; i < parameters.length; i++) parameters[i]! += delta[i]!
  }

  normalisers(): { readonly own: readonly Normaliser[]; readonly all: readonly Normaliser[] } {
    return { own: [], all: [] }
  }

  mergeNormalisers(): void {}

  setRateFactor(): void {}

  offerExperience(): null {
    return null
  }

  takeExperience(): boolean {
    return false
  }

  adopt(replica: Replica): void {
    this.#parameters.set(replica.parameters)
  }

  saveState(): LearnerState {
    return { parameters: this.#parameters.slice(), updates: Float64Array.of(this.#updates) }
  }

  restoreState({ parameters, updates }: LearnerState): void {
    this.#parameters.set(parameters ?? [])
    this.#updates = updates?.[0] ?? 0
  }

  dispose(): void {}
}
