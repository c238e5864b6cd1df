/**
 * How built-in environments are written: `Rows`, the episodes of many rows side by side, without time limit or autoreset. `vectorOf` and
 * `singleOf` make the two public forms of it, so that the scalar form equals a row of the vector form by construction.
 */
import { GrapevineError } from '../util/errors.ts'
import { packArrays, type StateArray, unpackArrays } from './memory.ts'
import type { Picture } from './picture.ts'
import { asRow, checkActions, sizeOf } from './spaces.ts'
import type { BoxSpace, Environment, ResetOptions, Space, StepResult, VectorBuffers, VectorEnvironment } from './types.ts'

export interface Rows {
  readonly count: number
  /** Neighbouring rows that share one world: they begin and end together, and only the first is seeded and begun. */
  readonly agents: number
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  /** Everything that changes from step to step, streams included, for saved states; null where it cannot be saved. */
  readonly memory: readonly StateArray[] | null
  /** Seeds the random stream of `row`. Unseeded, row i starts as if seeded with i. */
  seed(row: number, seed: number): void
  /** Begins an episode in `row` from its stream. */
  begin(row: number): void
  /** Writes the observation of `row` to `out` from index `at` on. */
  observe(row: number, out: Float32Array, at: number): void
  /** One step of every row; writes observations [n, d], rewards [n] and terminated [n]. Actions were checked. */
  step(actions: Int32Array | Float32Array, observations: Float32Array, rewards: Float32Array, terminated: Uint8Array): void
  /** Where stepping is dear: rows whose flag is 1 are not stepped. */
  ignore?(flags: Uint8Array | null): void
  /** Reward of the last step of `row` before it was rounded to float32; without it that is exact. */
  reward?(row: number): number
  render(row: number): Picture
  close?(): void
}

const NO_INFO = Object.freeze({})

/** The vector form: same-step autoreset, and truncation after `maxEpisodeSteps` (null: never). */
export function vectorOf(rows: Rows, maxEpisodeSteps: number | null): VectorEnvironment {
  return rows.memory === null ? new RowsVector(rows, maxEpisodeSteps) : new SavedRowsVector(rows, maxEpisodeSteps, rows.memory)
}

class RowsVector implements VectorEnvironment {
  readonly count: number
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #rows: Rows
  readonly #width: number
  readonly #limit: number
  protected readonly elapsed: Int32Array

  constructor(rows: Rows, maxEpisodeSteps: number | null) {
    this.#rows = rows
    this.count = rows.count
    this.observationSpace = rows.observationSpace
    this.actionSpace = rows.actionSpace
    this.#width = sizeOf(rows.observationSpace)
    this.#limit = maxEpisodeSteps ?? Number.POSITIVE_INFINITY
    this.elapsed = new Int32Array(rows.count)
  }

  reset(seed: number | null, observations: Float32Array): void {
    const { agents } = this.#rows
    this.#checkLength('observations', observations.length, this.count * this.#width)
    for (let row = 0; row < this.count; row += agents) {
      if (seed !== null) this.#rows.seed(row, seed + row / agents)
      this.#begin(row, observations)
    }
  }

  step(actions: Int32Array | Float32Array, out: VectorBuffers): void {
    const rows = this.#rows
    const { observations, rewards, terminated, truncated } = out
    this.#checkLength('observations', observations.length, this.count * this.#width)
    this.#checkLength('final observations', out.finalObservations.length, this.count * this.#width)
    this.#checkLength('rewards', Math.min(rewards.length, terminated.length, truncated.length), this.count)
    checkActions(this.actionSpace, actions, this.count)
    rows.step(actions, observations, rewards, terminated)
    const { agents } = rows
    const { elapsed } = this
    const limit = this.#limit
    for (let row = 0; row < this.count; row += agents) {
      const late = ++elapsed[row]! >= limit ? 1 : 0
      for (let i = row; i < row + agents; i++) truncated[i] = late
      if ((terminated[row]! | late) === 0) continue
      const from = row * this.#width
      out.finalObservations.set(observations.subarray(from, from + agents * this.#width), from)
      this.#begin(row, observations)
    }
  }

  ignore(flags: Uint8Array | null): void {
    this.#rows.ignore?.(flags)
  }

  restart(flags: Uint8Array, observations: Float32Array): void {
    const { agents } = this.#rows
    for (let row = 0; row < this.count; row += agents) if (flags[row] === 1) this.#begin(row, observations)
  }

  render(row: number): Picture {
    return this.#rows.render(row)
  }

  close(): void {
    this.#rows.close?.()
  }

  #begin(first: number, observations: Float32Array): void {
    this.elapsed[first] = 0
    this.#rows.begin(first)
    for (let row = first; row < first + this.#rows.agents; row++) this.#rows.observe(row, observations, row * this.#width)
  }

  #checkLength(what: string, got: number, expected: number): void {
    if (got !== expected)
      throw new GrapevineError('shape', 'local', `The array of ${what} has ${got} elements where this environment writes ${expected}.`, {
        expected,
        got,
      })
  }
}

class SavedRowsVector extends RowsVector {
  readonly #memory: readonly StateArray[]

