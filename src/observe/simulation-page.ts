/**
 * A simulation as one HTML page that needs nothing else: curves of return, consensus distance and bytes, and a timeline of what went wrong.
 * Pure: from values and the texts of the page's parts to the text of the page.
 */
import { compact, count, distance, duration, mean, plural } from './format.ts'
import { escaped, type PageParts, selfContainedPage, tileList } from './self-contained.ts'
import type { SimulationCurves, SimulationOutcome } from './simulation-text.ts'

export interface SimulationReport {
  /** What was simulated, such as "CartPole-v1 with a2c". */
  readonly title: string
  /** How, in a line. */
  readonly subtitle: string
  readonly summary: SimulationOutcome
  readonly curves: SimulationCurves & {
    readonly returnLow: readonly (number | null)[]
    readonly returnHigh: readonly (number | null)[]
  }
  readonly faults: readonly {
    readonly do: string
    readonly seconds: number
    readonly untilSeconds: number | null
    readonly peers: readonly number[]
  }[]
  /** Rounds where no time passes between peers, else virtual seconds. */
  readonly axis: 'rounds' | 'seconds'
  readonly version: string
}

/** Points of one curve; a screen shows no more. */
const MAX_POINTS = 2_000

export function simulationPage(report: SimulationReport, parts: PageParts): string {
  const { title, subtitle, summary, version } = report
  const body = `<header><h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p></header>
<main>
${tileList(tiles(report))}
<div id="plots"></div>
</main>
<footer>Grapevine ${escaped(version)}, digest of all replicas <code>${escaped(summary.digest)}</code></footer>`
  return selfContainedPage({ title: `Simulation: ${title}`, generator: 'Grapevine simulation', body, data: data(report) }, parts)
}

function tiles({ summary, curves }: SimulationReport): [string, string][] {
  const returnMean = curves.returnMean.at(-1) ?? null
  return [
    ['Peers', count(summary.nodes)],
    ['Rounds', count(summary.rounds)],
    ...(returnMean === null ? [] : [['Mean return', mean(returnMean)] satisfies [string, string]]),
    ['Consensus distance', distance(curves.consensusDistance.at(-1)!)],
    ...(summary.meanDrift === null ? [] : [['Mean drift', distance(summary.meanDrift)] satisfies [string, string]]),
    ['Sent', `${compact(curves.bytes.at(-1)!)}B`],
    ['Virtual time', duration(curves.virtualSeconds.at(-1)!)],
  ]
}

function data({ curves, faults, axis }: SimulationReport) {
  const length = curves.consensusDistance.length
  const step = Math.max(1, Math.ceil(length / MAX_POINTS))
  const thin = <T>(values: readonly T[]) => values.filter((_, i) => i % step === 0 || i === length - 1)
  const seconds = thin(curves.virtualSeconds)
  const end = seconds.at(-1)!
  const learned = curves.returnMean.some((value) => value !== null)
  return {
    xLabel: axis === 'rounds' ? 'round' : 'virtual seconds',
    x: axis === 'rounds' ? thin(curves.consensusDistance.map((_, round) => round)) : seconds,
    distance: thin(curves.consensusDistance),
    bytes: thin(curves.bytes),
    returns: learned ? { mean: thin(curves.returnMean), low: thin(curves.returnLow), high: thin(curves.returnHigh) } : null,
    faults: faults
      .filter((fault) => fault.seconds <= end)
      .map((fault) => ({
        label: faultLabel(fault),
        from: fault.seconds,
        to: Math.min(end, fault.untilSeconds ?? (isMoment(fault.do) ? fault.seconds : end)),
      })),
  }
}

/** It is over as soon as it has happened. */
function isMoment(kind: string): boolean {
  return kind === 'heal' || kind === 'restart' || kind === 'skew'
}

const MAX_NAMED_PEERS = 4

function faultLabel({ do: kind, peers }: SimulationReport['faults'][number]): string {
  if (kind === 'heal') return kind
  const who =
    peers.length <= MAX_NAMED_PEERS ? `${peers.length === 1 ? 'peer' : 'peers'} ${peers.join(', ')}` : plural(peers.length, 'peer')
  return `${kind}: ${who}`
}
