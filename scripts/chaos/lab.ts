/**
 * Where a case runs: starts daemons, counts what is injected, records what is checked, and looks after the invariants that hold in every case:
 * I1 honest processes live, no unhandled rejection; I2 learning goes on (updates per CPU second of the learner's thread); I3 memory is bounded;
 * I4 sockets and threads come back to what they were; I5 the fault really happened; I6 refusals appear as counters. Whatever happens, `close` leaves no process and no network behind.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { askDaemon } from '../../src/node/control.ts'
import type { PeerStatus } from '../../src/observe/events.ts'
import { TestDaemon } from '../../test/support/daemon.ts'
import { parsePrometheus } from '../../test/support/prometheus.ts'
import type { Check } from './case.ts'

/** Bytes of a frame of float32 parameters beside them, where there are no normalisers. */
export const FRAME_OVERHEAD_BYTES = 137

/** Starting a daemon on a machine with much else to do. */
export const START_MS = 120_000

/** How often a join that runs out of time is begun, at most. */
const JOIN_ATTEMPTS = 3

/** Flags of daemons where many share a few cores and learning itself is not what is tried: a learner alone would take a whole core. */
export const GENTLE: readonly string[] = ['--set', 'maxStepsPerSecond=2000']

/** I4: file descriptors and threads of an honest peer may be so many more than before, this long after the fault has ended. */
const HANDLES_MORE = 8
const HANDLES_BACK_MS = 60_000

/** Bytes by which the memory of an honest peer may grow during a case. */
const MEMORY_BOUND_BYTES = 96 * 1_048_576

export class Lab {
  readonly seed: number
  readonly checks: Check[] = []
  readonly daemons: TestDaemon[] = []
  readonly #endings: (() => unknown)[] = []
  readonly #expectedToEnd = new Set<TestDaemon>()
  readonly #settling: { readonly daemon: TestDaemon; readonly before: Handles; readonly endedAtMs: number }[] = []
  readonly #outOfTime = new Set<TestDaemon>()
  injected = 0

  constructor(seed: number) {
    this.seed = seed
  }

  /** Runs when the case is over, the latest first. */
  after(ending: () => unknown): void {
    this.#endings.push(ending)
  }

  check(what: string, ok: boolean, value?: unknown): void {
    this.checks.push({ what, ok, ...(value === undefined ? {} : { value }) })
  }

  spawn(args: readonly string[], options: { readonly before?: readonly string[]; readonly dataDir?: string } = {}): TestDaemon {
    const daemon = TestDaemon.spawn({ after: (ending: () => unknown) => this.after(ending) } as never, args, options)
    this.daemons.push(daemon)
    return daemon
  }

  /** A founder and `count - 1` joiners, all of which know each other. */
  async swarm(count: number, flags: readonly string[] = []): Promise<TestDaemon[]> {
    const founder = this.spawn(['start', '--seed', String(this.seed), ...flags])
    const address = await addressOf(founder)
    const joiners = Array.from({ length: count - 1 }, () => this.spawn(['join', address, ...localOnly(flags)]))
    const all = [founder, ...joiners]
    await Promise.all(all.map((daemon) => daemon.event('stats', START_MS, ({ peers }) => peers === count - 1)))
    return all
  }

  /** A peer that joins by `args` and has mixed. On a machine without time to spare a join may be told to try again, and is begun again. */
  async joined(args: readonly string[]): Promise<TestDaemon> {
    for (let attempt = 1; ; attempt++) {
      const daemon = this.spawn(args)
      try {
        await daemon.event('mix', START_MS)
        return daemon
      } catch (error) {
        if (attempt === JOIN_ATTEMPTS || daemon.all('error').at(-1)?.code !== 'timeout') throw error
        this.#outOfTime.add(daemon)
      }
    }
  }

  /** Joins that ran out of time and were begun again. */
  get joinedAgain(): number {
    return this.#outOfTime.size
  }

  /** It ends in this case, and that is right. */
  mayEnd(daemon: TestDaemon): void {
    this.#expectedToEnd.add(daemon)
  }

