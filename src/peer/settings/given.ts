/** What a person gave, by flags or in a file: the names that are known and belong there, with values that the schema takes. */
import { FOUNDING_NAMES, type GivenSettings, SETTING_NAMES, settingsSchema } from '../settings-schema.ts'
import { type Faults, hint } from './faults.ts'
import { DEFAULT_ENVIRONMENT } from './founding.ts'

/** How one command prints is no setting of a daemon. */
const LINE_ONLY = ['config', 'quiet', 'verbose', 'json', 'dry-run']

/** For tests; never suggested. */
const HIDDEN_NAME = 'wait-for-peers'

/** Reads the flags, or the file at `path`. What is wrong goes to `faults`, the rest is returned. */
export function readGiven(values: unknown, command: 'start' | 'join', path: string | null, faults: Faults): GivenSettings {
  if (values === null || typeof values !== 'object' || Array.isArray(values)) {
    faults.add('usage', `The settings in ${path} must be a map of names to values, such as "env: ${DEFAULT_ENVIRONMENT}"`)
    return {}
  }
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  const refuse = (name: string, code: string, message: string) => {
    if (!faults.wasTold(name)) faults.add(code, `${path === null ? `--${name}` : `"${name}" in ${path}`} ${message}`, name)
    delete given[name]
  }
  const known = command === 'start' ? SETTING_NAMES : SETTING_NAMES.filter((name) => !FOUNDING_NAMES.includes(name))
  const suggested = known.filter((name) => name !== HIDDEN_NAME)
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    if (FOUNDING_NAMES.includes(name)) refuse(name, 'usage', 'is decided by the run that you join; leave it out.')
    else if (LINE_ONLY.includes(name)) refuse(name, 'usage', `is for the command line only; write --${name} there.`)
    else refuse(name, 'usage', `is no setting; ${hint(name, suggested)}`)
  }
  const read = settingsSchema.safeParse(given)
  for (const issue of read.error?.issues ?? []) {
    const code = issue.code === 'custom' ? String(issue.params?.code) : 'usage'
    refuse(String(issue.path[0]), code, issue.message)
  }
  return settingsSchema.parse(given)
}
