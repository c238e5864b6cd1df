/** Cases of honest daemons to which things happen: cut lines, pauses, kills, crowds, churn. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/util/random.ts'
import type { TestDaemon } from '../../test/support/daemon.ts'
import type { Case } from './case.ts'
import { addressOf, allMix, countersOf, type Lab, memoryOf, nextMix, START_MS } from './lab.ts'
import { Machines } from './network.ts'

/** Seconds that the long cases take; longer by hand with --soak. */
export const duration = { seconds: 60 }

const idOf = async (daemon: TestDaemon) => (await daemon.event('listening', START_MS)).peer

async function machines(lab: Lab, count: number): Promise<{ readonly net: Machines; readonly daemons: TestDaemon[] }> {
  const net = new Machines()
  lab.after(() => net.remove())
  const daemons: TestDaemon[] = []
  for (let i = 0; i < count; i++) {
    const before = net.add()
    const listen = ['--listen', `/ip4/${net.host(i)}/tcp/4001`, '--no-http']
    const args = i === 0 ? ['start', '--seed', '1', ...listen] : ['join', `${net.host(0)}:4001`, ...listen]
    daemons.push(lab.spawn(args, { before }))
    await daemons.at(-1)?.event('listening', START_MS)
  }
  await Promise.all(daemons.map((daemon) => daemon.event('stats', START_MS, ({ peers }) => peers === count - 1)))
  return { net, daemons }
}

const stepsOf = (daemon: TestDaemon) => daemon.all('stats').at(-1)?.steps ?? 0

