/**
 * What Python says of an environment, checked, and our spaces of it. It is asked for in a short process of its own, with a deadline, the
 * caller waiting: spaces must be known when an environment is made. Asked once a thread for each environment and its options.
 */
import { spawnSync } from 'node:child_process'
import { GrapevineError } from '../../util/errors.ts'
import { boxSpace } from '../spaces.ts'
import type { BoxSpace, Space } from '../types.ts'
import { OBSERVATION_NUMBERS_MAX, TEXT_BYTES_MAX } from './limits.ts'
import type { BridgeOptions } from './options.ts'
import { badAnswer, refused, slowStart, startFailure } from './refusals.ts'
import { gymnasiumId, SCRIPT } from './script.ts'

export interface Description {
  readonly observation: {
    readonly shape: readonly number[]
    /** How an observation's numbers travel. */
    readonly type: 'u8' | 'f32'
    readonly low: Bound
    readonly high: Bound
  }
  readonly action:
    | { readonly kind: 'discrete'; readonly n: number }
    | { readonly kind: 'box'; readonly shape: readonly number[]; readonly low: Bound; readonly high: Bound }
  readonly threshold: number | null
  readonly maxEpisodeSteps: number | null
}

/** One for all elements, or one for each; "Infinity" and "-Infinity" as text. */
type Bound = number | string | readonly (number | string)[]

const known = new Map<string, Description>()

/** Throws `python_missing`, `python_package_missing`, `unknown_environment`, `unsupported_space` or `environment_failed`. */
export function describe(id: string, options: BridgeOptions): Description {
  const request = JSON.stringify({ id: gymnasiumId(id), arguments: options.arguments })
  const key = JSON.stringify([options.python, request])
  const found = known.get(key)
  if (found !== undefined) return found
  const { error, stdout, stderr, status, signal } = spawnSync(options.python, [SCRIPT, '--describe'], {
    input: request,
    encoding: 'utf8',
    timeout: options.startTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: TEXT_BYTES_MAX,
    windowsHide: true,
  })
  const failure = error !== undefined && 'code' in error ? error.code : undefined
  // A child that ended before it read its request (EPIPE) did start: what it said and how it ended tells more.
  if (error !== undefined && failure !== 'EPIPE') {
    throw failure === 'ETIMEDOUT' ? slowStart(id, options) : startFailure(id, options.python, error)
  }
  const answer = parsed(stdout)
  if (answer === null) throw badAnswer(id, options.python, status, signal, stderr)
  if ('refusal' in answer) throw refused(id, options.python, answer.refusal)
  const description = readDescription(id, answer.description)
  known.set(key, description)
  return description
}

export function observationSpaceOf({ observation }: Description): BoxSpace {
  return boxOf(observation)
}

export function actionSpaceOf({ action }: Description): Space {
  return action.kind === 'discrete' ? { kind: 'discrete', n: action.n } : boxOf(action)
}

function boxOf({ shape, low, high }: { readonly shape: readonly number[]; readonly low: Bound; readonly high: Bound }): BoxSpace {
  return boxSpace(shape, numbers(low), numbers(high))
}

function numbers(bound: Bound): number | number[] {
  return typeof bound === 'object' ? bound.map(Number) : Number(bound)
}

function parsed(text: string): { readonly description: unknown } | { readonly refusal: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && ('description' in value || 'refusal' in value) ? value : null
  } catch {
    return null
  }
}

/** `value` as a description, every length checked. Throws `environment_failed`. */
function readDescription(id: string, value: unknown): Description {
  const description = value as Description
  const limit = (steps: unknown) => steps === null || isCount(steps, Number.MAX_SAFE_INTEGER)
  const sound =
    isBox(description?.observation) &&
    ['u8', 'f32'].includes(description.observation.type) &&
    (description.action?.kind === 'discrete' ? isCount(description.action.n, 2 ** 31 - 1) : isBox(description.action)) &&
    (description.threshold === null || Number.isFinite(description.threshold)) &&
    limit(description.maxEpisodeSteps)
  if (sound) return description
  throw new GrapevineError('environment_failed', 'local', `Python described ${id} in a way that makes no sense: ${shown(value)}.`, { id })
}

function isBox(value: unknown): boolean {
  const { shape, low, high } = (value ?? {}) as { shape?: unknown; low?: Bound; high?: Bound }
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every((length) => isCount(length, OBSERVATION_NUMBERS_MAX))) return false
  const size = (shape as number[]).reduce((product, length) => product * length, 1)
  const isBound = (bound: Bound | undefined) =>
    bound !== undefined &&
    (typeof bound === 'object' ? bound.length === size : true) &&
    [bound].flat().every((element) => !Number.isNaN(Number(element)))
  return size <= OBSERVATION_NUMBERS_MAX && isBound(low) && isBound(high)
}

function isCount(value: unknown, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 200)
}
