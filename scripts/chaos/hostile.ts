/** Cases of one hostile peer against one live daemon that trains with an honest friend. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_GOSSIP_MESSAGE_BYTES } from '../../src/swarm/limits.ts'
import { EXCHANGE_PROTOCOL, parameterTopic, STATE_PROTOCOL } from '../../src/wire/protocol.ts'
import { DECODERS, hostileInputs } from '../../test/support/decoders.ts'
import { forever, loopbackSwarm } from '../../test/swarm/support.ts'
import type { Case } from './case.ts'
import { Enemy } from './enemy.ts'
import { addressOf, FRAME_OVERHEAD_BYTES, GENTLE, type Lab, nextMix, START_MS } from './lab.ts'

/** Where incarnation, sequence, version and epoch stand in a frame: eight bytes each (src/wire/frame.ts). */
const NUMBERS_AT = [72, 80, 88, 96]

/** Honest peers hear each other again within this time, whatever goes on. */
const HEARD_MS = 5_000

async function besieged(lab: Lab, flags: readonly string[], honest: number) {
  const [victim, friend] = (await lab.swarm(honest, ['--codec', 'f32', ...flags])) as [Lab['daemons'][number], Lab['daemons'][number]]
  const { run } = await victim.event('listening', START_MS)
  const { bytes } = await victim.event('mix', START_MS)
  const count = (bytes - FRAME_OVERHEAD_BYTES) / 4
  const address = await addressOf(victim)
  const enemies: Enemy[] = []
  const leave = async () => {
    await Promise.all(enemies.splice(0).map((enemy) => enemy.stop()))
  }
  lab.after(leave)
  const recruit = async () => {
    const enemy = await Enemy.connect(address, run, count)
    enemies.push(enemy)
    return enemy
  }
  return {
    leave,
    run,
    address,
    frameBytes: bytes,
    victim,
    recruit,
    enemy: await recruit(),
    friendId: (await friend.event('listening', START_MS)).peer,
  }
}

type Siege = Awaited<ReturnType<typeof besieged>>

/** Attacks while the victim learns; afterwards it must still learn, hear its friend, and have counted what it refused. */
function attack(
  number: number,
  title: string,
  refused: RegExp | null,
  act: (siege: Siege, lab: Lab) => Promise<number>,
  { flags = [] as readonly string[], honest = 2, share = 0.8 } = {},
): Case {
  return {
    number,
    title,
    run: async (lab) => {
      const siege = await besieged(lab, flags, honest)
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
      await siege.leave()
      await lab.checkHandles()
      lab.checkAlive()
    },
  }
}

