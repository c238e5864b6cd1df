/** Cases of bad lines, made in user space: cut streams, flipped bits, half-open gossip, loss with latency and little bandwidth. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/util/random.ts'
import type { TestDaemon } from '../../test/support/daemon.ts'
import type { Case } from './case.ts'
import { Enemy } from './enemy.ts'
import { addressOf, allMix, countersOf, FRAME_OVERHEAD_BYTES, type Lab, START_MS } from './lab.ts'
import { type Badness, Line } from './line.ts'

/** Bytes from a donor until its snapshot of CartPole's network has arrived, and a little more. */
const DOWNLOAD_BYTES = 45_000

/** The other donor's line: late enough for the broken one to be asked first. */
const OTHER_DONOR: Badness = { delayMs: 150 }

const BAD_LINE: Badness = { delayMs: 200, jitterMs: 100, loss: 0.05, bytesPerSecond: 125_000 }

const AT_ONCE = 4

/** Each joiner reaches one donor over a line that breaks, and another one over a slow line: all must join, with the very weights of a donor. */
async function brokenJoins(lab: Lab, lines: readonly Badness[], done: (line: Line) => number): Promise<void> {
  const [donor, other] = (await lab.swarm(2)) as [TestDaemon, TestDaemon]
  const targets = await Promise.all([donor, other].map(async (daemon) => portOf(await addressOf(daemon))))
  const open = async (port: number, badness: Badness) => {
    const line = await Line.open(() => ({ host: '127.0.0.1', port }), badness, lab.seed)
    lab.after(() => line.close())
    return line
  }
  const fromOther: boolean[] = []
  const missed: unknown[] = []
  const digests = new Map<string, boolean>()
  const join = async (badness: Badness) => {
    const [broken, whole] = await Promise.all([open(targets[0]!, badness), open(targets[1]!, OTHER_DONOR)])
    const joiner = lab.spawn(['join', broken.address, whole.address, '--no-http'])
    lab.mayEnd(joiner)
    const joined = await joiner.event('joined', START_MS).catch(() => null)
    const mixed = await joiner.event('mix', START_MS).catch(() => null)
    if (joined === null || mixed === null) missed.push({ badness, last: joiner.log.slice(-2) })
    else {
      const from = joined.from === (await other.event('listening', START_MS)).peer ? other : donor
      fromOther.push(from === other)
      digests.set(
        joined.digest,
        from.all('served').some(({ digest }) => digest === joined.digest),
      )
    }
    await joiner.kill()
    lab.injected += done(broken)
  }
  const waiting = [...lines]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await join(next)
    }),
  )
  lab.check('all join and mix', missed.length === 0, missed)
  const strange = [...digests].filter(([, served]) => !served)
  lab.check('each with the very weights that its donor served', strange.length === 0, `${digests.size} snapshots`)
  lab.check('some begin again with the other donor', fromOther.some(Boolean), fromOther.filter(Boolean).length)
  lab.checkAlive()
}

/** Bytes at which the line breaks, from the first to the last of a download: more at the beginning, where each message has its own. */
function places(lab: Lab, count: number): number[] {
  const random = seededRandom('places', lab.seed)
  return Array.from({ length: count }, (_, i) => Math.round(DOWNLOAD_BYTES ** ((i + random.uniform()) / count)))
}

