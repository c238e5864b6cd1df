/**
 * How to write this program's name so that a pasted line starts it: through npm where npm started it, by its bare name where the shell would
 * find this very file, else by the path of node and of the launcher.
 */
import { realpathSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'

export interface Started {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The launcher as it was named: process.argv[1]. */
  readonly launcher: string
  /** process.execPath */
  readonly node: string
  readonly cwd: string
}

export function programWords({ env, launcher, node, cwd }: Started): string {
  if (env.npm_package_name === 'grapevine-rl' && (env.npm_lifecycle_event ?? '') !== '') return 'npm run grapevine --'
  // What `npx` or `npm exec` put into PATH is gone when the line is pasted.
  const path = env.npm_command === 'exec' ? [] : (env.PATH ?? env.Path ?? '').split(delimiter)
  const finds = (name: string, file: string) => firstOnPath(path, name) === real(file)
  if (finds('grapevine', launcher)) return 'grapevine'
  const shown = relative(cwd, launcher)
  const short = shown !== '' && !shown.startsWith('..') && shown.length < launcher.length ? shown : launcher
  return `${finds('node', node) ? 'node' : quoted(node)} ${quoted(short)}`
}

function firstOnPath(path: readonly string[], name: string): string | null {
  for (const folder of path) {
    const found = folder === '' ? null : real(join(folder, name))
    if (found !== null) return found
  }
  return null
}

function real(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

/** `path` as one writes it in a shell. */
export function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`
}
