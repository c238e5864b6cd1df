/** A swarm study for people: a table, and a picture of steps over the number of peers. */
import { seededRandom } from '../../../src/util/random.ts'
import { quantile } from '../learn/statistics.ts'
import type { CellResult } from './cell.ts'

const RESAMPLES = 2_000

interface Group {
  readonly study: string
  /** The study, and the flags of this number of peers. */
  readonly what: string
  readonly nodes: number
  readonly results: readonly CellResult[]
  /** Steps per peer, in thousands; infinite where the threshold was not held. */
  readonly steps: readonly number[]
}

function groups(results: readonly CellResult[]): readonly Group[] {
  const byKey = new Map<string, CellResult[]>()
  for (const result of results) {
    const { algo, env, nodes, flags, study = flags } = result.cell
    const what = [algo, env, ...Object.entries(flags).map(([name, value]) => `${name} ${value}`)].join(', ')
    const key = JSON.stringify([JSON.stringify([algo, env, study]), what, nodes])
    byKey.set(key, [...(byKey.get(key) ?? []), result])
  }
  return [...byKey].map(([key, members]) => {
    const [study, what, nodes] = JSON.parse(key) as [string, string, number]
    const steps = members.map(({ sustained }) => (sustained === null ? Number.POSITIVE_INFINITY : sustained / 1_000))
    return { study, what, nodes, results: members, steps }
  })
}

export function studyTable(results: readonly CellResult[]): string {
  const all = groups(results)
  const lines = [
    '| study | peers | k steps per peer, median [quartiles] | fails | times fewer than alone [95 %] | MB sent per peer |',
    '|---|---|---|---|---|---|',
  ]
  for (const { study, what, nodes, results: members, steps } of all) {
    const alone = all.find((group) => group.study === study && group.nodes === 1)
    const failed = steps.filter((value) => !Number.isFinite(value)).length
    const megabytes = members.map(({ bytes }) => bytes / nodes / 1e6)
    const faster = alone === undefined || nodes === 1 ? '-' : ratio(alone.steps, steps)
    lines.push(
      `| ${what} | ${nodes} | ${short(quantile(steps, 0.5))} [${short(quantile(steps, 0.25))}, ${short(quantile(steps, 0.75))}] | ${failed} of ${steps.length} | ${faster} | ${short(quantile(megabytes, 0.5))} |`,
    )
  }
  return lines.join('\n')
}

/** Ratio of the medians, and between what 95 % of those of resampled runs lie. */
function ratio(alone: readonly number[], together: readonly number[]): string {
  const random = seededRandom('bootstrap')
  const resampled = (values: readonly number[]) => values.map(() => values[random.below(values.length)]!)
  const ratios = Array.from({ length: RESAMPLES }, () => quantile(resampled(alone), 0.5) / quantile(resampled(together), 0.5)).filter(
    (value) => !Number.isNaN(value),
  )
  const best = quantile(alone, 0.5) / quantile(together, 0.5)
  return `${short(best)} [${short(quantile(ratios, 0.025))}, ${short(quantile(ratios, 0.975))}]`
}

function short(value: number): string {
  if (Number.isNaN(value)) return '-'
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'never'
}

const COLOURS = ['#7b3fa0', '#2a7f62', '#c2571a', '#1f5fa8', '#888800', '#a02050']
const WIDTH = 720
const HEIGHT = 420
const LEFT = 64
const BOTTOM = 48

/** Medians with quartiles over the number of peers, a colour for each study; both axes begin at 0 or 1. Runs that never got there are left out. */
export function drawStudy(results: readonly CellResult[]): string {
  const all = groups(results)
  const finite = all.flatMap(({ steps }) => steps.filter(Number.isFinite))
  const top = 1.1 * Math.max(1, ...finite)
  const most = Math.max(2, ...all.map(({ nodes }) => nodes))
  const x = (nodes: number) => (LEFT + (Math.log(nodes) / Math.log(most)) * (WIDTH - LEFT - 40)).toFixed(1)
  const y = (value: number) => (HEIGHT - BOTTOM - (Math.min(value, top) / top) * (HEIGHT - BOTTOM - 30)).toFixed(1)
  const studies = [...new Map(all.map((group) => [group.study, group.what]))]
  const marks = studies.flatMap(([study, what], i) => {
    const colour = COLOURS[i % COLOURS.length]!
    const points = all.filter((group) => group.study === study && Number.isFinite(quantile(group.steps, 0.5)))
    const line = points.map(({ nodes, steps }) => `${x(nodes)},${y(quantile(steps, 0.5))}`).join(' ')
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${line}"/>`,
      ...points.map(
        ({ nodes, steps }) =>
          `<line x1="${x(nodes)}" x2="${x(nodes)}" y1="${y(quantile(steps, 0.25))}" y2="${y(quantile(steps, 0.75))}" stroke="${colour}"/>` +
          `<circle cx="${x(nodes)}" cy="${y(quantile(steps, 0.5))}" r="4" fill="${colour}"/>`,
      ),
      `<text x="${WIDTH - 320}" y="${24 + 16 * i}" fill="${colour}">${what.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`,
    ]
  })
  const ticks = [...new Set(all.map(({ nodes }) => nodes))].map(
    (nodes) => `<text x="${x(nodes)}" y="${HEIGHT - 28}" text-anchor="middle">${nodes}</text>`,
  )
  const scale = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => `<text x="${LEFT - 8}" y="${y(share * top)}" text-anchor="end">${short(share * top)}</text>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...ticks,
    ...scale,
    ...marks,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">peers</text>`,
    `<text x="8" y="16">thousand steps per peer until the threshold is held, median and quartiles</text>`,
    '</svg>',
    '',
  ].join('\n')
}
