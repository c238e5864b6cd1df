/** Reading an environment's options: unknown names and wrong values are said in words, never ignored. */
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'

/** Throws `option` when any option is given: for environments without. */
export function refuseOptions(id: string, options: Readonly<Record<string, unknown>>): void {
  readOptions(id, options, {})
}

/**
 * `defaults` with what `options` gives in their place. Throws `option` for a name that `defaults` lacks and for a value of another type
 * than the default's (numbers must be finite).
 */
export function readOptions<Options extends Readonly<Record<string, number | boolean | string>>>(
  id: string,
  options: Readonly<Record<string, unknown>>,
  defaults: Options,
): Options {
  const names = Object.keys(defaults)
  for (const [name, value] of Object.entries(options)) {
    const fallback = defaults[name]
    if (fallback === undefined) {
      const known =
        names.length === 0 ? 'it has none' : `it has ${(nearest(name, names)[0] === undefined ? names : nearest(name, names)).join(', ')}`
      throw new GrapevineError('option', 'local', `${id} has no option "${name}"; ${known}.`, { id, option: name })
    }
    if (typeof value !== typeof fallback || (typeof value === 'number' && !Number.isFinite(value)))
      throw new GrapevineError(
        'option',
        'local',
        `Option "${name}" of ${id} must be a ${typeof fallback}, but it is ${JSON.stringify(value)}.`,
        {
          id,
          option: name,
        },
      )
  }
  return { ...defaults, ...options }
}
