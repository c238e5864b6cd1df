/** Cases of faults inside one honest daemon: a blocked event loop, a wall clock that jumps, damaged checkpoints, a full disk. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDaemon } from '../../test/support/daemon.ts'
import type { Case } from './case.ts'
import { addressOf, countersOf, type Lab, learned, nextMix, START_MS } from './lab.ts'
import { sabotaged, strike } from './sabotage.ts'
import type { Sabotage } from './saboteur.ts'

/** How soon all mix again, whatever happened. */
const MIX_AGAIN_MS = 10_000

const EVERY_SECOND = ['--set', 'checkpointSeconds=1']

/** A founder with the saboteur in it and two others. */
async function infiltrated(lab: Lab, faults: readonly Sabotage[]) {
  const victim = lab.spawn(['start', '--seed', String(lab.seed)], { before: sabotaged(faults) })
  const address = await addressOf(victim)
  const others = [lab.spawn(['join', address]), lab.spawn(['join', address])]
  const all = [victim, ...others]
  await Promise.all(all.map((daemon) => daemon.event('stats', START_MS, ({ peers }) => peers === 2)))
  return { victim, others, all, id: (await victim.event('listening', START_MS)).peer }
}

const silences = (daemons: readonly TestDaemon[], from: readonly number[], of?: string) =>
  daemons.flatMap((daemon, i) =>
    daemon.all('peer', from[i]).filter(({ id, state }) => (of === undefined || id === of) && (state === 'silent' || state === 'left')),
  )

async function mixAgain(lab: Lab, what: string, victim: TestDaemon, others: readonly TestDaemon[], id: string): Promise<void> {
  const waits = [nextMix(victim, 60_000), ...others.map((other) => nextMix(other, 60_000, id))]
  const took = await Promise.all(waits.map((wait) => wait.then(Math.round, () => Number.POSITIVE_INFINITY)))
  lab.check(`${what}: it mixes, and the others mix it, within ${MIX_AGAIN_MS} ms`, Math.max(...took) <= MIX_AGAIN_MS, took)
}