export const PROCESSES: readonly Case[] = [
  {
    number: 20,
    title: 'partition 2 + 2 for 30 s, then healed; the same one-way',
    needsRoot: true,
    run: async (lab) => {
      const { net, daemons } = await machines(lab, 4)
      const ids = await Promise.all(daemons.map(idOf))
      for (const oneWay of [false, true]) {
        const name = oneWay ? 'one-way' : 'both ways'
        const before = daemons.map(stepsOf)
        net.cut([0, 1], [2, 3], oneWay)
        await sleep(30_000)
        const from = daemons.map((daemon) => daemon.events.length)
        await sleep(5_000)
        const across = daemons.flatMap((daemon, i) => daemon.all('mix', from[i]).filter((mix) => ids.indexOf(mix.with) < 2 !== i < 2))
        lab.check(`${name}: nothing crosses the cut`, across.length === 0, across.length)
        lab.check(
          `${name}: every side goes on learning`,
          daemons.every((daemon, i) => stepsOf(daemon) > before[i]!),
        )
        net.heal([0, 1], [2, 3])
        const healed = await Promise.all([
          allMix(daemons.slice(0, 2), ids.slice(2), 60_000),
          allMix(daemons.slice(2), ids.slice(0, 2), 60_000),
        ])
        lab.check(`${name}: all mix across within 30 s of healing`, Math.max(...healed) <= 30_000, Math.max(...healed))
      }
      lab.injected = net.changes
      lab.checkAlive()
    },
  },
  {
    number: 21,
    title: 'SIGKILL at random moments, then start --resume',
    run: async (lab) => {
      const random = seededRandom('kill', lab.seed)
      const [survivor] = (await lab.swarm(1)) as [TestDaemon]
      const address = await addressOf(survivor)
      let victim = lab.spawn(['join', address])
      lab.mayEnd(victim)
      const first = await idOf(victim)
      await victim.event('checkpoint', START_MS)
      const rounds = 6
      for (let i = 0; i < rounds; i++) {
        await sleep(200 + random.uniform() * 2_500)
        await victim.kill()
        lab.injected++
        victim = lab.spawn(['start', '--resume', victim.dataDir], { dataDir: victim.dataDir })
        lab.mayEnd(victim)
        const again = await idOf(victim).catch(() => 'none')
        lab.check(`life ${i + 2}: identity kept`, again === first)
        const mixed = await allMix([survivor], [first], 60_000)
        lab.check(`life ${i + 2}: mixed again by its swarm`, Number.isFinite(mixed), mixed)
      }
      const counters = await countersOf(survivor)
      lab.check('no incarnation was used twice', (counters.refused_stale_version ?? 0) + (counters.refused_stale_beacon ?? 0) === 0)
      await victim.kill()
      lab.checkAlive()
    },
  },
  {
    number: 24,
    title: 'SIGSTOP for 30 s',
    run: async (lab) => {
      const [a, b, c] = (await lab.swarm(3)) as [TestDaemon, TestDaemon, TestDaemon]
      const sleeper = await idOf(c)
      const others = [await idOf(a), await idOf(b)]
      c.signal('SIGSTOP')
      lab.injected++
      const asleep = c.events.length
      await a.event('peer', 60_000, ({ id, state }) => id === sleeper && state === 'silent').catch(() => undefined)
      lab.check(
        'the others notice',
        a.all('peer').some(({ id, state }) => id === sleeper && state === 'silent'),
      )
      await sleep(30_000)
      c.signal('SIGCONT')
      const took = await Promise.all([allMix([a, b], [sleeper], 60_000), allMix([c], others, 60_000)])
      lab.check('all mix again within 30 s', Math.max(...took) <= 30_000, took)
      await sleep(6_000)
      const blamed = c.all('peer', asleep).filter(({ state }) => state === 'silent')
      lab.check('who slept calls nobody silent', blamed.length === 0, blamed.length)
      const { stalledMs } = await countersOf(c)
      lab.check('its clock did not count the sleep', (stalledMs ?? 0) > 25_000, stalledMs)
      lab.checkAlive()
    },
  },
  {
    number: 27,
    title: 'eight join at once, one bootstrap address dead; then the bootstrap peer dies',
    run: async (lab) => {
      const founder = lab.spawn(['start', '--seed', '1', '--no-http'])
      const address = await addressOf(founder)
      const began = performance.now()
      const crowd = Array.from({ length: 8 }, () => lab.spawn(['join', '127.0.0.1:9', address, '--no-http']))
      await Promise.all(crowd.map((daemon) => daemon.event('joined', 120_000)))
      await Promise.all(crowd.map((daemon) => daemon.event('mix', 120_000)))
      lab.injected = crowd.length
      lab.check('all joined and mixed', true, `${Math.round(performance.now() - began)} ms`)
      lab.mayEnd(founder)
      await founder.kill()
      lab.injected++
      const ids = await Promise.all(crowd.map(idOf))
      const took = await allMix(crowd, ids, 60_000)
      lab.check('without the bootstrap peer all mix within 30 s', took <= 30_000, took)
      lab.checkAlive()
    },
  },
  {
    number: 28,
    title: 'churn: every 0.5 to 2 s a kill (0.4) or a newcomer (0.6), 3 to 6 peers',
    run: async (lab) => {
      const random = seededRandom('churn', lab.seed)
      const eldest = lab.spawn(['start', '--seed', '1', '--no-http'])
      const address = await addressOf(eldest)
      const live: TestDaemon[] = [lab.spawn(['join', address, '--no-http']), lab.spawn(['join', address, '--no-http'])]
      await Promise.all(live.map((daemon) => daemon.event('mix', START_MS)))
      const memory: [number, number][] = []
      const began = performance.now()
      const mixesSomewhere = () => lab.daemons.reduce((sum, daemon) => sum + daemon.all('mix').length, 0)
      let lastMixes = mixesSomewhere()
      let lastMixAt = began
      let longestGapMs = 0
      let kills = 0
      while (performance.now() - began < duration.seconds * 1_000) {
        await sleep(500 + 1_500 * random.uniform())
        const newcomers = live.length < 3 || (live.length < 6 && random.uniform() < 0.6)
        if (newcomers) live.push(lab.spawn(['join', address, '--no-http']))
        else {
          const [victim] = live.splice(Math.floor(random.uniform() * live.length), 1)
          if (victim === undefined) continue
          lab.mayEnd(victim)
          await victim.kill()
          kills++
        }
        const mixes = mixesSomewhere()
        if (mixes > lastMixes) lastMixAt = performance.now()
        longestGapMs = Math.max(longestGapMs, performance.now() - lastMixAt)
        lastMixes = mixes
        memory.push([(performance.now() - began) / 1_000, memoryOf(eldest) / 1_048_576])
      }
      lab.injected = kills
      lab.check('a mix somewhere at least every 10 s', longestGapMs <= 10_000, `longest gap ${Math.round(longestGapMs)} ms`)
      const late = memory.filter(([second]) => second > duration.seconds / 3)
      lab.check(
        'memory of the longest-lived peer (slope after warm-up)',
        true,
        `${slope(late).toFixed(3)} MiB/s over ${late.length} points`,
      )
      lab.checkAlive()
    },
  },
  {
    number: 30,
    title: 'SIGTERM at random moments of joining and training',
    run: async (lab) => {
      const random = seededRandom('term', lab.seed)
      const [founder] = (await lab.swarm(1)) as [TestDaemon]
      const address = await addressOf(founder)
      const codes: (number | null)[] = []
      let slowestMs = 0
      for (let i = 0; i < 10; i++) {
        const daemon = lab.spawn(['join', address, '--no-http'])
        lab.mayEnd(daemon)
        await sleep(random.uniform() * 6_000)
        const began = performance.now()
        codes.push(await daemon.terminate())
        slowestMs = Math.max(slowestMs, performance.now() - began)
        lab.injected++
      }
      lab.check(
        'all leave with 0',
        codes.every((code) => code === 0),
        codes,
      )
      lab.check('within 5 s', slowestMs <= 5_000, Math.round(slowestMs))
      lab.checkAlive()
    },
  },
  {
    number: 32,
    title: 'soak of four peers at steady state',
    run: async (lab) => {
      const daemons = await lab.swarm(4)
      const [first] = daemons as [TestDaemon]
      const points: [number, number][] = []
      const began = performance.now()
      while (performance.now() - began < duration.seconds * 1_000) {
        await sleep(2_000)
        points.push([(performance.now() - began) / 1_000, memoryOf(first) / 1_048_576])
        lab.injected++
      }
      const late = points.filter(([second]) => second > duration.seconds / 3)
      lab.check('memory (slope after warm-up)', true, `${slope(late).toFixed(4)} MiB/s`)
      const took = await nextMix(first, 30_000)
      lab.check('still mixes', took < 30_000, Math.round(took))
      lab.checkAlive()
    },
  },
]

/** Least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / n
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
