/** The real command in a process of its own, with a home folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const LAUNCHER = join(import.meta.dirname, '../../src/cli/grapevine.cjs')

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export function spawnCli(args: readonly string[], home: string) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return spawn(process.execPath, [LAUNCHER, ...args], { env: { ...env, HOME: home, USERPROFILE: home }, stdio: ['ignore', 'pipe', 'pipe'] })
}

export async function grapevine(args: readonly string[], home: string): Promise<Outcome> {
  const child = spawnCli(args, home)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}
