/**
 * Runs one simulation in the foreground: JSON lines for a program, a bar that moves on a terminal, a plain line every 5 s elsewhere, a table at
 * the end. A signal ends it after the round under way; the summary then tells of the rounds that were made.
 */
import { systemClock } from '../node/clock.ts'
import { plural } from '../observe/format.ts'
import { type SimulationReport, simulationPage } from '../observe/simulation-page.ts'
import { simulationLine, simulationTable } from '../observe/simulation-text.ts'
import { paint } from '../observe/terminal.ts'
import type { Fault } from '../peer/settings/faults.ts'
import type { Founding } from '../peer/settings/founding.ts'
import { readHttp } from '../peer/settings/readers.ts'
import { resolveSimulation, type SimulateFlags, type SimulateSettings } from '../sim/options.ts'
import { runSimulation, type SimulationHooks, type SimulationResult } from '../sim/simulate.ts'
import { messageOf } from '../util/errors.ts'
import type { Context } from './command.ts'
import { readBounded } from './config-file.ts'
import { DONE } from './exit.ts'
import type { Io } from './io.ts'
import { LIVE_PERIOD_MS, PLAIN_PERIOD_MS } from './limits.ts'
import { writePage } from './page-file.ts'
import { pageParts } from './page-parts.ts'
import type { WatchedSimulation, watchSimulation } from './watched-simulation.ts'

export interface PrintOptions {
  readonly json: boolean
  readonly verbose: boolean
  /** Where the page goes; null: no page. */
  readonly report: string | null
  /** Where a page shows it live; null: nowhere. */
  readonly http: string | null
}

const CLEAR_LINE = '\r\u001b[2K'

export async function simulateInForeground(flags: SimulateFlags, options: PrintOptions, { io, version }: Context): Promise<number> {
  const { json, report } = options
  const faults: Fault[] = []
  const address = pageAddress(options.http, faults)
  const settings = resolveSimulation({ ...flags, scenario: await readScenarioFile(flags.scenario, faults) }, faults)
  const leaving = new AbortController()
  const leave = () => {
    leaving.abort()
    page?.goOn()
  }
  const announce = (opened: PageOpened) => io.out.write(json ? listeningLine(opened) : pageLines(opened, io))
  // Only a page needs the server.
  const page = address === null ? null : (await import('./watched-simulation.ts')).watchSimulation(settings, address, leave, announce)
  let signals = 0
  const release = io.onLeave(() => {
    if (++signals > 1) io.exit(DONE)
    leave()
  })
  const startedAtMs = systemClock.now()
  const own: SimulationHooks = json ? printed(io, options.verbose) : { onRound: progressShown(settings, io, startedAtMs) }
  try {
    // Before an hour of simulating, not after it.
    if (report !== null) await writePage(report, '--report', '')
    const result = await runSimulation(settings, { signal: leaving.signal, ...(page === null ? own : both(page.hooks, own)) })
    page?.end(result.summary.rounds)
    if (json) io.out.write(`${JSON.stringify(result.summary)}\n`)
    else {
      if (io.out.isTerminal) io.out.write(CLEAR_LINE)
      io.out.write(`${simulationTable(result.summary, result.curves, systemClock.now() - startedAtMs).join('\n')}\n`)
    }
    if (report !== null)
      await writePage(report, '--report', simulationPage(described(settings, result, version), await pageParts('simulation-page')))
    if (page !== null && !json && io.out.isTerminal && !leaving.signal.aborted) {
      io.out.write('The page stays until Ctrl-C.\n')
      await aborted(leaving.signal)
    }
    return DONE
  } finally {
    await page?.close()
    release()
  }
}

/** null where none was given, or it is wrong: then `faults` says so. */
function pageAddress(given: string | null, faults: Fault[]): { readonly host: string; readonly port: number } | null {
  if (given === null) return null
  const read = readHttp(given)
  if ('value' in read) return read.value
  faults.push({ code: 'usage', message: `--http ${read.fault}.` })
  return null
}

type PageOpened = Parameters<Parameters<typeof watchSimulation>[3]>[0]

/** As a daemon says it: nobody can dial a simulated peer. */
function listeningLine({ url, peer, run }: PageOpened): string {
  return `${JSON.stringify({ event: 'listening', addresses: [], peer, run, http: url })}\n`
}

/** A log keeps what a terminal forgets, so the token goes to terminals only. */
function pageLines({ url, token }: PageOpened, { out }: Io): string {
  return `  dashboard    ${url}\n${out.isTerminal ? `  its token    ${token}\n` : ''}`
}

function printed(io: Io, verbose: boolean): SimulationHooks {
  return {
    onEvent: (event) => {
      if (event.event !== 'mix' || verbose) io.out.write(`${JSON.stringify(event)}\n`)
    },
    onFault: (record) => io.out.write(`${JSON.stringify({ event: 'fault', ...record })}\n`),
  }
}

/** A bar that moves on a terminal, a plain line now and then elsewhere. */
function progressShown({ rounds }: SimulateSettings, io: Io, startedAtMs: number): NonNullable<SimulationHooks['onRound']> {
  let shownAtMs = startedAtMs
  const { dim } = paint(io.out.isTerminal && (io.env.NO_COLOR ?? '') === '')
  return (round, curves) => {
    const nowMs = systemClock.now()
    if (nowMs - shownAtMs < (io.out.isTerminal ? LIVE_PERIOD_MS : PLAIN_PERIOD_MS)) return
    shownAtMs = nowMs
    const elapsedMs = nowMs - startedAtMs
    const line = simulationLine({ round, rounds, curves, elapsedMs, columns: io.out.columns, bar: io.out.isTerminal })
    io.out.write(io.out.isTerminal ? CLEAR_LINE + dim(line) : `${line}\n`)
  }
}

/** Everything goes to the page and to whoever prints. */
function both(page: WatchedSimulation['hooks'], own: SimulationHooks): SimulationHooks {
  return {
    ...page,
    onEvent: (event) => {
      page.onEvent(event)
      own.onEvent?.(event)
    },
    onFault: (record) => {
      page.onFault(record)
      own.onFault?.(record)
    },
    onRound: (round, curves, replicas) => {
      page.onRound(round, curves, replicas)
      own.onRound?.(round, curves, replicas)
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function readScenarioFile(path: unknown, faults: Fault[]): Promise<{ readonly name: string; readonly text: string } | undefined> {
  if (typeof path !== 'string') return undefined
  try {
    return { name: path, text: await readBounded(path) }
  } catch (error) {
    faults.push({
      code: 'scenario',
      message: `Cannot read the scenario ${path}: ${messageOf(error)}.`,
    })
    return undefined
  }
}

function described(settings: SimulateSettings, result: SimulationResult, version: string): SimulationReport {
  const { nodes, mode, learning, peer } = settings
  const { strategy, codec } = result.averaging
  const { environment, algorithm, seed } = (peer.run as { readonly found: Founding }).found
  const title = learning ? `${environment} with ${algorithm}` : `Averaging alone, ${result.summary.nodes} replicas`
  const how = mode === 'lockstep' ? 'in lock step' : 'free running'
  const subtitle = `${plural(nodes, 'peer')} ${how}, strategy ${strategy}, codec ${codec}, seed ${seed}`
  return { ...result, title, subtitle, axis: mode === 'lockstep' ? 'rounds' : 'seconds', version }
}
