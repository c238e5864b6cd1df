/**
 * What a part of a learner needs to go on, described once for both directions: a part names its fields in `state(fields)`; saving copies them
 * out and restoring copies them back, so that what is written is what is read. A restored part goes on bit for bit where the saved one stood.
 * Errors: `state` where a saved state does not fit what is restored (another count of environments, another algorithm).
 */
import type { WrappedVector } from '../envs/wrappers/wrap.ts'
import type { LearnerState, Replica, StateArray } from '../ports/learner.ts'
import { GrapevineError } from '../util/errors.ts'
import type { SeededRandom } from '../util/random.ts'
import { MAX_ENVIRONMENT_SEED } from './actors.ts'
import type { Arena, EngineNetwork, OptimiserState } from './engine.ts'

export interface StateFields {
  /** Whether a saved state is being restored. */
  readonly restoring: boolean
  /** Whether the saved state that is being restored has this field; false while saving. */
  has(name: string): boolean
  /** The elements of `array`, whose length stays. */
  array(name: string, array: StateArray): void
  /** A few numbers that lie in no array of their own. */
  numbers(name: string, read: () => readonly number[], write: (values: readonly number[]) => void): void
  /** Bytes of any length. */
  bytes(name: string, read: () => Uint8Array, write: (bytes: Uint8Array) => void): void
  /** Fields whose names begin with `name` and a slash. */
  under(name: string): StateFields
}

/** A copy of everything that `describe` names. */
export function saveFields(describe: (fields: StateFields) => void): LearnerState {
  const saved: Record<string, StateArray> = {}
  describe(new SavingFields(saved, ''))
  return saved
}

/** Fills everything that `describe` names from `saved`. After an error some fields are restored and others not. */
export function restoreFields(saved: LearnerState, describe: (fields: StateFields) => void): void {
  describe(new RestoringFields(saved, ''))
}

class SavingFields implements StateFields {
  readonly restoring = false
  readonly #saved: Record<string, StateArray>
  readonly #prefix: string

  constructor(saved: Record<string, StateArray>, prefix: string) {
    this.#saved = saved
    this.#prefix = prefix
  }

  has(): boolean {
    return false
  }

  array(name: string, array: StateArray): void {
    this.#saved[this.#prefix + name] = array.slice()
  }

  numbers(name: string, read: () => readonly number[]): void {
    this.#saved[this.#prefix + name] = Float64Array.from(read())
  }

  bytes(name: string, read: () => Uint8Array): void {
    this.#saved[this.#prefix + name] = read().slice()
  }

  under(name: string): StateFields {
    return new SavingFields(this.#saved, `${this.#prefix}${name}/`)
  }
}

class RestoringFields implements StateFields {
  readonly restoring = true
  readonly #saved: LearnerState
  readonly #prefix: string

  constructor(saved: LearnerState, prefix: string) {
    this.#saved = saved
    this.#prefix = prefix
  }

  has(name: string): boolean {
    return this.#saved[this.#prefix + name] !== undefined
  }