  constructor(rows: Rows, maxEpisodeSteps: number | null, memory: readonly StateArray[]) {
    super(rows, maxEpisodeSteps)
    this.#memory = [...memory, this.elapsed]
  }

  saveState(): Uint8Array {
    return packArrays(this.#memory)
  }

  restoreState(bytes: Uint8Array): void {
    unpackArrays(bytes, this.#memory)
  }
}

/** The scalar form of one row, without time limit. */
export function singleOf(rows: Rows): Environment {
  return rows.memory === null ? new RowsSingle(rows) : new SavedRowsSingle(rows, rows.memory)
}

const FRESH = 0
const RUNNING = 1
const OVER = 2

class RowsSingle implements Environment {
  readonly observationSpace: BoxSpace
  readonly actionSpace: Space
  readonly #rows: Rows
  readonly #width: number
  readonly #discrete = new Int32Array(1)
  readonly #reward = new Float32Array(1)
  readonly #terminated = new Uint8Array(1)
  /** FRESH, RUNNING or OVER. */
  protected readonly phase = Uint8Array.of(FRESH)

  constructor(rows: Rows) {
    this.#rows = rows
    this.observationSpace = rows.observationSpace
    this.actionSpace = rows.actionSpace
    this.#width = sizeOf(rows.observationSpace)
  }

  reset(options: ResetOptions = {}): { observation: Float32Array; info: Readonly<Record<string, unknown>> } {
    if (options.seed !== undefined) this.#rows.seed(0, options.seed)
    this.#rows.begin(0)
    this.phase[0] = RUNNING
    const observation = new Float32Array(this.#width)
    this.#rows.observe(0, observation, 0)
    return { observation, info: NO_INFO }
  }

  step(action: number | Float32Array): StepResult {
    if (this.phase[0] !== RUNNING) throw episodeOver(this.phase[0] === FRESH)
    requireAction(this.actionSpace, action)
    const actions = asRow(this.actionSpace, action, this.#discrete)
    checkActions(this.actionSpace, actions, 1)
    const observation = new Float32Array(this.#width)
    this.#rows.step(actions, observation, this.#reward, this.#terminated)
    const terminated = this.#terminated[0] === 1
    if (terminated) this.phase[0] = OVER
    return { observation, reward: this.#rows.reward?.(0) ?? this.#reward[0]!, terminated, truncated: false, info: NO_INFO }
  }

  render(): Picture {
    return this.#rows.render(0)
  }

  close(): void {
    this.#rows.close?.()
  }
}

class SavedRowsSingle extends RowsSingle {
  readonly #memory: readonly StateArray[]

  constructor(rows: Rows, memory: readonly StateArray[]) {
    super(rows)
    this.#memory = [...memory, this.phase]
  }

  saveState(): Uint8Array {
    return packArrays(this.#memory)
  }

  restoreState(bytes: Uint8Array): void {
    unpackArrays(bytes, this.#memory)
  }
}

/** Of the right kind at all; its values are judged elsewhere. */
function requireAction(space: Space, action: unknown): void {
  if (space.kind === 'discrete' ? typeof action === 'number' : action instanceof Float32Array) return
  const wanted = space.kind === 'discrete' ? `a number from 0 to ${space.n - 1}` : `a Float32Array of ${sizeOf(space)}`
  const given = typeof action === 'object' && action !== null ? action.constructor.name : `${typeof action} ${String(action)}`
  throw new GrapevineError('shape', 'local', `An action here is ${wanted}, not ${given}.`)
}

/** What stepping outside an episode throws; `never` when no episode was begun yet. */
export function episodeOver(never: boolean): GrapevineError {
  return new GrapevineError(
    'episode_over',
    'local',
    never
      ? 'An environment was stepped before its first reset; call reset first.'
      : 'An environment was stepped after its episode ended; call reset first.',
  )
}
