/** Cases of one hostile peer against one live daemon that trains with an honest friend. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from './case.ts'
import { Enemy } from './enemy.ts'
import { addressOf, type Lab, nextMix, START_MS } from './lab.ts'

/** Bytes of a frame of float32 parameters beside them, where there are no normalisers. */
const FRAME_OVERHEAD_BYTES = 137

/** Honest peers hear each other again within this time, whatever goes on. */
const HEARD_MS = 5_000

async function besieged(lab: Lab, flags: readonly string[] = []) {
  const [victim, friend] = (await lab.swarm(2, ['--codec', 'f32', ...flags])) as [Lab['daemons'][number], Lab['daemons'][number]]
  const { run } = await victim.event('listening', START_MS)
  const { bytes } = await victim.event('mix', START_MS)
  const count = (bytes - FRAME_OVERHEAD_BYTES) / 4
  const address = await addressOf(victim)
  const recruit = async () => {
    const enemy = await Enemy.connect(address, run, count)
    lab.after(() => enemy.stop())
    return enemy
  }
  return { victim, recruit, enemy: await recruit(), friendId: (await friend.event('listening', START_MS)).peer }
}

type Siege = Awaited<ReturnType<typeof besieged>>

/** Attacks while the victim learns; afterwards it must still learn, hear its friend, and have counted what it refused. */
function attack(
  number: number,
  title: string,
  refused: RegExp | null,
  act: (siege: Siege, lab: Lab) => Promise<number>,
  { flags = [] as readonly string[], share = 0.8 } = {},
): Case {
  return {
    number,
    title,
    run: async (lab) => {
      const siege = await besieged(lab, flags)
      const { victim, friendId } = siege
      await lab.during(
        victim,
        async () => {
          lab.injected = await act(siege, lab)
          await sleep(2_000)
        },
        { share },
      )
      const heardMs = await nextMix(victim, 30_000, friendId).catch(() => Number.POSITIVE_INFINITY)
      lab.check(`an honest peer is mixed within ${HEARD_MS} ms`, heardMs <= HEARD_MS, Math.round(heardMs))
      const silent = victim.all('peer').filter(({ id, state }) => id === friendId && state === 'silent')
      lab.check('the honest peer never counted as silent', silent.length === 0)
      if (refused !== null) await lab.checkRefused(victim, refused)
      lab.checkAlive()
    },
  }
}

export const HOSTILE: readonly Case[] = [
  attack(1, 'NaN and infinities in parameters', /refused_not_finite/, async ({ enemy }) => {
    const poisons = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const poison of poisons) {
      await enemy.frame(enemy.values((i) => (i === 0 ? poison : 0.01)))
      await sleep(500)
    }
    return poisons.length
  }),
  attack(2, 'norms from 1e3 to 1e38', /refused_(too_far|muted)|refused_mute/, async ({ enemy }) => {
    const sizes = [1e6, 1e18, 1e38]
    for (const size of sizes) {
      await enemy.frame(enemy.values(() => size))
      await sleep(500)
    }
    return sizes.length
  }),
  attack(
    5,
    'ten identities of one address, with --strict-quotas',
    /refused_quota/,
    async ({ victim, recruit }, lab) => {
      const since = victim.events.length
      const enemies = await Promise.all(Array.from({ length: 10 }, recruit))
      for (let round = 0; round < 5; round++) {
        await Promise.all(enemies.map((enemy) => enemy.frame(enemy.values((i) => Math.sin(i + round) / 50))))
        await sleep(700)
      }
      const ids = new Set(enemies.map(({ id }) => id))
      const mixed = new Set(victim.all('mix', since).flatMap((mix) => (ids.has(mix.with) ? [mix.with] : [])))
      lab.check('at most 4 of the ten are mixed', mixed.size <= 4, mixed.size)
      return 50
    },
    { flags: ['--strict-quotas'] },
  ),
  attack(6, 'replayed frames', /refused_stale_version/, async ({ enemy }) => {
    const values = enemy.values((i) => Math.cos(i) / 50)
    for (let i = 0; i < 3; i++) {
      await enemy.frame(values, { sequence: 7 })
      await sleep(1_000)
    }
    return 2
  }),
  attack(8, "another peer's name on a frame", /refused_wrong_author/, async ({ enemy, friendId }) => {
    for (let i = 0; i < 3; i++) {
      await enemy.frame(
        enemy.values(() => 0.01),
        { author: friendId, sequence: 1_000_000 + i },
      )
      await sleep(300)
    }
    return 3
  }),
  attack(9, 'other numbers of parameters, another run', /refused_manifest_mismatch/, async ({ enemy }) => {
    await enemy.frame(
      enemy
        .values(() => 0.01)
        .subarray(1)
        .slice(),
    )
    await sleep(300)
    await enemy.frame(
      enemy.values(() => 0.01),
      { runPrefix: new Uint8Array(16) },
    )
    return 2
  }),
  attack(10, 'bodies that claim 4 GiB', /refused_network_too_large/, ({ enemy }) => enemy.lieAboutLengths()),
  attack(11, 'a frame of the multiplexer that claims 1 GiB', /refused_network_bad_multiplexing/, async ({ enemy }) => {
    let done = 0
    for (let i = 0; i < 3; i++) done += await enemy.muxerBomb(64)
    return done
  }),
  attack(14, 'a request of one byte a second', null, async ({ enemy }, lab) => {
    const seconds = await enemy.drip(45)
    lab.check('it is ended within 36 s', seconds <= 36, seconds)
    return seconds
  }),
  attack(15, 'answers that are never read', null, ({ enemy }) => enemy.neverRead(64)),
  attack(16, 'a thousand silent streams a second, and as many requests', /refused_network_/, async ({ enemy }) => {
    const silent = await enemy.floodStreams(4_000, 1_000)
    const requests = await enemy.floodRequests(4_000, 1_000)
    const sockets = await enemy.sockets(300)
    return silent + requests + sockets
  }),
  attack(17, 'a thousand signed beacons a second, noise, and megabytes', /refused_(rate_limited|bad_|truncated)/, async ({ enemy }) => {
    const beacons = await enemy.floodBeacons(5_000, 1_000)
    const noise = await enemy.floodNoise(3_000, 1_000, 600)
    const large = await enemy.floodNoise(20, 20, 1_000_000)
    return beacons + noise + large
  }),
]
