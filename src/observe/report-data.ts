/** What the script of a report draws, as plain values: curves by time and steps, restarts, and when other peers were there. */
import { shortId } from './format.ts'
import type { Recorded, RecordedPoint, RunRecord } from './run-record.ts'
import type { RunReport } from './run-report.ts'

/** Peers that have a row of their own in the picture of who was there. */
const MAX_PRESENT = 16

const SHOWN_ELSEWHERE = ['rollout/ep_rew_mean', 'train/n_updates']

export function reportData({ record, meanings }: Pick<RunReport, 'record' | 'meanings'>) {
  if (record === null || (record.curves.points.length === 0 && record.returns.points.length === 0)) return null
  const points = record.curves.points
  const of = (pick: (point: RecordedPoint) => number | null | undefined) => {
    const values = points.map((point) => pick(point) ?? null)
    return values.some((value) => value !== null) ? values : null
  }
  const names = [...new Set(points.flatMap(({ statistics }) => Object.keys(statistics)))].sort().filter((name) => isShown(name, points))
  return {
    end: record.seconds,
    seconds: points.map((point) => point.seconds),
    steps: points.map((point) => point.steps),
    returns: returnsOf(record),
    evaluations: record.evaluations.points.map(({ seconds, event }) => [seconds, event.steps, event.deterministic, event.stochastic]),
    rate: of((point) => point.stepsPerSecond),
    distance: of((point) => point.consensusDistance),
    mixDistance: of((point) => point.mixDistance),
    staleness: of((point) => point.staleness),
    peers: points.some(({ peers }) => peers > 0) ? of((point) => point.peers) : null,
    traffic: points.some(({ bytesIn, bytesOut }) => bytesIn + bytesOut > 0)
      ? { received: rates(points, 'bytesIn'), sent: rates(points, 'bytesOut') }
      : null,
    statistics: names.map((name) => ({ name, meaning: meanings[name] ?? '', values: of((point) => point.statistics[name]) })),
    restarts: record.lives.slice(1).map(({ seconds, steps }) => [seconds, steps]),
    present: present(record.swarm, record.seconds),
  }
}

/** What other curves show already, and errors that never happened, are left out. */
function isShown(name: string, points: readonly RecordedPoint[]): boolean {
  if (SHOWN_ELSEWHERE.includes(name)) return false
  return !name.endsWith('skipped_updates') || points.some(({ statistics }) => statistics[name] !== 0)
}

/** The curve of its own, which begins earlier; of old records that of the points. */
function returnsOf({ returns, curves }: RunRecord) {
  const points = returns.points.length > 0 ? returns.points : curves.points.filter(({ returnMean }) => returnMean !== null)
  return points.map(({ seconds, steps, returnMean }) => [seconds, steps, returnMean])
}

/** Bytes per second; null over a restart, where counting began anew. */
function rates(points: readonly RecordedPoint[], what: 'bytesIn' | 'bytesOut'): (number | null)[] {
  return points.map((point, i) => {
    const before = points[i - 1]
    if (before === undefined || point[what] < before[what]) return null
    return (point[what] - before[what]) / (point.seconds - before.seconds)
  })
}

/** From events: a peer is there from `alive` until another state. */
function present(swarm: readonly Recorded[], end: number): { label: string; from: number; to: number }[] {
  const since = new Map<string, number>()
  const bars: { id: string; from: number; to: number }[] = []
  for (const { seconds, event } of swarm) {
    if (event.event !== 'peer') continue
    const from = since.get(event.id)
    if (event.state === 'alive') since.set(event.id, from ?? seconds)
    else if (from !== undefined) {
      bars.push({ id: event.id, from, to: seconds })
      since.delete(event.id)
    }
  }
  for (const [id, from] of since) bars.push({ id, from, to: end })
  const shown = new Set([...new Set(bars.map(({ id }) => id))].slice(-MAX_PRESENT))
  return bars.filter(({ id }) => shown.has(id)).map(({ id, from, to }) => ({ label: shortId(id), from, to }))
}
