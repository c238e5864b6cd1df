/**
 * An environment from a module of the user's own. The command line imports the file and passes what it exports; here it is read and
 * registered. Expected: `make(options)`, and of `id`, `description`, `threshold`, `maxEpisodeSteps` and `makeVector` what applies.
 */
import { GrapevineError } from '../util/errors.ts'
import { registerEnv } from './registry.ts'
import type { EnvironmentSpec } from './types.ts'

/**
 * Registers what the module `file` exports and returns its id (by default the file's name with "-v0"). `version` should be a digest of the
 * file, so that only peers with the very same file join. Throws `environment_module`, naming the file and what is amiss.
 */
export function registerModule(file: string, exported: Readonly<Record<string, unknown>>, version: string): string {
  const { make, makeVector, id = idOf(file), description = `from ${file}`, threshold = null, maxEpisodeSteps = null } = exported
  const amiss = (what: string): GrapevineError =>
    new GrapevineError('environment_module', 'local', `The module ${file} cannot serve as an environment: ${what}`, { file })
  const names = Object.keys(exported)
  if (make === undefined) throw amiss(`it must export a function "make", but exports ${names.length === 0 ? 'nothing' : names.join(', ')}.`)
  if (typeof make !== 'function') throw amiss('its export "make" must be a function that returns an environment.')
  if (makeVector !== undefined && typeof makeVector !== 'function') throw amiss('its export "makeVector" must be a function.')
  if (typeof id !== 'string') throw amiss('its export "id" must be a text such as "Corridor-v0".')
  if (typeof description !== 'string') throw amiss('its export "description" must be a text.')
  if (threshold !== null && !Number.isFinite(threshold)) throw amiss('its export "threshold" must be a number or null.')
  if (maxEpisodeSteps !== null && !(Number.isInteger(maxEpisodeSteps) && (maxEpisodeSteps as number) >= 1))
    throw amiss('its export "maxEpisodeSteps" must be an integer of at least 1, or null.')
  registerEnv(id, {
    version,
    description,
    threshold: threshold as number | null,
    maxEpisodeSteps: maxEpisodeSteps as number | null,
    make: make as EnvironmentSpec['make'],
    ...(makeVector === undefined ? {} : { makeVector: makeVector as NonNullable<EnvironmentSpec['makeVector']> }),
  })
  return id
}

/** "./envs/my-env.ts" becomes "my-env-v0". */
function idOf(file: string): string {
  const name = file.split(/[/\\]/).at(-1) ?? ''
  return `${name.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9_.-]/g, '-')}-v0`
}
