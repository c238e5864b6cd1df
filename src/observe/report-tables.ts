/** The tables of a report, as HTML: each a card, or nothing where there is nothing to tell. Every value goes through `escaped`. */
import type { PeerEvent } from './events.ts'
import { compact, count, date, distance, duration, mean, plural, shortId } from './format.ts'
import type { Recorded, RunRecord } from './run-record.ts'
import type { ReportedCheckpoint } from './run-report.ts'
import { escaped } from './self-contained.ts'
import { causes, stateOf, trust } from './status-text.ts'

/** Rows of a table that are shown at once; the record keeps a few more. */
const MAX_ROWS = 100

/** A cell's text; numbers are aligned right. */
type Cell = string | { readonly number: string }

const number = (text: string): Cell => ({ number: text })

function cell(tag: 'td' | 'th', value: Cell): string {
  return typeof value === 'string' ? `<${tag}>${escaped(value)}</${tag}>` : `<${tag} class="number">${escaped(value.number)}</${tag}>`
}

type Rows = readonly (readonly Cell[])[]

/** A card with its title above; nothing where there are no rows. */
function card(title: string, about: string, head: readonly Cell[], rows: Rows): string {
  return rows.length === 0 ? '' : `<section><h2>${escaped(title)}</h2>${table(title, about, head, rows)}</section>`
}

/** A card that is closed until somebody asks; the summary is its title. */
function folded(title: string, about: string, head: readonly Cell[], rows: Rows): string {
  return rows.length === 0
    ? ''
    : `<details><summary>${escaped(title)}</summary><section>${table(title, about, head, rows)}</section></details>`
}

function table(title: string, about: string, head: readonly Cell[], rows: Rows): string {
  const shown = rows.slice(0, MAX_ROWS)
  const more = rows.length > shown.length ? ` Of ${count(rows.length)} the first ${count(shown.length)}.` : ''
  const body = shown.map((row) => `<tr>${row.map((value) => cell('td', value)).join('')}</tr>`).join('')
  const headings = `<tr>${head.map((value) => cell('th', value)).join('')}</tr>`
  return `<p>${escaped(about + more)}</p><div class="scroll" tabindex="0" role="region" aria-label="${escaped(title)}"><table><thead>${headings}</thead><tbody>${body}</tbody></table></div>`
}

export function evaluationTable({ evaluations, best }: RunRecord): string {
  const all = [...evaluations.points].reverse()
  const rows = all.map(({ event }) => [
    number(count(event.steps)),
    number(mean(event.deterministic)),
    number(mean(event.stochastic)),
    number(count(event.episodes)),
  ])
  const about = `Whole episodes with the policy as it was, latest first.${best === null ? '' : ` Best: ${mean(best.event.deterministic)} after ${count(best.event.steps)} steps.`}`
  return card('Evaluations', about, [number('Steps'), number('Likeliest actions'), number('Sampled'), number('Episodes each')], rows)
}

export function checkpointTable(checkpoints: readonly ReportedCheckpoint[], nowUnixSeconds: number): string {
  const rows = checkpoints.map(({ name, best, problem, facts, bytes }): Cell[] => {
    const label = `${name}${best ? ' (best)' : ''}`
    if (facts === null) return [label, `damaged: ${problem ?? ''}`, '', '', number(`${compact(bytes)}B`)]
    const score =
      facts.evaluation === null
        ? `${mean(facts.returnMean)} in training`
        : `${mean(facts.evaluation.mean)} over ${facts.evaluation.episodes}`
    const age = `${date(facts.savedAtUnixSeconds)}, ${duration(Math.max(0, nowUnixSeconds - facts.savedAtUnixSeconds))} old`
    return [label, age, number(count(facts.steps)), number(score), number(`${compact(bytes)}B`)]
  })
  return card(
    'Checkpoints',
    'As they lie in the data folder, newest first.',
    ['File', 'Saved', number('Steps'), number('Return'), number('Size')],
    rows,
  )
}

export function troubleTable({ trouble, damaged }: RunRecord): string {
  const rows = merged(trouble).map(({ at, times, event }) => [number(at), kindOf(event), messageOf(event), number(times)])
  const note = damaged === 0 ? '' : ` ${plural(damaged, 'line')} of the record could not be read.`
  if (rows.length === 0) {
    return `<section><h2>Warnings, faults and refusals</h2><p>None.${escaped(note)}</p></section>`
  }
  return card('Warnings, faults and refusals', `Latest first.${note}`, [number('Time'), 'Kind', 'What happened', number('Times')], rows)
}

