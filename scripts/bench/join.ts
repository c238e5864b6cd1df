/**
 * `npm run bench -- join [--joins N] [--at-once 8] [--seed S]`: N joins (1,000) on loopback, so many at once, of real daemons in this process
 * into a swarm of daemons in processes of their own. Of the two bootstrap addresses one is dead; in a tenth of the joins the peer that is asked
 * first is killed at a random moment of the first 300 ms, so that some downloads lose their donor. Measured: from the first dial (the data
 * folder is open, nothing is connected) to the first mix. Prints one JSON line: share that mixed, percentiles, processor time of a join, failures with
 * their causes.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createPeer } from '../../src/index.ts'
import { messageOf } from '../../src/util/errors.ts'
import { seededRandom } from '../../src/util/random.ts'
import { TestDaemon } from '../../test/support/daemon.ts'

/** A join that has not mixed by then has failed. */
const GIVEN_UP_MS = 60_000
const DEAD = '127.0.0.1:9'
/** Longer than any run of this bench: by itself a test's daemon ends after ten minutes. */
const FOUNDER_MINUTES = 240

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { joins: { type: 'string' }, 'at-once': { type: 'string' }, seed: { type: 'string' } } })
  const [joins, atOnce, seed] = [Number(values.joins ?? 1_000), Number(values['at-once'] ?? 8), Number(values.seed ?? 1)]
  const random = seededRandom('joins', seed)
  const endings: (() => unknown)[] = []
  const context = { after: (ending: () => unknown) => endings.push(ending) } as never
  const founder = TestDaemon.spawn(context, ['start', '--seed', '1', '--no-http', '--until', `minutes=${FOUNDER_MINUTES}`])
  const address = await addressOf(founder)
  const [durations, failures, killed]: [number[], string[], number[]] = [[], [], []]
  let next = 0
  const before = process.cpuUsage()
  const worker = async () => {
    while (next < joins) {
      const i = next++
      const doomed = random.uniform() < 0.1
      try {
        const victim = doomed ? await throwaway(context, address) : null
        const first = victim === null ? [] : [await addressOf(victim)]
        if (victim !== null) {
          killed.push(i)
          void sleep(300 * random.uniform()).then(() => victim.kill())
        }
        durations.push(await joinOnce([DEAD, ...first, address]))
      } catch (error) {
        failures.push(`${doomed ? 'donor killed: ' : ''}${messageOf(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const { user, system } = process.cpuUsage(before)
  for (const ending of endings.reverse()) await ending()
  durations.sort((a, b) => a - b)
  const percentile = (share: number) =>
    Math.round(durations[Math.min(durations.length - 1, Math.floor(share * durations.length))] ?? Number.NaN)
  const causes: Record<string, number> = {}
  for (const failure of failures) causes[failure] = (causes[failure] ?? 0) + 1
  console.log(
    JSON.stringify({
      bench: 'join',
      joins,
      atOnce,
      seed,
      donorsKilled: killed.length,
      mixed: durations.length,
      share: durations.length / joins,
      milliseconds: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) },
      // Of this process: what joining, a moment of training and leaving cost; times above also tell of who else wants the processor.
      cpuMsPerJoin: Math.round((user + system) / 1_000 / joins),
      failures: causes,
    }),
  )
}

async function addressOf(daemon: TestDaemon): Promise<string> {
  return (await daemon.event('listening', GIVEN_UP_MS)).addresses[0]!
}

/** A peer of the swarm that will be killed. */
async function throwaway(context: never, address: string): Promise<TestDaemon> {
  const daemon = TestDaemon.spawn(context, ['join', address, '--no-http'])
  await daemon.event('mix', GIVEN_UP_MS)
  return daemon
}

/** Milliseconds from the first dial to the first mix. */
async function joinOnce(addresses: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'grapevine-join-'))
  const peer = createPeer({ join: addresses, 'data-dir': folder, 'no-http': true })
  const mixed = Promise.withResolvers<number>()
  peer.on((event) => event.event === 'mix' && mixed.resolve(performance.now()))
  const late = sleep(GIVEN_UP_MS, undefined, { ref: false }).then(() => Promise.reject(new Error(`no mix within ${GIVEN_UP_MS} ms`)))
  late.catch(() => undefined)
  const began = performance.now()
  try {
    await Promise.race([peer.start(), late])
    return (await Promise.race([mixed.promise, late])) - began
  } finally {
    await peer.stop()
    // Beside the others' joins, whose main thread this is.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}
