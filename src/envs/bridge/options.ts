/**
 * The options of a bridged environment: a few of the bridge's own, and the arguments that `gymnasium.make` passes to the environment.
 *
 *   makeVectorEnv('gym:ALE/Pong-v5', 8, { python: '/opt/venv/bin/python', processes: 4, obs_type: 'ram' })
 */
import { GrapevineError } from '../../util/errors.ts'
import { PROCESSES_MAX, START_TIMEOUT_MS, STEP_TIMEOUT_MS } from './limits.ts'

export interface BridgeOptions {
  /** The command that starts Python 3. Never to be taken from another machine. */
  readonly python: string
  /** Children that share the rows of a vector environment; at most one for each row. */
  readonly processes: number
  /** How long Python may take to have the environments ready. */
  readonly startTimeoutMs: number
  /** How long one step or reset of all rows may take before the child counts as hung. */
  readonly stepTimeoutMs: number
  /** Keyword arguments of the environment. */
  readonly arguments: Readonly<Record<string, string | number | boolean | null>>
}

/** Options that are each machine's own: what another machine says of them is not to be followed. */
export const LOCAL_OPTIONS = ['python', 'processes', 'startTimeoutMs', 'stepTimeoutMs'] as const satisfies readonly (keyof BridgeOptions)[]

/** Throws `option` for a value that cannot be. Names that are not the bridge's go to the environment, which knows them or refuses them. */
export function readBridgeOptions(id: string, options: Readonly<Record<string, unknown>>): BridgeOptions {
  const { python = 'python3', processes = 1, startTimeoutMs = START_TIMEOUT_MS, stepTimeoutMs = STEP_TIMEOUT_MS, ...given } = options
  if (typeof python !== 'string' || python === '' || python.includes('\0'))
    throw wrong(id, 'python', 'must be the command that starts Python 3')
  for (const [name, value] of Object.entries(given)) {
    const scalar = value === null || ['string', 'boolean'].includes(typeof value) || (typeof value === 'number' && Number.isFinite(value))
    if (!scalar) throw wrong(id, name, 'must be text, a finite number, true, false or null')
  }
  return {
    python,
    processes: whole(id, 'processes', processes, PROCESSES_MAX),
    startTimeoutMs: whole(id, 'startTimeoutMs', startTimeoutMs, 2 ** 31 - 1),
    stepTimeoutMs: whole(id, 'stepTimeoutMs', stepTimeoutMs, 2 ** 31 - 1),
    arguments: given as BridgeOptions['arguments'],
  }
}

function whole(id: string, name: string, value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw wrong(id, name, `must be an integer from 1 to ${most}`)
}

function wrong(id: string, name: string, what: string): GrapevineError {
  return new GrapevineError('option', 'local', `Option "${name}" of ${id} ${what}.`, { id, option: name })
}
