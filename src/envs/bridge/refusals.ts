/** Why a bridged environment cannot be, each as one sentence with what to do. */
import { GrapevineError } from '../../util/errors.ts'
import { nearest } from '../../util/nearest.ts'
import { gymnasiumId } from './script.ts'

/** The command could not be started. */
export function startFailure(id: string, python: string, error: Error): GrapevineError {
  const missing = 'code' in error && error.code === 'ENOENT'
  return new GrapevineError(
    'python_missing',
    'local',
    missing
      ? `${id} needs Python, but there is no command "${python}" here; install Python 3, then gymnasium with: ${python} -m pip install gymnasium`
      : `${id} needs Python, but "${python}" cannot be started (${error.message}); check the command.`,
    { id, python },
  )
}

export function slowStart(
  id: string,
  { python, startTimeoutMs }: { readonly python: string; readonly startTimeoutMs: number },
): GrapevineError {
  return new GrapevineError(
    'environment_failed',
    'local',
    `${id} was not ready after ${startTimeoutMs} ms in "${python}"; start it there by hand to see where it hangs, or raise the option startTimeoutMs.`,
    { id, python },
  )
}

/** Python ended without an answer. */
export function badAnswer(id: string, python: string, status: number | null, signal: string | null, stderr: string): GrapevineError {
  return new GrapevineError('environment_failed', 'local', `${id} cannot be made: "${python}" ${ending(status, signal, stderr)}.`, {
    id,
    python,
  })
}

/** "ended with code 1 (ImportError: no numpy)". */
export function ending(status: number | null, signal: string | null, stderr: string): string {
  const last = stderr.trimEnd().split('\n').at(-1)?.trim().slice(0, 200)
  return `${signal === null ? `ended with code ${status}` : `was killed by ${signal}`}${last ? ` (its last words: ${last})` : ''}`
}

/** What bridge.py's Refusal says. */
export function refused(id: string, python: string, refusal: unknown): GrapevineError {
  const said = (refusal ?? {}) as Readonly<Record<string, unknown>>
  const fail = (code: string, message: string, data: Readonly<Record<string, unknown>> = {}) =>
    new GrapevineError(code, 'local', message, { id, python, ...data })
  switch (said.code) {
    case 'package':
      return fail(
        'python_package_missing',
        `${id} needs the Python package ${said.package}, which "${python}" does not have; install it with: ${python} -m pip install ${said.install}`,
        { package: said.package },
      )
    case 'version':
      return fail(
        'python_package_missing',
        `${id} needs gymnasium 1.0 or later, but "${python}" has ${said.version}; upgrade it with: ${python} -m pip install --upgrade gymnasium`,
        { package: 'gymnasium' },
      )
    case 'dependency':
      return fail('python_package_missing', `${id} cannot be made because something is missing in "${python}": ${said.message}`)
    case 'unknown': {
      const like = nearest(id, ids(said.ids))
      const hint = like.length === 0 ? 'check its spelling.' : `did you mean ${like.join(' or ')}?`
      return fail('unknown_environment', `Gymnasium in "${python}" has no environment "${gymnasiumId(id)}"; ${hint}`, { nearest: like })
    }
    case 'space':
      return fail(
        'unsupported_space',
        `${id} has the ${said.which} space ${said.space}, which the bridge cannot carry: it takes Box or Discrete observations, and Discrete or floating-point Box actions.`,
        { space: said.space },
      )
    case 'shape':
      return fail(
        'observation',
        `${id} returned an observation of shape [${said.got}] where its space says [${said.expected}]; correct the environment.`,
      )
    default:
      return fail('environment_failed', `${id} raised an error in ${said.what}: ${said.message}`)
  }
}

function ids(value: unknown): string[] {
  return Array.isArray(value) ? value.map((id) => `gym:${id}`) : []
}