  array(name: string, array: StateArray): void {
    const saved = this.#find(name, array)
    if (saved.length !== array.length) throw misfit(this.#prefix + name, `has ${saved.length} elements where ${array.length} are needed`)
    array.set(saved)
  }

  numbers(name: string, read: () => readonly number[], write: (values: readonly number[]) => void): void {
    const expected = read().length
    const saved = this.#find(name, NUMBERS)
    if (saved.length !== expected) throw misfit(this.#prefix + name, `has ${saved.length} numbers where ${expected} are needed`)
    write([...saved])
  }

  bytes(name: string, _: () => Uint8Array, write: (bytes: Uint8Array) => void): void {
    write(this.#find(name, BYTES))
  }

  under(name: string): StateFields {
    return new RestoringFields(this.#saved, `${this.#prefix}${name}/`)
  }

  #find<T extends StateArray>(name: string, like: T): T {
    const saved = this.#saved[this.#prefix + name]
    if (saved === undefined) throw misfit(this.#prefix + name, 'is missing')
    if (saved.constructor !== like.constructor) throw misfit(this.#prefix + name, `is a ${saved.constructor.name}`)
    return saved as T
  }
}

const NUMBERS = new Float64Array(0)
const BYTES = new Uint8Array(0)

/**
 * A saved learner whose environments begin new episodes and whose draws are others than those that followed: what led to a crash or a hang need not
 * happen again. `life` tells apart those who start from the same state. Fields of environments and random streams are named as below.
 */
export function begunAnew(state: LearnerState, life: number): LearnerState {
  const entries = Object.entries(state).filter(([name]) => !name.endsWith('/environments'))
  return Object.fromEntries(
    entries.map(([name, array]) => {
      if (!name.endsWith('/random')) return [name, array]
      const words = Array.from({ length: array.length }, (_, i) => (array[i]! ^ (LIFE_STRIDE * life)) | 0)
      return [name, Float64Array.from(words)]
    }),
  )
}

/** Odd and far from every small multiple. */
const LIFE_STRIDE = 0x9e3779b1

/** How far a saved learner is: updates behind its replica, and its own steps, updates and episodes. As LearnerCore and Episodes name them. */
export function savedCounters(state: LearnerState): {
  readonly version: number
  readonly steps: number
  readonly updates: number
  readonly episodes: number
} {
  const [updates = 0, , , adoptedVersion = 0] = state.counters ?? []
  const [steps = 0, episodes = 0] = state['episodes/counters'] ?? []
  return { version: adoptedVersion + updates, steps, updates, episodes }
}

/** What acting needs of a replica, under the names of a saved learner. */
export function replicaState({ parameters, target, normalisers }: Replica): LearnerState {
  const state: Record<string, StateArray> = { parameters: parameters.slice(), ...(target === null ? {} : { target: target.slice() }) }
  for (const [i, { count, mean, m2 }] of normalisers.entries()) {
    const parts = [Float64Array.of(count, 0), mean.slice(), m2.slice(), new Float64Array(mean.length), new Float64Array(mean.length)]
    for (const [part, array] of parts.entries()) state[`normaliser/${i}/${part}`] = array
  }
  return state
}

/** A parameter-like vector, in canonical order. */
export function arenaField(fields: StateFields, name: string, network: EngineNetwork, arena: Arena): void {
  const canonical = new Float32Array(network.parameterCount)
  network.read(arena, canonical)
  fields.array(name, canonical)
  if (fields.restoring) network.write(arena, canonical)
}

/** Moments as `name/0` and so on, and the number of steps. */
export function optimiserFields(fields: StateFields, network: EngineNetwork, optimiser: OptimiserState): void {
  for (const [i, moment] of optimiser.moments.entries()) arenaField(fields, String(i), network, moment)
  fields.numbers(
    'count',
    () => [optimiser.count],
    ([count]) => {
      optimiser.count = count!
    },
  )
}

export function randomField(fields: StateFields, name: string, random: SeededRandom): void {
  fields.numbers(
    name,
    () => random.state,
    ([a, b, c, counter]) => {
      random.state = [a!, b!, c!, counter!]
    },
  )
}

/**
 * Environments and the observations [n, d] that they stand at. Where they cannot save their state, or none was saved, restoring begins new
 * episodes everywhere, seeded from `random`, and returns false.
 */
export function environmentFields(
  fields: StateFields,
  environment: WrappedVector,
  observations: Float32Array,
  random: SeededRandom,
): boolean {
  const { saveState, restoreState } = environment
  const saves = saveState !== undefined && restoreState !== undefined
  if (saves && (!fields.restoring || fields.has('environments'))) {
    fields.bytes(
      'environments',
      () => saveState.call(environment),
      (bytes) => restoreState.call(environment, bytes),
    )
    fields.array('observations', observations)
    return true
  }
  if (fields.restoring) environment.reset(random.below(MAX_ENVIRONMENT_SEED), observations)
  return false
}

function misfit(name: string, problem: string): GrapevineError {
  return new GrapevineError('state', 'local', `A saved learner does not fit this one: its field "${name}" ${problem}.`, { name })
}
