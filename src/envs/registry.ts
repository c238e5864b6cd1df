/**
 * The environments by id: those that come along and those a user registers. `makeEnv` and `makeVectorEnv` build them with their time limit.
 *
 *   registerEnv('Corridor-v0', () => new Corridor())
 *   const env = makeEnv('Corridor-v0')
 */
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { gymEnvironment } from './bridge/gym.ts'
import { isBridged } from './bridge/script.ts'
import { BUILTIN } from './builtin.ts'
import { vectorOfSingles } from './from-singles.ts'
import { VECTOR_ROWS_MAX } from './limits.ts'
import { type FaultTeller, mended } from './mending.ts'
import { limitTime } from './time-limit.ts'
import type { Environment, EnvironmentSpec, VectorEnvironment } from './types.ts'

type Options = Readonly<Record<string, unknown>>

/** Makes one environment, without time limit. */
export type EnvironmentFactory = (options: Options) => Environment

/** What `registerEnv` takes beside a bare factory: a spec whose facts may be left out. */
export type EnvironmentEntry = Partial<Omit<EnvironmentSpec, 'id' | 'make'>> & Pick<EnvironmentSpec, 'make'>

const entries = new Map<string, EnvironmentSpec>(BUILTIN.map((spec) => [spec.id, spec]))

/**
 * Registers an environment, or replaces the one of that id. `defaults` are options that `makeEnv`'s own are laid over.
 * A bare factory gets version "1", no threshold and no time limit.
 */
export function registerEnv(id: string, entry: EnvironmentFactory | EnvironmentEntry, defaults: Options = {}): void {
  if (typeof id !== 'string' || !/^[A-Za-z0-9_.:/-]{1,100}$/.test(id))
    throw new GrapevineError(
      'environment_id',
      'local',
      `An environment id may hold up to 100 letters, digits and _ . : / -, so "${id}" is none.`,
      { id },
    )
  const given: EnvironmentEntry = typeof entry === 'function' ? { make: entry } : entry
  if (typeof given?.make !== 'function') {
    const message = `registerEnv takes a function that makes "${id}", or an object with such a function as make; it got ${shown(entry)}.`
    throw new GrapevineError('environment', 'local', message, { id })
  }
  const { makeVector } = given
  entries.set(id, {
    version: '1',
    description: 'registered by the user',
    threshold: null,
    maxEpisodeSteps: null,
    ...given,
    id,
    make: (options) => given.make({ ...defaults, ...options }),
    ...(makeVector === undefined
      ? {}
      : { makeVector: (count, options, limit) => makeVector.call(given, count, { ...defaults, ...options }, limit) }),
  })
}

/**
 * The entry of `id`, for `gym:` ids as it is with `options`. Throws `unknown_environment`, naming the nearest ids.
 */
export function findEnvironment(id: string, options: Options = {}): EnvironmentSpec {
  const spec = entries.get(id)
  if (spec !== undefined) return spec
  if (typeof id !== 'string') {
    throw new GrapevineError('unknown_environment', 'local', `An environment is named by its id, such as "CartPole-v1", not ${shown(id)}.`)
  }
  if (isBridged(id)) return gymEnvironment(id, options)
  const like = nearest(id, [...entries.keys()])
  const hint = like.length === 0 ? '`grapevine envs` lists those that are' : `did you mean ${like.join(' or ')}?`
  throw new GrapevineError('unknown_environment', 'local', `Environment "${id}" is not registered here; ${hint}`, { id, nearest: like })
}

/** Whether every thread of this program knows the environment: it is built in, or Python's. One that was registered, or replaced, is neither. */
export function comesAlong(id: string): boolean {
  return isBridged(id) || BUILTIN.some((spec) => spec.id === id && spec === entries.get(id))
}

/** All entries, sorted by id. */
export function listEnvironments(): EnvironmentSpec[] {
  return [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** One environment with its time limit. The option `maxEpisodeSteps` (null: none) replaces the registered one; the others go to the environment. */
export function makeEnv(id: string, options: Options = {}): Environment {
  const spec = findEnvironment(id, options)
  const { limit, rest } = splitLimit(spec, options)
  const environment = spec.make(rest)
  requireEnvironment(environment, id)
  return limit === null ? environment : limitTime(environment, limit)
}

/** What a factory of somebody's own gave. */
function requireEnvironment(made: Environment, id: string): void {
  const missing = ['reset', 'step', 'close'].find(
    (name) => typeof (made as unknown as Record<string, unknown> | null)?.[name] !== 'function',
  )
  const lack =
    missing ?? ['observationSpace', 'actionSpace'].find((name) => !(made as unknown as Record<string, { kind?: unknown }>)[name]?.kind)
  if (lack === undefined) return
  const message = `What was made as "${id}" is no environment: ${shown(made)} has no ${lack}; \`grapevine envs --check MODULE\` tells more.`
  throw new GrapevineError('environment', 'local', message, { id })
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : typeof value === 'function' ? 'a function' : String(value)
}

/**
 * `count` environments as one vector environment with the time limit; it has `count` rows for each agent of the environment. With `faults`, single
 * environments that throw while they are used are told there and made anew; without, and where the entry has a vector form of its own, they throw.
 */
export function makeVectorEnv(id: string, count: number, options: Options = {}, faults?: FaultTeller): VectorEnvironment {
  const spec = findEnvironment(id, options)
  if (!Number.isInteger(count) || count < 1 || count * (spec.agents ?? 1) > VECTOR_ROWS_MAX)
    throw new GrapevineError('shape', 'local', `A vector environment has 1 to ${VECTOR_ROWS_MAX} rows, but ${count} were asked for.`, {
      count,
    })
  const { limit, rest } = splitLimit(spec, options)
  if (spec.makeVector !== undefined) return spec.makeVector(count, rest, limit)
  const make = (): Environment => makeEnv(id, options)
  return vectorOfSingles(
    Array.from({ length: count }, (_, row) => (faults === undefined ? make() : mended(make, id, faults.first + row, faults.tell))),
  )
}

function splitLimit(spec: EnvironmentSpec, options: Options): { limit: number | null; rest: Options } {
  if (typeof options !== 'object' || options === null) {
    const message = `Options of ${spec.id} are an object, such as { maxEpisodeSteps: 100 }, not ${shown(options)}.`
    throw new GrapevineError('option', 'local', message, { id: spec.id })
  }
  const { maxEpisodeSteps: limit = spec.maxEpisodeSteps, ...rest } = options
  if (limit !== null && !(typeof limit === 'number' && Number.isInteger(limit) && limit >= 1))
    throw new GrapevineError(
      'option',
      'local',
      `Option "maxEpisodeSteps" of ${spec.id} must be an integer of at least 1, or null for none.`,
      { id: spec.id },
    )
  return { limit, rest }
}