  /** I1 for all daemons, with what they wrote. */
  checkAlive(): void {
    const honest = this.daemons.filter((daemon) => !this.#expectedToEnd.has(daemon) && !this.#outOfTime.has(daemon))
    const dead = honest.filter((daemon) => !isAlive(daemon))
    this.check(
      'I1: honest peers live',
      dead.length === 0,
      dead.flatMap((daemon) => daemon.log.slice(-3)),
    )
    const bad = this.daemons.flatMap((daemon) => daemon.log).filter((line) => /unhandled|uncaught/i.test(line))
    this.check('I1: no unhandled rejection', bad.length === 0, bad.slice(0, 3))
    const broken = this.daemons.filter((daemon) => !this.#outOfTime.has(daemon)).flatMap((daemon) => daemon.all('error'))
    const errors = broken.filter(({ code }) => !['out_of_memory', 'not_admitted'].includes(code))
    this.check('I2: no learner failed, no replica that is not finite', errors.length === 0, errors.slice(0, 3))
  }

  /** Runs `fault` and compares what the learner of `daemon` made of its CPU time before and meanwhile (I2), and its memory (I3). */
  async during(daemon: TestDaemon, fault: () => Promise<void>, { share = 0.8, baselineMs = 4_000 } = {}): Promise<void> {
    const before = await rate(daemon, () => sleep(baselineMs))
    const memory = memoryOf(daemon)
    const handles = handlesOf(daemon)
    const meanwhile = await rate(daemon, fault)
    const ratio = meanwhile / before
    this.check(`I2: at least ${share} of the fault-free updates per CPU second of the learner`, ratio >= share, round(ratio))
    const grown = memoryOf(daemon) - memory
    this.check('I3: memory bounded', grown <= MEMORY_BOUND_BYTES, `${Math.round(grown / 1_048_576)} MiB more`)
    this.#settling.push({ daemon, before: handles, endedAtMs: performance.now() })
  }

  /** I4 for the daemons that `during` watched: asked last, because enemies must have gone. */
  async checkHandles(): Promise<void> {
    for (const { daemon, before, endedAtMs } of this.#settling) {
      let now = handlesOf(daemon)
      while (now.open > before.open + HANDLES_MORE || now.threads > before.threads) {
        if (performance.now() - endedAtMs > HANDLES_BACK_MS) break
        await sleep(500)
        now = handlesOf(daemon)
      }
      const back = now.open <= before.open + HANDLES_MORE && now.threads <= before.threads
      this.check('I4: sockets and threads are back within 60 s', back, { before, now })
    }
  }

  /** I6: the sum of the counters whose name matches. */
  async checkRefused(daemon: TestDaemon, name: RegExp): Promise<void> {
    const counters = await countersOf(daemon)
    const found = Object.entries(counters).filter(([key, value]) => name.test(key) && value > 0)
    this.check(`I6: refusals are counted (${name.source})`, found.length > 0, Object.fromEntries(found))
  }

  async close(): Promise<void> {
    for (const ending of this.#endings.reverse()) {
      try {
        await ending()
      } catch (error) {
        console.error(`cleaning up failed: ${error}`)
      }
    }
  }
}

export async function addressOf(daemon: TestDaemon): Promise<string> {
  const [address] = (await daemon.event('listening', START_MS)).addresses
  if (address === undefined) throw new Error('a daemon listens nowhere')
  return address
}

async function statusOf(daemon: TestDaemon): Promise<PeerStatus> {
  return (await askDaemon(daemon.dataDir, 'status')) as PeerStatus
}

export async function countersOf(daemon: TestDaemon): Promise<Readonly<Record<string, number>>> {
  return (await statusOf(daemon)).counters
}

/** Of the process, its threads' included. */
export function memoryOf(daemon: TestDaemon): number {
  const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]
  return Number(pages) * 1_024
}

export interface Handles {
  readonly open: number
  readonly threads: number
}

/** Of the process: file descriptors, sockets among them, and threads. */
export function handlesOf(daemon: TestDaemon): Handles {
  const count = (what: string) => readdirSync(`/proc/${daemon.pid}/${what}`).length
  return { open: count('fd'), threads: count('task') }
}

/** Waits for `daemon` to mix after now; resolves with the milliseconds it took. */
export async function nextMix(daemon: TestDaemon, deadlineMs: number, by?: string): Promise<number> {
  const began = performance.now()
  await daemon.event('mix', deadlineMs, (mix) => by === undefined || mix.with === by, daemon.events.length)
  return performance.now() - began
}

/** Every daemon mixes one of `others` within the deadline; the longest wait. */
export async function allMix(daemons: readonly TestDaemon[], others: readonly string[], deadlineMs: number): Promise<number> {
  const began = performance.now()
  const waits = daemons.map((daemon) =>
    daemon
      .event('mix', deadlineMs, (mix) => others.includes(mix.with), daemon.events.length)
      .then(
        () => performance.now() - began,
        () => Number.POSITIVE_INFINITY,
      ),
  )
  return Math.round(Math.max(...(await Promise.all(waits))))
}

/** Flags that only a founder takes. */
const FOUNDING = ['--env', '--algo', '--strategy', '--codec', '--period', '--preset', '--partner', '--server']

function localOnly(flags: readonly string[]): string[] {
  return flags.filter((flag, i) => !FOUNDING.includes(flag) && !FOUNDING.includes(flags[i - 1] ?? ''))
}

function isAlive(daemon: TestDaemon): boolean {
  try {
    process.kill(daemon.pid, 0)
    return true
  } catch {
    return false
  }
}

export async function learned(daemon: TestDaemon): Promise<{ readonly updates: number; readonly cpuSeconds: number }> {
  const { http } = await daemon.event('listening', START_MS)
  const families = parsePrometheus(await (await fetch(new URL('metrics', http ?? ''))).text())
  const value = (name: string) => families.get(name)?.samples[0]?.value ?? Number.NaN
  return { updates: value('grapevine_updates_total'), cpuSeconds: value('grapevine_learner_cpu_seconds_total') }
}

async function rate(daemon: TestDaemon, meanwhile: () => Promise<unknown>): Promise<number> {
  const before = await learned(daemon)
  await meanwhile()
  const after = await learned(daemon)
  return (after.updates - before.updates) / (after.cpuSeconds - before.cpuSeconds)
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
