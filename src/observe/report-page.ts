/**
 * A run as one HTML page that needs nothing else and can be mailed: curves, tables, and what is not known. Pure: from values and the texts of the
 * page's parts to the text of the page. Names and messages that came from other peers are shown as text, whatever they hold.
 */
import { compact, count, date, distance, duration, mean, shortId } from './format.ts'
import { reportData } from './report-data.ts'
import { checkpointTable, evaluationTable, factTable, lifeTable, mixTable, peerTable, swarmTable, troubleTable } from './report-tables.ts'
import type { RunRecord } from './run-record.ts'
import type { RunReport } from './run-report.ts'
import { escaped, type PageParts, selfContainedPage, tileList } from './self-contained.ts'

/** A page with this mark may be replaced by a newer one. */
export const REPORT_GENERATOR = 'Grapevine report'

export function reportPage(report: RunReport, parts: PageParts): string {
  const { title, record, version, unixSeconds, missing, checkpoints } = report
  const body = `<header><h1>${escaped(title)}</h1><p>${escaped(subtitle(report))}</p></header>
<main>
${tileList(tiles(report))}
${missing.map((sentence) => `<p class="missing">${escaped(sentence)}</p>`).join('\n')}
<div id="plots"></div>
${record === null ? '' : troubleTable(record)}
<div class="pair">${record === null ? '' : evaluationTable(record)}${checkpointTable(checkpoints, unixSeconds)}</div>
${record === null ? '' : [peerTable(record), mixTable(record), swarmTable(record), lifeTable(record)].join('\n')}
${factTable('Manifest', 'What all peers of the run agree on.', report.manifest)}
${factTable('Settings', 'Of this peer.', report.settings)}
${factTable('Counters', 'Since its daemon last started.', record?.standing?.status.counters ?? null)}
</main>
<footer>Made on ${date(unixSeconds)} by Grapevine ${escaped(version)}. Run <code>${escaped(report.replica.run)}</code>${
    report.replica.peer === null ? '' : `, peer <code>${escaped(report.replica.peer)}</code>`
  }</footer>`
  return selfContainedPage({ title: `Report: ${title}`, generator: REPORT_GENERATOR, body, data: reportData(report) }, parts)
}

function subtitle({ name, running, record, replica }: RunReport): string {
  const first = record?.lives[0]
  return [
    ...(name === null || name === '' ? [] : [name]),
    `run ${replica.run.slice(0, 12)}`,
    ...(replica.peer === null ? [] : [`as peer ${shortId(replica.peer)} saw it`]),
    ...(first === undefined ? [] : [`since ${date(first.unixSeconds)}`]),
    ...(record === null ? [] : [running ? 'still running' : ended(record)]),
  ].join(' · ')
}

function ended({ outcomes }: RunRecord): string {
  const stopped = outcomes.findLast(({ event }) => event.event === 'stopped')?.event
  return stopped?.event === 'stopped' ? `stopped: ${stopped.reason}` : 'stopped'
}

function tiles({ record, replica, checkpoints }: RunReport): [string, string][] {
  const status = record?.standing?.status
  const evaluated = [record?.best?.event.deterministic, ...checkpoints.map(({ facts }) => facts?.evaluation?.mean)]
  const best = Math.max(...evaluated.map((value) => value ?? Number.NEGATIVE_INFINITY))
  const solved = record?.outcomes.find(({ event }) => event.event === 'solved')?.event
  const known = record?.standing?.peersKnown ?? 0
  return [
    ['Mean return', mean(record?.returns.points.at(-1)?.returnMean ?? replica.returnMean)],
    ...(Number.isFinite(best) ? [['Best evaluation', mean(best)] satisfies [string, string]] : []),
    ...(solved?.event === 'solved' ? [['Solved after', `${compact(solved.steps)} steps`] satisfies [string, string]] : []),
    ['Steps', compact(Math.max(replica.steps, status?.steps ?? 0))],
    ...(replica.updates === null ? [] : [['Updates', compact(Math.max(replica.updates, status?.updates ?? 0))] satisfies [string, string]]),
    ...(record === null ? [] : ofRecord(record)),
    ...(known > 0 ? [['Other peers', count(known)] satisfies [string, string]] : []),
    ...(status?.consensusDistance == null ? [] : [['Consensus distance', distance(status.consensusDistance)] satisfies [string, string]]),
  ]
}

function ofRecord({ seconds, lives, curves }: RunRecord): [string, string][] {
  const rates = curves.points.flatMap(({ stepsPerSecond }) => stepsPerSecond ?? []).sort((a, b) => a - b)
  const median = rates[Math.floor(rates.length / 2)]
  return [
    ['Time', duration(seconds)],
    ...(median === undefined ? [] : [['Steps / s, median', compact(median)] satisfies [string, string]]),
    ...(lives.length > 1 ? [['Starts', count(lives.length)] satisfies [string, string]] : []),
  ]
}
