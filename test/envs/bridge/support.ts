/** What the tests of the bridge share: a stand-in for Python, the processes of this one, and buffers. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { VectorBuffers } from '../../../src/envs/types.ts'

/** A folder that goes with its test. */
export function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'grapevine-bridge-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A command that runs `script` of the shell, called python3, in a folder of its own. */
export function command(context: TestContext, script: string): string {
  const path = join(folder(context), 'python3')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const FAKE = fileURLToPath(new URL('./fake-child.ts', import.meta.url))

const DESCRIPTION = JSON.stringify({
  observation: { shape: [2], type: 'f32', low: 0, high: 'Infinity' },
  action: { kind: 'discrete', n: 2 },
  threshold: 7.5,
  maxEpisodeSteps: 20,
})
const DESCRIBED = JSON.stringify({ description: JSON.parse(DESCRIPTION) })

/**
 * The stand-in for Python as options of an environment, and the ids of its processes in the order in which they began. `describe` is what
 * the shell does where Python would describe the environment.
 */
export function fake(
  context: TestContext,
  describe = `echo '${DESCRIBED}'`,
): { readonly options: { python: string; starts: string }; readonly pids: () => number[] } {
  const starts = join(folder(context), 'starts')
  writeFileSync(starts, '')
  const serve = `FAKE_DESCRIPTION='${DESCRIPTION}' exec "${process.execPath}" "${FAKE}" "$@"`
  const python = command(context, `if [ "$2" = --describe ]; then cat >/dev/null; ${describe}; else ${serve}; fi`)
  return { options: { python, starts }, pids: () => readFileSync(starts, 'utf8').trim().split('\n').map(Number) }
}

/** Ids of the children of this process that run bridge.py. */
export function children(): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, state, ...words]) => Number(parent) === process.pid && !state!.startsWith('Z') && words.join(' ').includes('bridge.py'),
    )
    .map(([pid]) => Number(pid))
}

/** Threads of this process, where the system tells; else none. */
export function threads(): number {
  return existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export function buffers(rows: number, width: number): VectorBuffers {
  return {
    observations: new Float32Array(rows * width),
    rewards: new Float32Array(rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
    finalObservations: new Float32Array(rows * width),
  }
}

/** Can python3 import these modules? */
export function imports(modules: string): boolean {
  return spawnSync('python3', ['-c', `import ${modules}`], { stdio: 'ignore' }).status === 0
}

/**
 * Why tests that need Gymnasium are skipped; false where python3 has it. Where CI is true they are never skipped: it installs gymnasium and
 * ale-py, and a test that cannot find them shall fail.
 */
export function withoutGymnasium(): string | false {
  if (process.env.CI === 'true') return false
  return imports('gymnasium, ale_py')
    ? false
    : 'python3 cannot import gymnasium and ale_py; install them with: pip install gymnasium ale-py'
}
