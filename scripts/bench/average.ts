/**
 * `npm run bench -- average [--runs N] [--large] [--partner RULES] [--codec NAME] [--python PYTHON]`: averaging between real processes on this
 * machine that do not learn, a line of JSON each.
 *
 * 1. One pairwise exchange of 5k, 1M and (`--large`) 10M floats between two processes.   2. Eight processes with independent replicas of 5k and
 * 1M floats: milliseconds until their consensus distance is 1 % of what it was, pairwise, rounds one after the other, for each partner rule;
 * and from the start of the first process until all have averaged once. `--python` names an interpreter with hivemind (default python3; left out with
 * a word when it has none): a round of eight of its averagers follows each run of ours, and the medians are compared.
 */

import { type AveragingProcess, type Look, meet, type Report, startAveraging } from '../../test/support/averaging.ts'
import { Hivemind, type Round } from './average/hivemind.ts'

const PEERS = 8
/** Of what the squared distance from the mean was: 1 % of the distance. */
const NEAR_SQUARED = 1e-4
/** Rounds after which a run counts as one that does not come near. */
const MOST_ROUNDS = 60

export async function main(args: string[]): Promise<void> {
  const after = (flag: string): string | undefined => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined)
  const runs = Number(after('--runs') ?? 3)
  const tell = (result: unknown) => console.log(JSON.stringify(result))
  for (const dimension of args.includes('--large') ? [5_000, 1_000_000, 10_000_000] : [5_000, 1_000_000]) {
    tell(await exchangeTime(dimension, 3 * runs))
  }
  const codec = after('--codec') ?? 'f32'
  const python = after('--python') ?? 'python3'
  for (const partner of after('--partner')?.split(',') ?? ['exponential', 'matching', 'random']) {
    for (const dimension of [5_000, 1_000_000]) tell(await convergence({ dimension, partner, runs, codec, python }))
  }
}

async function started(count: number, dimension: number, partner: string, codec = 'f32'): Promise<AveragingProcess[]> {
  const flags = { strategy: 'pairwise', partner, codec }
  const processes = await Promise.all(Array.from({ length: count }, (_, index) => startAveraging({ index, dimension, flags })))
  await meet(processes)
  return processes
}

async function exchangeTime(dimension: number, runs: number): Promise<unknown> {
  const processes = await started(2, dimension, 'random')
  const [a, b] = processes as [AveragingProcess, AveragingProcess]
  const round = () => a.tell({ do: 'round', partner: b.peer })
  await round()
  const before = await report(processes)
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const startMs = performance.now()
    await round()
    times.push(performance.now() - startMs)
  }
  const after = await report(processes)
  await Promise.all(processes.map((process) => process.stop()))
  return { what: 'one exchange', floats: dimension, milliseconds: summary(times), ...perPeer(before, after, runs) }
}

interface Convergence {
  readonly dimension: number
  readonly partner: string
  readonly runs: number
  readonly codec: string
  readonly python: string
}

