/** Truncates the episodes of one environment after a number of steps, as Gymnasium's TimeLimit: the flag may coincide with `terminated`. */
import { checkStateLength } from './memory.ts'
import type { Picture } from './picture.ts'
import { episodeOver } from './rows.ts'
import type { BoxSpace, Environment, ResetOptions, Space, StepResult } from './types.ts'

const COUNTER_BYTES = 4

/** `environment` with episodes of at most `maxEpisodeSteps` steps. Offers saved states and pictures where `environment` does. */
export function limitTime(environment: Environment, maxEpisodeSteps: number): Environment {
  const limited = new TimeLimited(environment, maxEpisodeSteps)
  const { saveState, restoreState, render } = environment
  return Object.assign(
    limited,
    saveState !== undefined && restoreState !== undefined
      ? {
          saveState: () => limited.save(saveState.call(environment)),
          restoreState: (bytes: Uint8Array) => restoreState.call(environment, limited.restore(bytes)),
        }
      : {},
    render === undefined ? {} : { render: (): Picture => render.call(environment) },
  )
}

class TimeLimited implements Environment {
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #inner: Environment
  readonly #limit: number
  #elapsed: number

  constructor(inner: Environment, limit: number) {
    this.#inner = inner
    this.#limit = limit
    this.#elapsed = 0
    this.observationSpace = inner.observationSpace
    this.actionSpace = inner.actionSpace
  }

  reset(options?: ResetOptions): { observation: Float32Array; info: Readonly<Record<string, unknown>> } {
    this.#elapsed = 0
    return this.#inner.reset(options)
  }

  step(action: number | Float32Array): StepResult {
    if (this.#elapsed >= this.#limit) throw episodeOver(false)
    const result = this.#inner.step(action)
    this.#elapsed += 1
    return this.#elapsed >= this.#limit ? { ...result, truncated: true } : result
  }

  save(inner: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(COUNTER_BYTES + inner.length)
    new DataView(bytes.buffer).setUint32(0, this.#elapsed, true)
    bytes.set(inner, COUNTER_BYTES)
    return bytes
  }

  /** Takes the counter from `bytes` and returns what is left for the inner environment. */
  restore(bytes: Uint8Array): Uint8Array {
    if (bytes.length < COUNTER_BYTES) checkStateLength(bytes, COUNTER_BYTES)
    this.#elapsed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    return bytes.subarray(COUNTER_BYTES)
  }

  close(): void {
    this.#inner.close()
  }
}