export function peerTable({ standing }: RunRecord): string {
  if (standing === null) return ''
  const { status, peersKnown, seconds } = standing
  const rows = status.peers.map((peer) => [
    shortId(peer.id),
    stateOf(peer),
    number(compact(peer.steps)),
    number(mean(peer.returnMean)),
    number(count(peer.mixes)),
    number(count(peer.refused)),
    number(trust(peer)),
    causes(peer),
  ])
  const about = `As this peer saw them at ${duration(seconds)}${peersKnown > rows.length ? `; of ${count(peersKnown)} those with the most mixes` : ''}.`
  const head = ['Peer', 'State', number('Steps'), number('Return'), number('Mixes'), number('Refused'), number('Trust'), 'Refused for']
  return card('Peers', about, head, rows)
}

export function mixTable({ standing }: RunRecord): string {
  const rows = [...(standing?.mixes ?? [])]
    .reverse()
    .map(({ seconds, event }) => [
      number(duration(seconds)),
      shortId(event.with),
      event.strategy,
      number(distance(event.distance)),
      number(event.staleness === null ? '-' : count(event.staleness)),
      number(event.stalenessMs === null ? '-' : `${count(event.stalenessMs)} ms`),
      number(`${compact(event.bytes)}B`),
    ])
  const head = [number('Time'), 'With', 'Strategy', number('Distance'), number('Updates since'), number('Age'), number('Frame')]
  return folded('The latest mixes', 'Snapshots of others that were mixed into this replica, latest first.', head, rows)
}

export function swarmTable({ swarm }: RunRecord): string {
  const rows = [...swarm].reverse().map(({ seconds, event }) => [number(duration(seconds)), messageOf(event)])
  return folded('Comings and goings', 'Latest first.', [number('Time'), 'What happened'], rows)
}

export function lifeTable({ lives }: RunRecord): string {
  if (lives.length < 2) return ''
  const rows = [...lives]
    .reverse()
    .map(({ unixSeconds, seconds, incarnation, steps }) => [
      date(unixSeconds),
      number(duration(seconds)),
      number(count(steps)),
      number(String(incarnation)),
    ])
  const head = ['Start', number('Time of running before'), number('Steps before'), number('Incarnation')]
  return folded('Starts of the daemon', 'Latest first. Steps after the last checkpoint of a life that crashed are made again.', head, rows)
}

/** Any plain value as two columns: where it stands, and what it is. */
export function factTable(title: string, about: string, value: unknown): string {
  return folded(title, about, ['Name', 'Value'], flattened(value, ''))
}

function flattened(value: unknown, name: string): [string, string][] {
  if (value === null || value === undefined || typeof value !== 'object') return name === '' ? [] : [[name, plainly(value)]]
  const entries = Object.entries(value)
  if (entries.length === 0) return name === '' ? [] : [[name, 'none']]
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null))
    return [[name, value.map(plainly).join(', ')]]
  return entries.flatMap(([key, inner]) => flattened(inner, name === '' ? key : `${name}.${key}`))
}

function plainly(value: unknown): string {
  return value === null || value === undefined ? '-' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}

/** Latest first; equal ones in a row are told once, with how often. */
function merged(trouble: readonly Recorded[]): { at: string; times: string; event: PeerEvent }[] {
  const rows: { at: string; count: number; event: PeerEvent }[] = []
  for (const { seconds, event } of [...trouble].reverse()) {
    const last = rows.at(-1)
    if (last !== undefined && kindOf(last.event) === kindOf(event) && messageOf(last.event) === messageOf(event)) last.count++
    else rows.push({ at: duration(seconds), count: 1, event })
  }
  return rows.map(({ at, count: times, event }) => ({ at, times: count(times), event }))
}

function kindOf(event: PeerEvent): string {
  return event.event === 'warning' || event.event === 'error' ? `${event.event} ${event.code}` : event.event
}

function messageOf(event: PeerEvent): string {
  switch (event.event) {
    case 'warning':
    case 'error':
      return event.message
    case 'refused':
      return `a message of ${shortId(event.peer)}: ${event.code}`
    case 'peer':
      return `peer ${shortId(event.id)} is ${event.state}`
    case 'joined':
      return `took over the weights of ${shortId(event.from)} at version ${count(event.version)}`
    case 'served':
      return `gave the weights of version ${count(event.version)} to ${shortId(event.peer)}`
    default:
      return event.event
  }
}