async function convergence({ dimension, partner, runs, codec, python }: Convergence): Promise<unknown> {
  const coldMs = performance.now()
  const processes = await started(PEERS, dimension, partner, codec)
  await Promise.all(processes.map((process) => process.tell({ do: 'round' })))
  const coldStartMs = performance.now() - coldMs
  const hivemind = await Hivemind.start(python, PEERS, dimension)
  if (hivemind === null) console.error(`${python} has no hivemind: it is left out (--python names another interpreter)`)
  const theirs: Round[] = []
  const before = await report(processes)
  const times: number[] = []
  const rounds: number[] = []
  const cpuMs: number[] = []
  for (let run = 0; run < runs; run++) {
    const most = Math.max(...(await report(processes)).map(({ counters }) => counters.rounds ?? 0))
    for (const process of processes) await process.tell({ do: 'catchUp', rounds: most })
    const starts = await Promise.all(processes.map((process) => process.tell<string>({ do: 'start', seed: run + 1 })))
    await Promise.all(processes.map((process) => process.tell({ do: 'aim', starts })))
    const reached = near(processes, NEAR_SQUARED)
    const order = { do: 'rounds', startMs: performance.timeOrigin + performance.now() + 500, atMost: MOST_ROUNDS } as const
    const tracked = await Promise.all(processes.map((process) => process.tell<{ track: readonly Look[]; rounds: number }>(order)))
    const tracks = tracked.map(({ track }) => track)
    const atMs = reached()
    if (Number.isNaN(atMs)) throw new Error(`With ${partner} eight peers are not near each other after ${MOST_ROUNDS} rounds.`)
    cpuMs.push(tracks.reduce((sum, track) => sum + track.findLast((look) => look.atMs <= atMs)!.cpuMs, 0) / PEERS)
    times.push(atMs - Math.min(...tracks.map((track) => track[0]!.atMs)))
    rounds.push(Math.max(...tracks.map((track) => track.filter((look) => look.atMs <= atMs).length - 1)))
    if (hivemind !== null) theirs.push(await hivemind.round())
  }
  hivemind?.close()
  const after = await report(processes)
  await Promise.all(processes.map((process) => process.stop()))
  return {
    what: 'eight processes to 1 % of their distance',
    floats: dimension,
    partner,
    codec,
    milliseconds: summary(times),
    mostRounds: rounds,
    coldStartMs: Math.round(coldStartMs),
    ...perPeer(before, after, runs),
    cpuMsPerPeer: summary(cpuMs),
    ...(hivemind === null ? {} : beside(hivemind, times, theirs)),
  }
}

/** Tells `processes` that it is enough when the sum of squares is `share` of what it was, by each one's latest look; answers when that was, NaN: never. */
function near(processes: readonly AveragingProcess[], share: number): () => number {
  const [first, latest] = [new Map<number, number>(), new Map<number, number>()]
  let reachedMs = Number.NaN
  const total = (of: ReadonlyMap<number, number>) => [...of.values()].reduce((sum, squared) => sum + squared, 0)
  for (const process of processes) {
    process.onLook = ({ atMs, squared }) => {
      if (!first.has(process.index)) first.set(process.index, squared)
      latest.set(process.index, squared)
      if (!Number.isNaN(reachedMs) || first.size < processes.length || total(latest) > share * total(first)) return
      reachedMs = atMs
      for (const each of processes) void each.tell({ do: 'enough' })
    }
  }
  return () => reachedMs
}

/** Beside a round of hivemind after each of our `times`; rounds in which it did not bring all together are told, and left out. */
function beside({ versions }: Hivemind, times: readonly number[], theirs: readonly Round[]): object {
  const whole = theirs.filter(({ together }) => together).map(({ milliseconds }) => milliseconds)
  const ratio = median(whole) / median(times)
  return {
    hivemind: { versions, milliseconds: summary(whole), split: theirs.length - whole.length, timesOurs: Math.round(100 * ratio) / 100 },
  }
}

function report(processes: readonly AveragingProcess[]): Promise<Report[]> {
  return Promise.all(processes.map((process) => process.tell<Report>({ do: 'report' })))
}

function perPeer(before: readonly Report[], after: readonly Report[], runs: number): object {
  const mean = (of: (report: Report) => number) => after.reduce((sum, now, i) => sum + of(now) - of(before[i]!), 0) / after.length / runs
  return {
    perPeerAndRun: { cpuMs: round(mean(({ cpuMs }) => cpuMs)), bytesOut: Math.round(mean(({ counters }) => counters.bytesOut ?? 0)) },
    residentMB: Math.round(Math.max(...after.map(({ rssBytes }) => rssBytes)) / 1e6),
  }
}

function summary(values: readonly number[]): object {
  return { median: round(median(values)), least: round(Math.min(...values)), most: round(Math.max(...values)), runs: values.length }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1] ?? Number.NaN
}

function round(value: number): number {
  return Math.round(10 * value) / 10
}