export const INSIDES: readonly Case[] = [
  {
    number: 22,
    title: 'damaged checkpoints: empty, cut short, a flipped bit, noise, all of them',
    run: async (lab) => {
      const [first] = (await lab.swarm(1, EVERY_SECOND)) as [TestDaemon]
      lab.mayEnd(first)
      const { peer } = await first.event('listening', START_MS)
      await first.event('checkpoint', START_MS, ({ path }) => path.includes('00000003-'))
      lab.check('it leaves with 0', (await first.terminate()) === 0)
      const folder = join(first.dataDir, 'checkpoints')
      const newest = () => files(folder).at(-1)!
      const damages: readonly [string, () => void][] = [
        ['empty', () => truncateSync(newest(), 0)],
        ['cut short', () => truncateSync(newest(), readFileSync(newest()).length >> 1)],
        ['a flipped bit', () => flipBit(newest())],
        ['noise', () => writeFileSync(newest(), Buffer.alloc(100_000, 'noise'))],
      ]
      for (const [name, damage] of damages) {
        damage()
        lab.injected++
        const again = lab.spawn(['start', '--resume', first.dataDir, ...EVERY_SECOND], { dataDir: first.dataDir })
        lab.mayEnd(again)
        const listening = await again.event('listening', START_MS).catch(() => null)
        lab.check(`${name}: goes on from the one before, as the same peer`, listening?.peer === peer)
        const told = again.all('warning').map(({ code }) => code)
        lab.check(`${name}: says so`, told.includes('bad_checkpoint'), told)
        const since = again.all('checkpoint').length
        await again.event('checkpoint', START_MS, () => again.all('checkpoint').length > since + 1).catch(() => undefined)
        await again.terminate()
      }
      for (const file of files(folder)) {
        flipBit(file)
        lab.injected++
      }
      const last = lab.spawn(['start', '--resume', first.dataDir], { dataDir: first.dataDir })
      lab.mayEnd(last)
      const { code } = await last.ended
      const [error] = last.all('error')
      lab.check('all damaged: exit 1 with the cause, and no fresh start', code === 1 && error?.code === 'bad_checkpoint', [
        code,
        error?.code,
      ])
    },
  },
  {
    number: 23,
    title: 'a full disk under the data folder, then room again',
    needsRoot: true,
    run: async (lab) => {
      const folder = mkdtempSync(join(tmpdir(), 'grapevine-full-'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder])
      lab.after(() => {
        execFileSync('umount', ['--lazy', folder])
        rmSync(folder, { recursive: true, force: true })
      })
      const daemon = lab.spawn(['start', '--seed', String(lab.seed), ...EVERY_SECOND], { dataDir: join(folder, 'data') })
      await daemon.event('checkpoint', START_MS, ({ path }) => path.includes('00000002-'))
      fill(join(folder, 'filler'))
      const full = daemon.events.length
      const before = (await learned(daemon)).updates
      await daemon.event('warning', 30_000, ({ code }) => code === 'checkpoint_failed', full)
      await daemon.event('warning', 30_000, ({ code }) => code === 'checkpoint_failed', daemon.events.length)
      lab.injected = daemon.all('warning', full).filter(({ code }) => code === 'checkpoint_failed').length
      lab.check('training goes on', (await learned(daemon)).updates > before)
      lab.check('the older checkpoints are still there', files(join(folder, 'data', 'checkpoints')).length >= 2)
      rmSync(join(folder, 'filler'))
      const saved = await daemon.event('checkpoint', 30_000, () => true, daemon.events.length).catch(() => null)
      lab.check('with room again checkpoints are written again', saved !== null)
      lab.checkAlive()
      lab.mayEnd(daemon)
      lab.check('it leaves with 0', (await daemon.terminate()) === 0)
    },
  },
  {
    number: 25,
    title: 'the event loop of one daemon blocked for 1, 5 and 20 s',
    run: async (lab) => {
      const seconds = [1, 5, 20]
      const faults = seconds.map((length) => ({ do: 'block', ms: 1_000 * length }) as const)
      const { victim, others, all, id } = await infiltrated(lab, faults)
      for (const length of seconds) {
        const before = await learned(victim)
        const rest = performance.now()
        await sleep(3_000)
        const calm = await learned(victim)
        const calmSeconds = (performance.now() - rest) / 1_000
        const from = all.map((daemon) => daemon.events.length)
        const began = performance.now()
        await strike(victim, 120_000)
        const after = await learned(victim)
        const took = (performance.now() - began) / 1_000
        lab.injected++
        const perCpuSecond = (a: typeof before, b: typeof before) => (b.updates - a.updates) / (b.cpuSeconds - a.cpuSeconds)
        const ratio = perCpuSecond(calm, after) / perCpuSecond(before, calm)
        lab.check(`${length} s: I2: at least 0.8 of the updates per CPU second`, ratio >= 0.8, Math.round(ratio * 1_000) / 1_000)
        const share = (after.cpuSeconds - calm.cpuSeconds) / took / ((calm.cpuSeconds - before.cpuSeconds) / calmSeconds)
        lab.check(`${length} s: the learner ran all the while`, share >= 0.5, `${Math.round(share * 100)} % of its processor time before`)
        await mixAgain(lab, `${length} s`, victim, others, id)
        // Three of its beacons missed is silence, and rightly so.
        if (length <= 5) lab.check(`${length} s: nobody was given up`, silences(all, from).length === 0)
        await sleep(4_000)
        lab.check(`${length} s: it holds it against nobody`, silences([victim], [from[0]!]).length === 0)
      }
      const { stalledMs = 0 } = await countersOf(victim)
      lab.check('its clock did not count the standstills', stalledMs >= 20_000, stalledMs)
      lab.checkAlive()
    },
  },
  {
    number: 26,
    title: 'the wall clock of one daemon jumps by an hour, forwards and backwards',
    run: async (lab) => {
      const jumps = [3_600, -7_200, 3_600]
      const { victim, others, all, id } = await infiltrated(
        lab,
        jumps.map((seconds) => ({ do: 'clock', seconds })),
      )
      for (const seconds of jumps) {
        const from = all.map((daemon) => daemon.events.length)
        await strike(victim, 10_000)
        lab.injected++
        await mixAgain(lab, `${seconds} s`, victim, others, id)
        await sleep(4_000)
        lab.check(`${seconds} s: nobody is silent or left`, silences(all, from).length === 0)
        const refused = all.flatMap((daemon, i) => daemon.all('refused', from[i]))
        lab.check(`${seconds} s: nothing is refused`, refused.length === 0, refused.slice(0, 3))
      }
      lab.checkAlive()
    },
  },
]

/** Checkpoints by number, the newest last. */
function files(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d+-/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

function flipBit(file: string): void {
  const bytes = readFileSync(file)
  bytes[bytes.length >> 1]! ^= 4
  writeFileSync(file, bytes)
}

/** Until nothing more fits. */
function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(4_096), { flag: 'a' })
  } catch {
    // Full.
  }
}
