/** Reading an environment's options: unknown names and wrong values are said in words, never ignored. */
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'

/** A number that an environment takes as an option. */
export interface NumberOption {
  readonly initial: number
  /** Both bounds are allowed. */
  readonly min: number
  readonly max: number
  readonly whole?: boolean
  /** What it is, with its unit. */
  readonly meaning: string
}

/** The initial numbers with what `options` gives in their place. Throws `option` for another name, type, or a number out of its bounds. */
export function readNumbers<Name extends string>(
  id: string,
  options: Readonly<Record<string, unknown>>,
  known: Readonly<Record<Name, NumberOption>>,
): Readonly<Record<Name, number>> {
  const entries = Object.entries(known) as [Name, NumberOption][]
  const initial = Object.fromEntries(entries.map(([name, { initial }]) => [name, initial])) as Readonly<Record<Name, number>>
  const read = readOptions(id, options, initial)
  for (const [name, { min, max, whole = false }] of entries) {
    if (read[name] >= min && read[name] <= max && (!whole || Number.isInteger(read[name]))) continue
    const message = `Option "${name}" of ${id} must be ${whole ? 'a whole number ' : ''}from ${min} to ${max}, but it is ${read[name]}.`
    throw new GrapevineError('option', 'local', message, { id, option: name })
  }
  return read
}

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
