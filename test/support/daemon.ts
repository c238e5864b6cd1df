/**
 * Real daemons for end-to-end tests: one process each, its events read from stdout, its log kept for the message of a failure.
 * Tests wait on events with a deadline, never on time alone. Whatever happens to a test, its daemons die with it.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askDaemon } from '../../src/node/control.ts'
import type { PeerEvent, PeerStatus } from '../../src/observe/events.ts'

const LAUNCHER = join(import.meta.dirname, '../../src/cli/grapevine.cjs')
/** A daemon whose test process was killed outright ends by itself after this time. */
const ORPHAN_MINUTES = 10
/** Lines of log and events in the message of a failure. */
const SHOWN_LINES = 20
const LOOK_EVERY_MS = 100

type EventName = PeerEvent['event']
type EventNamed<Name extends EventName> = Extract<PeerEvent, { event: Name }>

const running = new Set<ChildProcess>()
const killAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}
process.once('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

export class TestDaemon {
  readonly events: PeerEvent[] = []
  readonly dataDir: string
  /** Resolves when the process has ended and all it printed was read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  readonly #name: string
  readonly #child: ChildProcess
  readonly #log: string[] = []
  readonly #checks = new Set<() => void>()
  #over = false

  private constructor(name: string, child: ChildProcessByStdio<null, Readable, Readable>, dataDir: string) {
    this.#name = name
    this.#child = child
    this.dataDir = dataDir
    createInterface(child.stdout).on('line', (line) => this.#onLine(line))
    createInterface(child.stderr).on('line', (line) => this.#log.push(line))
    this.ended = once(child, 'close').then(([code, signal]) => {
      running.delete(child)
      this.#over = true
      this.#check()
      return { code, signal }
    })
  }

  /** `grapevine ARGS --json` with a fresh data folder, unless `dataDir` is one; `before`: what runs it, such as a network namespace; `launcher` is another grapevine.cjs than the source tree's. */
  static spawn(
    context: Pick<TestContext, 'after'>,
    args: readonly string[],
    { launcher = LAUNCHER, dataDir = mkdtempSync(join(tmpdir(), 'grapevine-daemon-')), before = [] as readonly string[] } = {},
  ): TestDaemon {
    const until = args.includes('--until') ? [] : ['--until', `minutes=${ORPHAN_MINUTES}`]
    const [program = process.execPath, ...words] = [...before, process.execPath]
    const child = spawn(program, [...words, launcher, ...args, '--json', '--data-dir', dataDir, ...until], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    const daemon = new TestDaemon(`grapevine ${args.join(' ')}`, child, dataDir)
    context.after(async () => {
      await daemon.kill()
      rmSync(dataDir, { recursive: true, force: true })
    })
    return daemon
  }

  /**
   * The first event called `name` that `accept` takes, among those at index `from` and later; waits for it up to `deadlineMs`.
   * Rejects at the deadline, or when the daemon ends without it, with the last lines it printed.
   */
  event<Name extends EventName>(
    name: Name,
    deadlineMs: number,
    accept: (event: EventNamed<Name>) => boolean = () => true,
    from = 0,
  ): Promise<EventNamed<Name>> {
    let next = from
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(timer)
        this.#checks.delete(check)
        end()
      }
      const check = (): void => {
        const found = this.all(name, next).find(accept)
        next = this.events.length
        if (found !== undefined) finish(() => resolve(found))
        else if (this.#over) finish(() => reject(this.#failure(`ended without the awaited '${name}'`)))
      }
      const timer = setTimeout(() => finish(() => reject(this.#failure(`no such '${name}' within ${deadlineMs} ms`))), deadlineMs)
      this.#checks.add(check)
      check()
    })
  }

  /** All events called `name` so far, from index `from` on. */
  all<Name extends EventName>(name: Name, from = 0): EventNamed<Name>[] {
    return this.events.slice(from).filter((event): event is EventNamed<Name> => event.event === name)
  }

  /** How it stands, as soon as `accept` takes it; asks for that long. Rejects then with the last answer. */
  async status(deadlineMs: number, accept: (status: PeerStatus) => boolean = () => true): Promise<PeerStatus> {
    const endMs = performance.now() + deadlineMs
    for (;;) {
      // While it comes up, the answer is an error.
      const answer = await askDaemon(this.dataDir, 'status').catch((error: unknown) => String(error))
      if (typeof answer !== 'string' && accept(answer as PeerStatus)) return answer as PeerStatus
      if (performance.now() >= endMs) throw this.#failure(`no such status within ${deadlineMs} ms; the last: ${JSON.stringify(answer)}`)
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Of the process; with `before`, of what runs it. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What it wrote to its log so far. */
  get log(): readonly string[] {
    return this.#log
  }

  /** Ends it without warning; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** SIGSTOP holds it still, SIGCONT lets it go on. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Asks it to leave; resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return (await this.ended).code
  }

  #onLine(line: string): void {
    try {
      this.events.push(JSON.parse(line) as PeerEvent)
    } catch {
      this.#log.push(`not an event: ${line}`)
    }
    this.#check()
  }

  #check(): void {
    for (const check of [...this.#checks]) check()
  }

  #failure(what: string): Error {
    const events = this.events.slice(-SHOWN_LINES).map((event) => JSON.stringify(event))
    const log = this.#log.slice(-SHOWN_LINES)
    return new Error([`${this.#name}: ${what}`, 'last events:', ...events, 'last log lines:', ...log].join('\n  '))
  }
}
