/**
 * Kills a real daemon (SIGKILL) at random moments and starts it again with `--resume`, beside a companion of its run that stays. After each kill
 * a whole checkpoint must load without one passed over; each life that comes up must be the same peer of the same run under a higher
 * incarnation; every second life is killed only some time after it has averaged with the companion, which it must find by itself, the others
 * at any moment from the first of their process on.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { folderStorage } from '../../../src/node/storage.ts'
import { loadCheckpoint } from '../../../src/store/checkpoints.ts'
import { seededRandom } from '../../../src/util/random.ts'
import { TestDaemon } from '../../../test/support/daemon.ts'

/** For a busy machine, in milliseconds. */
const DEADLINE_MS = 600_000
/** A life is killed at most so many times as long after its process began as the first one took to listen: about half of them before they do. */
const MAX_YOUTH = 2
/** Or at most this long after it averaged, in milliseconds. */
const MAX_AGE_MS = 2_000
const CHECKPOINTS = ['--set', 'checkpointSeconds=1', '--no-http']

export interface KillOutcome {
  readonly kills: number
  /** Lives that got as far as listening, that averaged with the companion, and that took over its weights. */
  readonly listened: number
  readonly averaged: number
  readonly caughtUp: number
  /** Kills after which no checkpoint could be loaded, or one had to be passed over. */
  readonly lost: number
  readonly damaged: number
  /** Lives with another identity or run, and those whose incarnation was not above every one before. */
  readonly strangers: number
  readonly reused: number
  /** The companion's refusals of the killed peer's messages, by code. */
  readonly refused: Readonly<Record<string, number>>
}

export async function killDaemon(kills: number, seed: number, minutes: number, told: (soFar: KillOutcome) => void): Promise<KillOutcome> {
  const random = seededRandom(seed, 'daemon kills')
  const undo: (() => unknown)[] = []
  const context = { after: (fn: () => unknown) => void undo.push(fn) } as Parameters<typeof TestDaemon.spawn>[0]
  const count = { listened: 0, averaged: 0, caughtUp: 0, lost: 0, damaged: 0, strangers: 0, reused: 0 }
  const until = ['--until', `minutes=${minutes}`]
  try {
    const companion = TestDaemon.spawn(context, ['start', '--no-http', ...until])
    const { addresses, peer: companionId } = await companion.event('listening', DEADLINE_MS)
    const startedMs = performance.now()
    let daemon = TestDaemon.spawn(context, ['join', addresses[0]!, ...CHECKPOINTS, ...until])
    const { dataDir } = daemon
    const storage = folderStorage(dataDir)
    const first = await daemon.event('listening', DEADLINE_MS)
    const maxYouthMs = MAX_YOUTH * (performance.now() - startedMs)
    await daemon.event('checkpoint', DEADLINE_MS)
    let incarnation = incarnationIn(dataDir)
    for (let kill = 0; kill < kills; kill++) {
      if (kill % 2 === 0) {
        await daemon.event('mix', DEADLINE_MS, (mix) => mix.with === companionId)
        await sleep(random.uniform() * MAX_AGE_MS)
      } else await sleep(random.uniform() * maxYouthMs)
      await daemon.kill()
      const listening = daemon.all('listening')[0]
      if (listening !== undefined) count.listened++
      if (daemon.all('mix').length > 0) count.averaged++
      if (daemon.all('joined').some(({ from }) => from === companionId)) count.caughtUp++
      if (listening !== undefined && (listening.peer !== first.peer || listening.run !== first.run)) count.strangers++
      const loaded = await loadCheckpoint(storage, dataDir).catch(() => null)
      if (loaded === null) count.lost++
      count.damaged += loaded?.damaged.length ?? 0
      const now = incarnationIn(dataDir)
      // The first life's own, else one more than before it came up; a life that died earlier may not have written any.
      if (listening !== undefined && kill > 0 ? now <= incarnation : now < incarnation) count.reused++
      incarnation = now
      told({ kills: kill + 1, ...count, refused: refusalsOf(companion) })
      daemon = TestDaemon.spawn(context, ['start', '--resume', ...CHECKPOINTS, ...until], { dataDir })
    }
    await daemon.event('mix', DEADLINE_MS, (mix) => mix.with === companionId)
    return { kills, ...count, refused: refusalsOf(companion) }
  } finally {
    for (const release of undo.reverse()) await release()
  }
}

function refusalsOf(companion: TestDaemon): Readonly<Record<string, number>> {
  const refused: Record<string, number> = {}
  for (const { code } of companion.all('refused')) refused[code] = (refused[code] ?? 0) + 1
  return refused
}

function incarnationIn(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'incarnation'), 'utf8'))
}