export const LINES: readonly Case[] = [
  {
    number: 12,
    title: 'a download cut at any byte, with FIN and with RESET',
    run: (lab) =>
      brokenJoins(
        lab,
        places(lab, 8).flatMap((afterBytes) => (['fin', 'reset'] as const).map((how) => ({ cut: { afterBytes, how } }))),
        ({ cuts }) => cuts,
      ),
  },
  {
    number: 13,
    title: 'a flipped bit on the line, anywhere in a download',
    run: (lab) =>
      brokenJoins(
        lab,
        places(lab, 12).map((atByte) => ({ flip: { atByte } })),
        ({ flips }) => flips,
      ),
  },
  {
    number: 19,
    title: 'half-open gossip: one direction of the stream reset',
    run: async (lab) => {
      const [victim] = (await lab.swarm(2, ['--codec', 'f32'])) as [TestDaemon]
      const { run, peer } = await victim.event('listening', START_MS)
      const { bytes } = await victim.event('mix', START_MS)
      const address = await addressOf(victim)
      for (const direction of ['inbound', 'outbound'] as const) {
        const neighbour = await Enemy.connect(address, run, (bytes - FRAME_OVERHEAD_BYTES) / 4)
        lab.after(() => neighbour.stop())
        lab.injected += await neighbour.resetGossip(direction)
        await sleep(1_000)
        const [heardBefore, from, began] = [neighbour.heard(peer), victim.events.length, performance.now()]
        let mixed = false
        while (performance.now() - began < 45_000 && !(mixed && neighbour.heard(peer) > heardBefore + 2)) {
          await neighbour.frame(neighbour.values((i) => Math.cos(i) / 50)).catch(() => undefined)
          await sleep(500)
          mixed = victim.all('mix', from).some((mix) => mix.with === neighbour.id)
        }
        const tookMs = Math.round(performance.now() - began)
        lab.check(`${direction}: it is heard again within 30 s`, mixed && tookMs <= 30_000, tookMs)
        lab.check(`${direction}: it hears again`, neighbour.heard(peer) > heardBefore + 2, neighbour.heard(peer) - heardBefore)
        await neighbour.stop()
      }
      lab.checkAlive()
    },
  },
  {
    number: 31,
    title: '5 % loss, 200 ms latency with 100 ms of jitter, 1 Mbit/s, in user space',
    run: async (lab) => {
      const lines: Line[] = []
      const behindLine = async (...addresses: readonly string[]) => {
        const port = await freePort()
        const line = await Line.open(() => ({ host: '127.0.0.1', port }), {}, lab.seed + lines.length)
        lab.after(() => line.close())
        lines.push(line)
        const local = ['--listen', `/ip4/127.0.0.1/tcp/${port}`, '--announce', line.address, '--no-http']
        return lab.spawn([...(addresses.length === 0 ? ['start', '--seed', String(lab.seed)] : ['join', ...addresses]), ...local])
      }
      const founder = await behindLine()
      await addressOf(founder)
      const daemons = [founder, await behindLine(lines[0]!.address), await behindLine(lines[0]!.address)]
      await Promise.all(daemons.map((daemon) => daemon.event('stats', START_MS, ({ peers }) => peers === 2)))
      const ids = await Promise.all(daemons.map(async (daemon) => (await daemon.event('listening', START_MS)).peer))
      for (const line of lines) line.badness = BAD_LINE
      const from = daemons.map((daemon) => daemon.events.length)
      await sleep(20_000)
      const took = await allMix(daemons, ids, 60_000)
      lab.check('all still mix', Number.isFinite(took), took)
      const staleness = daemons.flatMap((daemon, i) => daemon.all('mix', from[i]).map(({ stalenessMs }) => stalenessMs ?? 0))
      lab.check('mixes over bad lines, and the oldest of what they mixed', staleness.length > 0, {
        mixes: staleness.length,
        longestMs: Math.round(Math.max(...staleness)),
      })
      const before = lines.reduce((sum, { connections }) => sum + connections, 0)
      const late = await behindLine(lines[0]!.address)
      lines.at(-1)!.badness = BAD_LINE
      const began = performance.now()
      const joined = await late.event('joined', 90_000).then(
        () => Math.round(performance.now() - began),
        () => Number.POSITIVE_INFINITY,
      )
      lab.check('a newcomer joins over such a line', Number.isFinite(joined), joined)
      await sleep(10_000)
      const dials = lines.reduce((sum, { connections }) => sum + connections, 0) - before
      lab.check('no storm of dials: at most one for each of four peers in 5 s', dials <= 4 * ((performance.now() - began) / 5_000), dials)
      const counters = await Promise.all(daemons.map(countersOf))
      const refused = counters.map((each) => Object.fromEntries(Object.entries(each).filter(([name]) => name.startsWith('refused'))))
      lab.check(
        'nobody is held to be hostile',
        refused.every((each) => Object.keys(each).length === 0),
        refused,
      )
      lab.injected = lines.reduce((sum, { stalls }) => sum + stalls, 0)
      lab.checkAlive()
    },
  },
]

function portOf(address: string): number {
  return Number(address.split('/')[4])
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((done) => server.close(done))
  return address === null || typeof address === 'string' ? 0 : address.port
}
