/** Cases that take as long as they are given (--soak): churn and steady state, with what the longest-lived peer's memory does meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/util/random.ts'
import type { TestDaemon } from '../../test/support/daemon.ts'
import type { Case } from './case.ts'
import { addressOf, GENTLE, handlesOf, type Lab, memoryOf, nextMix, START_MS } from './lab.ts'

/** How long these cases take. */
export const duration = { seconds: 60 }

/** Churn keeps so many peers, the founder included. */
const LEAST_PEERS = 3
const MOST_PEERS = 12
const SPAWN_SHARE = 0.6

/** Longest time without a mix anywhere. */
const GAP_MS = 10_000

/** Daemons of tests end by themselves after a while; these live longer than the case. */
const lifetime = () => ['--no-http', '--until', `minutes=${Math.ceil(duration.seconds / 60) + 5}`]

/** When a daemon was started, and how long after that it listened and mixed; NaN: never. */
interface Birth {
  readonly daemon: TestDaemon
  readonly listeningMs: Promise<number>
  readonly mixMs: Promise<number>
}

function born(lab: Lab, args: readonly string[]): Birth {
  const daemon = lab.spawn([...args, ...lifetime()])
  const began = performance.now()
  const after = (event: 'listening' | 'mix') =>
    daemon.event(event, START_MS).then(
      () => performance.now() - began,
      () => Number.NaN,
    )
  return { daemon, listeningMs: after('listening'), mixMs: after('mix') }
}

export const LONG: readonly Case[] = [
  {
    number: 28,
    title: `churn: every 0.5 to 2 s a kill (0.4) or a newcomer (0.6), ${LEAST_PEERS} to ${MOST_PEERS} peers`,
    run: async (lab) => {
      const random = seededRandom('churn', lab.seed)
      const eldest = lab.spawn(['start', '--seed', String(lab.seed), ...GENTLE, ...lifetime()])
      const address = await addressOf(eldest)
      const joiner = () => born(lab, ['join', address, ...GENTLE])
      const births = [joiner(), joiner()]
      const live = births.map(({ daemon }) => daemon)
      await Promise.all(live.map((daemon) => daemon.event('mix', START_MS)))
      const memory: [number, number][] = []
      const began = performance.now()
      const end = began + duration.seconds * 1_000
      const mixes = new Map<TestDaemon, number>()
      let [total, lastMixAt, longestGapMs, kills] = [0, began, 0, 0]
      let nextTurn = began
      while (performance.now() < end) {
        await sleep(100)
        const now = performance.now()
        const before = total
        for (const daemon of [eldest, ...live]) {
          const count = daemon.all('mix').length
          total += count - (mixes.get(daemon) ?? 0)
          mixes.set(daemon, count)
        }
        longestGapMs = Math.max(longestGapMs, now - lastMixAt)
        if (total > before) lastMixAt = now
        if (now < nextTurn) continue
        nextTurn = now + 500 + 1_500 * random.uniform()
        memory.push([(now - began) / 1_000, memoryOf(eldest) / 1_048_576])
        if (live.length + 1 <= LEAST_PEERS || (live.length + 1 < MOST_PEERS && random.uniform() < SPAWN_SHARE)) {
          const birth = joiner()
          births.push(birth)
          live.push(birth.daemon)
        } else {
          const [victim] = live.splice(Math.floor(random.uniform() * live.length), 1)
          if (victim === undefined) continue
          lab.mayEnd(victim)
          await victim.kill()
          kills++
        }
      }
      lab.injected = kills
      lab.check(`a mix somewhere at least every ${GAP_MS / 1_000} s`, longestGapMs <= GAP_MS, {
        longestGapMs: Math.round(longestGapMs),
        mixes: total,
      })
      for (const daemon of live) lab.mayEnd(daemon)
      await Promise.all(live.map((daemon) => daemon.kill()))
      const lived = (name: 'listeningMs' | 'mixMs') => Promise.all(births.map((birth) => birth[name]))
      lab.check('newcomers, from the start of their process (told)', true, {
        started: births.length,
        listeningMs: quantiles(await lived('listeningMs')),
        firstMixMs: quantiles(await lived('mixMs')),
      })
      tellMemory(lab, memory)
      lab.checkAlive()
    },
  },
  {
    number: 32,
    title: 'soak of four peers at steady state',
    run: async (lab) => {
      const founder = lab.spawn(['start', '--seed', String(lab.seed), ...lifetime()])
      const address = await addressOf(founder)
      const all = [founder, ...Array.from({ length: 3 }, () => lab.spawn(['join', address, ...lifetime()]))]
      await Promise.all(all.map((daemon) => daemon.event('mix', START_MS)))
      const points: [number, number][] = []
      const began = performance.now()
      const warm = began + (duration.seconds * 1_000) / 3
      let handles: ReturnType<typeof handlesOf> | null = null
      while (performance.now() - began < duration.seconds * 1_000) {
        await sleep(2_000)
        if (performance.now() > warm) handles ??= handlesOf(founder)
        points.push([(performance.now() - began) / 1_000, memoryOf(founder) / 1_048_576])
        lab.injected++
      }
      tellMemory(lab, points)
      const now = handlesOf(founder)
      const constant = handles !== null && now.open <= handles.open && now.threads === handles.threads
      lab.check('I4: sockets and threads stay the same after warm-up', constant, { handles, now })
      const silent = all.flatMap((daemon) => daemon.all('peer').filter(({ state }) => state === 'silent'))
      lab.check('nobody was ever silent', silent.length === 0, silent.length)
      const took = await nextMix(founder, 30_000)
      lab.check('still mixes', took < 30_000, Math.round(took))
      lab.checkAlive()
    },
  },
]

/** Resident memory: what it was after warm-up and at the end, and how it rises, told and not judged: minutes say little about hours. */
function tellMemory(lab: Lab, points: readonly (readonly [number, number])[]): void {
  const late = points.filter(([second]) => second > duration.seconds / 3)
  const [first, last] = [late[0]?.[1] ?? Number.NaN, late.at(-1)?.[1] ?? Number.NaN]
  const told = `${Math.round(first)} MiB, then ${Math.round(last)} MiB: ${(3_600 * slope(late)).toFixed(0)} MiB/h over ${late.length} points`
  lab.check('memory of the longest-lived peer after warm-up (told)', late.length > 1, told)
}

function quantiles(values: readonly number[]) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN)
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), most: at(1) }
}

/** Least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / n
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
