/**
 * Runs one simulation in the foreground: JSON lines for a program, a bar that moves on a terminal, a plain line every 5 s elsewhere, a table at
 * the end. A signal ends it after the round under way; the summary then tells of the rounds that were made.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../node/clock.ts'
import { plural } from '../observe/format.ts'
import { type PageParts, type SimulationReport, simulationPage } from '../observe/simulation-page.ts'
import { simulationLine, simulationTable } from '../observe/simulation-text.ts'
import { paint } from '../observe/terminal.ts'
import type { Fault, Founding } from '../peer/settings.ts'
import { resolveSimulation, type SimulateFlags, type SimulateSettings } from '../sim/options.ts'
import { type NodeEvent, runSimulation, type SimulationHooks, type SimulationResult } from '../sim/simulate.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Context } from './command.ts'
import { readBounded } from './config-file.ts'
import { DONE } from './exit.ts'
import { LIVE_PERIOD_MS, PLAIN_PERIOD_MS } from './limits.ts'

export interface PrintOptions {
  readonly json: boolean
  readonly verbose: boolean
  /** Where the page goes; null: no page. */
  readonly report: string | null
}

const CLEAR_LINE = '\r\u001b[2K'

export async function simulateInForeground(
  flags: SimulateFlags,
  { json, verbose, report }: PrintOptions,
  { io, version }: Context,
): Promise<number> {
  const faults: Fault[] = []
  const settings = resolveSimulation({ ...flags, scenario: await readScenarioFile(flags.scenario, faults) }, faults)
  const leaving = new AbortController()
  let signals = 0
  const release = io.onLeave(() => {
    if (++signals > 1) io.exit(DONE)
    leaving.abort()
  })
  const startedAtMs = systemClock.now()
  let shownAtMs = startedAtMs
  const { dim } = paint(io.out.isTerminal && (io.env.NO_COLOR ?? '') === '')
  const progress: SimulationHooks['onRound'] = (round, curves) => {
    const nowMs = systemClock.now()
    if (nowMs - shownAtMs < (io.out.isTerminal ? LIVE_PERIOD_MS : PLAIN_PERIOD_MS)) return
    shownAtMs = nowMs
    const line = simulationLine({
      round,
      rounds: settings.rounds,
      curves,
      elapsedMs: nowMs - startedAtMs,
      columns: io.out.columns,
      bar: io.out.isTerminal,
    })
    io.out.write(io.out.isTerminal ? CLEAR_LINE + dim(line) : `${line}\n`)
  }
  const print = (event: NodeEvent) => {
    if (event.event !== 'mix' || verbose) io.out.write(`${JSON.stringify(event)}\n`)
  }
  try {
    if (report !== null) await requireWritable(report)
    const result = await runSimulation(settings, {
      signal: leaving.signal,
      ...(json
        ? { onEvent: print, onFault: (record) => io.out.write(`${JSON.stringify({ event: 'fault', ...record })}\n`) }
        : { onRound: progress }),
    })
    if (json) io.out.write(`${JSON.stringify(result.summary)}\n`)
    else {
      if (io.out.isTerminal) io.out.write(CLEAR_LINE)
      io.out.write(`${simulationTable(result.summary, result.curves, systemClock.now() - startedAtMs).join('\n')}\n`)
    }
    if (report !== null) await writeReport(report, simulationPage(described(settings, result, version), await pageParts()))
    return DONE
  } finally {
    release()
  }
}

async function readScenarioFile(path: unknown, faults: Fault[]): Promise<{ readonly name: string; readonly text: string } | undefined> {
  if (typeof path !== 'string') return undefined
  try {
    return { name: path, text: await readBounded(path) }
  } catch (error) {
    faults.push({
      code: 'scenario',
      message: `Cannot read the scenario ${path}: ${error instanceof Error ? error.message : String(error)}.`,
    })
    return undefined
  }
}

/** Before an hour of simulating, not after it. */
async function requireWritable(path: string): Promise<void> {
  await writeReport(path, '')
}

async function writeReport(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new GrapevineError('usage', 'local', `Cannot write the report to ${path} (--report): ${reason}.`)
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

async function pageParts(): Promise<PageParts> {
  const text = (url: string | URL) => readFile(fileURLToPath(url), 'utf8')
  const [style, script, plotScript, plotStyle] = await Promise.all([
    text(new URL('../observe/simulation-page/page.css', import.meta.url)),
    text(new URL('../observe/simulation-page/page.js', import.meta.url)),
    text(import.meta.resolve('uplot/dist/uPlot.iife.min.js')),
    text(import.meta.resolve('uplot/dist/uPlot.min.css')),
  ])
  return { style, script, plotScript, plotStyle }
}
