/** Eight averagers of hivemind in child processes (hivemind_round.py), made to average in turn with ours. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Milliseconds after which a round of hivemind counts as hanging: its own limit is 60 s. */
const HANGING_MS = 90_000

export interface Round {
  readonly milliseconds: number
  /** All were averaged in one group. */
  readonly together: boolean
}

export class Hivemind {
  /** What the first line says: versions. */
  readonly versions: unknown
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, lines: AsyncIterator<string>, versions: unknown) {
    this.#child = child
    this.#lines = lines
    this.versions = versions
  }

  /** null: this Python has no hivemind, or there is no such Python. */
  static async start(python: string, peers: number, floats: number): Promise<Hivemind | null> {
    const child = spawn(python, [join(import.meta.dirname, 'hivemind_round.py'), String(peers), String(floats)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
      detached: true,
    })
    child.on('error', () => {})
    child.stdin.on('error', () => {})
    process.once('exit', () => stop(child))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const first = await lines.next()
    return first.done === true ? null : new Hivemind(child, lines, JSON.parse(first.value))
  }

  /** Throws when it hangs or leaves. */
  async round(): Promise<Round> {
    this.#child.stdin.write('round\n')
    const timer = setTimeout(() => this.close(), HANGING_MS)
    const { value, done } = await this.#lines.next()
    clearTimeout(timer)
    if (done === true)
      throw new Error(
        `A round of hivemind did not end within ${HANGING_MS / 1_000} s, or its process left; run hivemind_round.py by hand to see why.`,
      )
    return JSON.parse(value)
  }

  close(): void {
    stop(this.#child)
  }
}

/** With all the processes it has started. */
function stop({ pid }: { readonly pid?: number | undefined }): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // They have gone by themselves.
  }
}
