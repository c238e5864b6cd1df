/** Eight averagers of hivemind in child processes (hivemind_round.py), made to average in turn with ours. */
import { join } from 'node:path'
import { type PythonProgram, startPython } from '../python.ts'

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
  readonly #program: PythonProgram

  private constructor(program: PythonProgram) {
    this.#program = program
    this.versions = JSON.parse(program.first)
    process.once('exit', () => this.close())
  }

  /** null: this Python has no hivemind, or there is no such Python. */
  static async start(python: string, peers: number, floats: number): Promise<Hivemind | null> {
    const script = join(import.meta.dirname, 'hivemind_round.py')
    const program = await startPython(python, script, [String(peers), String(floats)], { detached: true })
    return program === null ? null : new Hivemind(program)
  }

  /** Throws when it hangs or leaves. */
  async round(): Promise<Round> {
    this.#program.child.stdin.write('round\n')
    const timer = setTimeout(() => this.close(), HANGING_MS)
    const { value, done } = await this.#program.lines.next()
    clearTimeout(timer)
    if (done === true)
      throw new Error(
        `A round of hivemind did not end within ${HANGING_MS / 1_000} s, or its process left; run hivemind_round.py by hand to see why.`,
      )
    return JSON.parse(value)
  }

  /** With all the processes it has started. */
  close(): void {
    try {
      process.kill(-this.#program.child.pid!, 'SIGKILL')
    } catch {
      // They have gone by themselves.
    }
  }
}
