/**
 * An environment that survives its own crashes: one that throws in `step` or `reset` is closed and made anew, seeded differently, and told of.
 * An episode cut short in `step` ends truncated where it was last seen, with reward 0, as where a Python child dies: what bootstraps goes on
 * from an observation that was really seen, and nothing takes the crash for an end of the task. An environment that keeps failing is given up.
 */
import { GrapevineError, messageOf } from '../util/errors.ts'
import { ENVIRONMENT_FAULTS_MAX, ENVIRONMENT_RECOVERED_STEPS } from './limits.ts'
import type { Picture } from './picture.ts'
import { sizeOf } from './spaces.ts'
import type { BoxSpace, Environment, ResetOptions, Space, StepResult } from './types.ts'

/** Where crashes are told, and by which number the first row is called there. */
export interface FaultTeller {
  readonly first: number
  /** One sentence: which environment was made anew, and why. */
  tell(message: string): void
}

/** What `make` gives, again after each crash, as environment `number` of `id`. Offers saved states and pictures where it does. */
export function mended(make: () => Environment, id: string, number: number, tell: FaultTeller['tell']): Environment {
  const first = make()
  const mending = new Mended(make, first, `Environment ${number} of ${id}`, tell)
  return Object.assign(
    mending,
    first.saveState !== undefined && first.restoreState !== undefined
      ? { saveState: () => mending.inner.saveState!(), restoreState: (bytes: Uint8Array) => mending.restore(bytes) }
      : {},
    first.render === undefined ? {} : { render: (): Picture => mending.inner.render!() },
  )
}

/** Odd and far from every small multiple: seeds after crashes do not meet those of neighbouring rows. */
const SEED_STRIDE = 0x9e3779b1
const SEEDS = 4_294_967_296

class Mended implements Environment {
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  inner: Environment
  readonly #make: () => Environment
  readonly #name: string
  readonly #tell: FaultTeller['tell']
  /** The last observation, where an episode cut short ends. */
  readonly #seen: Float32Array
  #seed = 0
  #faults = 0
  #faultsInARow = 0
  #goodSteps = 0
  /** Whether `inner` was made after a crash and never reset. */
  #unseeded = false

  constructor(make: () => Environment, first: Environment, name: string, tell: FaultTeller['tell']) {
    this.inner = first
    this.observationSpace = first.observationSpace
    this.actionSpace = first.actionSpace
    this.#make = make
    this.#name = name
    this.#tell = tell
    this.#seen = new Float32Array(sizeOf(first.observationSpace))
  }

  reset(options: ResetOptions = {}): ReturnType<Environment['reset']> {
    if (options.seed !== undefined) this.#seed = options.seed
    for (;;) {
      try {
        const begun = this.inner.reset(this.#unseeded ? { ...options, seed: this.#freshSeed() } : options)
        this.#unseeded = false
        this.#see(begun.observation)
        return begun
      } catch (error) {
        this.#mend(error)
      }
    }
  }

  step(action: number | Float32Array): StepResult {
    try {
      const result = this.inner.step(action)
      this.#see(result.observation)
      if (++this.#goodSteps === ENVIRONMENT_RECOVERED_STEPS) this.#faultsInARow = 0
      return result
    } catch (error) {
      this.#mend(error)
      return { observation: this.#seen, reward: 0, terminated: false, truncated: true, info: {} }
    }
  }

  restore(bytes: Uint8Array): void {
    this.inner.restoreState!(bytes)
    this.#unseeded = false
  }

  close(): void {
    this.inner.close()
  }

  /** Whoever steps this judges observations; one of a wrong length is refused there. */
  #see(observation: Float32Array): void {
    if (observation.length === this.#seen.length) this.#seen.set(observation)
  }

  #freshSeed(): number {
    return (this.#seed + this.#faults * SEED_STRIDE) % SEEDS
  }

  /** Replaces `inner`, unless it failed too often. */
  #mend(error: unknown): void {
    const reason = messageOf(error).replace(/\.$/, '')
    this.#faults++
    this.#goodSteps = 0
    if (++this.#faultsInARow > ENVIRONMENT_FAULTS_MAX)
      throw new GrapevineError(
        'environment_failed',
        'local',
        `${this.#name} is given up because it failed ${this.#faultsInARow} times in a row, at last with "${reason}"; correct it, then try it with \`grapevine envs --check\`.`,
        { reason },
      )
    try {
      this.inner.close()
    } catch {
      // It is broken and replaced; why was told already.
    }
    this.#tell(`${this.#name} was made anew: ${reason}.`)
    try {
      this.inner = this.#make()
      this.#unseeded = true
    } catch (failure) {
      this.#mend(failure)
    }
  }
}
