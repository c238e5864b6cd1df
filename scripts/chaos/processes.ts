/** Cases of honest daemons to which things happen: cut lines, pauses, kills, crowds. */
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/util/random.ts'
import type { TestDaemon } from '../../test/support/daemon.ts'
import type { Case } from './case.ts'
import { addressOf, allMix, countersOf, type Lab, START_MS } from './lab.ts'
import { Machines } from './network.ts'

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

/** Beyond the table of 32: most of a swarm dies in one moment. */
const SWARM = 30
const KILLED = 20

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
    number: 33,
    title: `${KILLED} of ${SWARM} peers of a swarm killed at once`,
    run: async (lab) => {
      const random = seededRandom('massacre', lab.seed)
      // So many learners, and frames of so many peers at the usual five a second, are more than two cores bear.
      const flags = ['--no-http', '--set', 'minPeriodMs=4000', '--set', 'maxStepsPerSecond=200']
      const founder = lab.spawn(['start', '--seed', String(lab.seed), ...flags])
      const address = await addressOf(founder)
      const daemons = [founder]
      while (daemons.length < SWARM) {
        const few = Array.from({ length: Math.min(4, SWARM - daemons.length) }, () => lab.joined(['join', address, ...flags]))
        daemons.push(...(await Promise.all(few)))
      }
      lab.check('joins that ran out of time and were begun again (told)', true, lab.joinedAgain)
      await Promise.all(daemons.map((daemon) => daemon.event('stats', START_MS, ({ peers }) => peers === SWARM - 1)))
      // The founder, whose address all were given, is among the dead.
      const survivors = daemons.slice(1)
      const dead = [founder]
      while (dead.length < KILLED) dead.push(...survivors.splice(Math.floor(random.uniform() * survivors.length), 1))
      const ids = await Promise.all(survivors.map(idOf))
      for (const daemon of dead) lab.mayEnd(daemon)
      await Promise.all(dead.map((daemon) => daemon.kill()))
      lab.injected = dead.length
      const took = await allMix(survivors, ids, 60_000)
      lab.check('every survivor mixes another one within 10 s', took <= 10_000, took)
      lab.checkAlive()
    },
  },
]