async function waitFor(reached: () => boolean, deadlineMs: number): Promise<boolean> {
  const untilMs = performance.now() + deadlineMs
  while (!reached() && performance.now() < untilMs) await sleep(50)
  return reached()
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
    'fifty identities of one address against five honest peers, with --strict-quotas',
    /refused_quota/,
    async ({ victim, recruit }, lab) => {
      const since = victim.events.length
      const enemies: Enemy[] = []
      // Not more a second than one host may open; on a busy machine a handshake may run out of time.
      const patient = () => recruit().catch(() => sleep(1_000).then(recruit))
      for (let i = 0; i < 50; i += 5) enemies.push(...(await Promise.all(Array.from({ length: 5 }, patient))))
      for (let round = 0; round < 5; round++) {
        await Promise.all(enemies.map((enemy) => enemy.frame(enemy.values((i) => Math.sin(i + round) / 50))))
        await sleep(700)
      }
      const ids = new Set(enemies.map(({ id }) => id))
      const mixes = victim.all('mix', since)
      const mixed = new Set(mixes.flatMap((mix) => (ids.has(mix.with) ? [mix.with] : [])))
      lab.check('at most 4 of the fifty are mixed', mixed.size <= 4, mixed.size)
      const share = mixes.filter((mix) => ids.has(mix.with)).length / mixes.length
      lab.check('their share of all mixes is at most a half', share <= 0.5, Math.round(100 * share) / 100)
      return 5 * enemies.length
    },
    { flags: ['--strict-quotas', ...GENTLE], honest: 5 },
  ),
  attack(6, 'replayed frames', /refused_stale_version/, async ({ enemy }) => {
    const values = enemy.values((i) => Math.cos(i) / 50)
    for (let i = 0; i < 3; i++) {
      await enemy.frame(values, { sequence: 7 })
      await sleep(1_000)
    }
    return 2
  }),
  attack(7, 'versions and sequences beyond 2^53, and far ahead', /refused_bad_header/, async ({ victim, enemy }, lab) => {
    const since = victim.events.length
    const values = enemy.values((i) => Math.cos(i) / 50)
    const mixes = () => victim.all('mix', since).filter((mix) => mix.with === enemy.id).length
    for (const [i, at] of NUMBERS_AT.entries()) {
      await enemy.frame(values, { patch: (bytes) => bytes.fill(255, at, at + 8) })
      await sleep(1_000)
      if (i === 0) lab.check('it is not mixed', mixes() === 0, mixes())
      // The lie did not raise what was last seen of its author.
      if (i === 0) await enemy.frame(values)
    }
    const mixed = await waitFor(() => mixes() > 0, 5_000)
    lab.check('an ordinary frame after the lie is mixed', mixed, mixes())
    return NUMBERS_AT.length
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
  attack(
    13,
    'a flipped bit in a frame: magic, lengths, digest, payload',
    /refused_(bad_|truncated|too_large|protocol|unknown|manifest|wrong)/,
    async ({ recruit, victim }, lab) => {
      const since = victim.events.length
      const places = [0, 9, 12, 20, 40, 104, 120, 136, 140, 20_000]
      let flipped = 0
      const ids = new Set<string>()
      // A new author for every few, because three lies silence one.
      for (let i = 0; i < places.length; i += 2) {
        const enemy = await recruit()
        ids.add(enemy.id)
        for (const at of places.slice(i, i + 2)) {
          const flip = (bytes: Uint8Array) => {
            bytes[at]! ^= 1 << (at % 8)
            flipped++
          }
          await enemy.frame(
            enemy.values(() => 0.01),
            { patch: flip },
          )
          await sleep(200)
        }
      }
      await sleep(1_000)
      const mixed = victim.all('mix', since).filter((mix) => ids.has(mix.with))
      lab.check('none is mixed', mixed.length === 0, mixed.length)
      return flipped
    },
  ),
  attack(14, 'a request of one byte a second', null, async ({ enemy }, lab) => {
    const seconds = await enemy.drip(45)
    lab.check('it is ended within 12 s', seconds <= 12, seconds)
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
  attack(18, 'messages over our own limits, by our own network', /refused_bad_/, async ({ address, run, frameBytes }, lab) => {
    const own = loopbackSwarm(lab.seed)
    await own.start(forever)
    lab.after(() => own.stop())
    await own.dial(address, forever)
    const topic = parameterTopic(run)
    const outcome = (bytes: number) =>
      own.publish(topic, new Uint8Array(bytes)).then(
        () => 'sent',
        (error: { code: string }) => error.code,
      )
    const limits = [MAX_GOSSIP_MESSAGE_BYTES, MAX_GOSSIP_MESSAGE_BYTES + 1, 4 * 1_048_576 + 1]
    const before = [await outcome(limits[0]!), await outcome(limits[1]!), await outcome(limits[2]!)]
    lab.check(
      '1 MiB is sent; a byte more, and 4 MiB and a byte, are refused with a code',
      before.join() === 'sent,too_large,too_large',
      before,
    )
    own.subscribe(topic, frameBytes, () => 'ignore')
    await waitFor(() => own.subscribers(topic).length > 0, 10_000)
    const after = [await outcome(frameBytes), await outcome(frameBytes + 1)]
    lab.check('a frame of the model is sent, a byte more is refused', after.join() === 'sent,too_large', after)
    return [...before, ...after].filter((code) => code === 'too_large').length
  }),
  attack(
    29,
    'noise and damage for every decoder, and two peers with one identity',
    /refused_(bad_|truncated|unknown)/,
    async (siege, lab) => {
      const { recruit, address } = siege
      let sent = 0
      for (const [name, protocol] of [
        ['state request', STATE_PROTOCOL],
        ['frame', EXCHANGE_PROTOCOL],
        ['beacon', null],
        ['frame', null],
      ] as const) {
        const inputs = hostileInputs(DECODERS.find((decoder) => decoder.name === name)!, lab.seed)
        // A new author now and then, because three lies silence one.
        for (let author = 0; author < 5; author++) {
          const enemy = await recruit()
          for (let i = 0; i < 200; i++) {
            const bytes = inputs.next().value as Uint8Array
            const done = protocol === null ? enemy.say(name === 'beacon' ? 'beacon' : 'frame', bytes) : enemy.ask(protocol, bytes)
            sent += await done.then(
              () => 1,
              () => 0,
            )
          }
        }
      }
      const first = lab.spawn(['join', address, '--no-http', ...GENTLE])
      await first.event('mix', START_MS)
      const folder = mkdtempSync(join(tmpdir(), 'grapevine-twin-'))
      lab.after(() => rmSync(folder, { recursive: true, force: true }))
      for (const file of ['identity.key', 'incarnation']) cpSync(join(first.dataDir, file), join(folder, file))
      const copy = lab.spawn(['join', address, '--no-http', ...GENTLE], { dataDir: folder })
      lab.mayEnd(copy)
      const { code } = await Promise.race([copy.ended, sleep(60_000, { code: null })])
      lab.check('a copy of its data folder is refused with a sentence', code === 3, copy.all('error'))
      const mixed = await nextMix(first, 30_000).catch(() => Number.POSITIVE_INFINITY)
      lab.check('who was there first goes on', Number.isFinite(mixed), Math.round(mixed))
      return sent + 1
    },
  ),
]
