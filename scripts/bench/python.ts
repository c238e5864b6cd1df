/** Python programs beside a bench, which are asked and answer in lines, on one thread. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export interface PythonProgram {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** What it says after its first line. */
  readonly lines: AsyncIterator<string>
  /** Its first line: it has all that it needs. */
  readonly first: string
}

/** null: it ended before it said a word, or there is no such Python. `detached`: in a group of processes of its own. */
export async function startPython(
  python: string,
  script: string,
  args: readonly string[] = [],
  { detached = false } = {},
): Promise<PythonProgram | null> {
  const child = spawn(python, [script, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    detached,
  })
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const first = await lines.next()
  return first.done === true ? null : { child, lines, first: first.value }
}
