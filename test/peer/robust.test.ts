import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { squaredDistance } from '../../src/average/distance.ts'
import { SelfCentredClip, type Standpoint } from '../../src/peer/clip.ts'
import { OwnMoves } from '../../src/peer/own-moves.ts'
import { Places } from '../../src/peer/places.ts'
import type { PeerPorts } from '../../src/peer/run.ts'
import type { TakenSnapshot } from '../../src/peer/snapshots.ts'
import { peerStatus } from '../../src/peer/status.ts'
import { VirtualClock } from '../../src/sim/clock.ts'
import { inlineWorkers } from '../../src/sim/workers.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { parameterTopic } from '../../src/wire/protocol.ts'
import { examplePeerId } from '../support/peer-ids.ts'
import { VirtualSwarm } from '../support/virtual-swarm.ts'

/** A peer that learns, or holds until others come, and a stranger connected to it who gossips frames of its run. */
async function visited(flags: Readonly<Record<string, unknown>>, waitForPeers = 0) {
  const swarm = new VirtualSwarm()
  const victim = await swarm.add({ flags: { seed: 3, ...flags }, waitForPeers })
  const stranger = swarm.hub.join(examplePeerId(66))
  await stranger.start(new AbortController().signal)
  const { run } = victim.peer
  stranger.subscribe(parameterTopic(run.id), 1_048_576, () => 'accept')
  await swarm.during(stranger.dial(victim.network.addresses()[0]!, new AbortController().signal))
  let sequence = 0
  const send = async (values: Float32Array) => {
    const payload = new Uint8Array(values.buffer.slice(0))
    const header = { runPrefix: run.prefix, author: stranger.id, incarnation: 1, sequence: ++sequence, version: 1, epoch: 1 }
    await stranger.publish(parameterTopic(run.id), encodeFrame({ ...header, codec: 'f32', count: values.length, payload, normalisers: [] }))
    await swarm.clock.run(1_000)
  }
  const parameters = async () => (await run.learner.snapshot()).parameters.slice()
  const end = async () => {
    await victim.leave()
    await stranger.stop()
  }
  return { swarm, victim, stranger, run, send, parameters, end }
}

function taken(parameters: Float32Array, takenAtMs: number): TakenSnapshot {
  return { parameters, target: null, version: 0, steps: 0, normalisers: [], ownNormalisers: [], takenAtMs }
}

function own(moved: number | null): Standpoint {
  return { moved, mine: Float32Array.of(0) }
}

describe('own moves', () => {
  test('what others added is no move of ours, also when it comes late', async () => {
    const moves = new OwnMoves(inlineWorkers(new VirtualClock(), { updateMs: 1, sliceUpdates: 1 }).compute, true)
    assert.equal(await moves.measure(taken(Float32Array.of(1), 0)), null)
    moves.begin(Float32Array.of(0, 0))
    const first = taken(Float32Array.of(3, 4), 10)
    assert.equal(await moves.measure(first), 5)
    // 103, -96 is where the mix leaves it; from there we went 1, 0.
    void moves.mixed(first, Float32Array.of(100, -100))
    const second = taken(Float32Array.of(104, -96), 20)
    assert.equal(await moves.measure(second), 1)
    await moves.mixed(second, Float32Array.of(0, 1))
    assert.deepEqual(await moves.before(second), { parameters: Float32Array.of(104, -95), takenAtMs: 20 })
    assert.equal(await moves.before(first), null)
    await moves.mixed(first, Float32Array.of(10, 0))
    assert.equal(await moves.measure(taken(Float32Array.of(114, -95), 30)), 0)
  })
})

describe('the clip of one peer', () => {
  test('knows nothing until it moved, then shortens to two own moves', () => {
    const clip = new SelfCentredClip()
    const far = [{ author: 'a', norm: 80 }]
    assert.deepEqual(clip.factors(own(null), far), [1])
    assert.deepEqual(clip.factors(own(1), far), [0.025])
    assert.equal(clip.radius, Number.POSITIVE_INFINITY)
    clip.mixed(own(1), far, [0.025])
    assert.equal(clip.radius, 2)
    assert.equal(clip.clipped, 1)
  })
})

describe('the clip of one peer among several', () => {
  const near = ['a', 'b', 'c'].map((author) => ({ author, norm: 2 }))
  const far = { author: 'd', norm: 60 }

  test('shortens who is far from all others, by the square of three medians over it, in one mix', () => {
    const clip = new SelfCentredClip()
    assert.deepEqual(clip.factors(own(5), [...near, far]), [1, 1, 1, 0.01])
    // Too few to be a crowd: two own moves.
    assert.deepEqual(clip.factors(own(5), [...near.slice(1), far]), [1, 1, 10 / 60])
    // Our own last move, where the others stand closer than that.
    assert.deepEqual(clip.factors(own(15), [...near, far]), [1, 1, 1, 0.0625])
  })

  test('or of one after another', () => {
    const clip = new SelfCentredClip()
    for (const difference of near) clip.mixed(own(5), [difference], [1])
    assert.deepEqual(clip.factors(own(5), [far]), [0.01])
  })

  test('an author farther than six own moves is told of once that came five times more often than not, where the others are near', () => {
    const told: string[] = []
    const clip = new SelfCentredClip((author) => told.push(author))
    const mix = (moved: number, differences: readonly { readonly author: string; readonly norm: number }[]) => {
      const at = own(moved)
      clip.mixed(at, differences, clip.factors(at, differences))
    }
    const strikes = (pattern: string) => {
      for (const letter of pattern) mix(5, letter === 'F' ? [...near, far] : [...near, { ...far, norm: 3 }])
    }
    strikes('FFFF')
    assert.deepEqual(told, [])
    strikes('F')
    assert.deepEqual(told, ['d'])
    // An honest peer whose updates are long in every second round, and one that lies in three of four.
    strikes('NNFNFFNFNFNNFNFFNNFNFNFN')
    assert.deepEqual(told, ['d'])
    strikes('FFFNFFFNFF')
    assert.deepEqual(told, ['d', 'd'])
    // A healed partition: half of them are far.
    for (let round = 0; round < 10; round++) mix(1, [...near, far, { author: 'e', norm: 60 }, { author: 'f', norm: 60 }])
    assert.equal(told.length, 2)
  })
})

describe('an author that is far', () => {
  /** Three authors stay near, and a fourth stands at `x` where it is given; ours is one step on each time. */
  const met = (places: Places | null) => {
    const told: string[] = []
    const clip = new SelfCentredClip((author) => told.push(author), places)
    let round = 0
    const mix = (x: number | null, asked = 1) => {
      round++
      const at = { moved: 1, mine: Float32Array.of(round) }
      const fourth = x === null ? [] : [{ author: 'd', norm: Math.abs(x - round), theirs: Float32Array.of(x) }]
      const near = ['a', 'b', 'c'].map((author) => ({ author, norm: 1, theirs: Float32Array.of(round + 1) }))
      const factors = clip.factors(at, [...near, ...fourth])
      clip.mixed(
        at,
        [...near, ...fourth],
        factors.map((own) => Math.min(own, asked)),
      )
    }
    return { told, mix }
  }
  const sketched = () => new Places((parameters) => parameters)

  test('is not told of where it only lags: heard every tenth time, half of our way behind', () => {
    const times = (places: Places | null, every: number) => {
      const { told, mix } = met(places)
      for (let round = 1; round <= 60; round++) mix(round % every === 0 ? round / 2 : null)
      return told.length
    }
    assert.equal(times(sketched(), 10), 0)
    // Far from round 20 on: at 20, 30, 40, 50 and 60.
    assert.equal(times(null, 10), 1)
    assert.equal(times(sketched(), 1), times(null, 1))
  })

  test('is told of when its sign is turned, however seldom', () => {
    const { told, mix } = met(sketched())
    for (let round = 1; round <= 60; round++) mix(round % 10 === 0 ? -round : null)
    assert.deepEqual(told, ['d'])
  })

  test('is not one for which the other side of an exchange asked for less', () => {
    const { told, mix } = met(null)
    for (let round = 1; round <= 20; round++) mix(round + 1, 0.1)
    assert.deepEqual(told, [])
  })
})

describe('a peer that others try to lead astray', () => {
  test('is moved by a far but valid frame at most half its radius, while without clipping it is lost', async () => {
    const moved = async (robust: string) => {
      const { victim, send, run, parameters, end } = await visited({ robust })
      await send(run.initial)
      const before = await parameters()
      await send(before.map((value) => value + 50))
      const after = await parameters()
      await end()
      assert.ok(victim.of('mix').length >= 2)
      return Math.sqrt(squaredDistance(before, after))
    }
    const clipped = await moved('clip')
    const free = await moved('none')
    assert.ok(free > 25, String(free))
    assert.ok(clipped < free / 20, `${clipped} of ${free}`)
  })

  for (const [what, value] of [
    ['values that are no numbers', Number.NaN],
    ['huge values', 1e30],
  ] as const) {
    test(`mutes a stranger who sends ${what} within three rounds, tells why, and listens again later`, async () => {
      const { swarm, victim, stranger, run, send, end } = await visited({}, 9)
      const poison = run.initial.map(() => value)
      for (let round = 0; round < 3; round++) await send(poison)
      const muted = victim.of('warning').filter(({ code }) => code === 'muted')
      assert.equal(muted.length, 1)
      const cause = Number.isNaN(value) ? 'not_finite' : 'too_far'
      assert.match(muted[0]!.message, new RegExp(`${stranger.id}.*${cause} 3`))
      await send(run.initial)
      assert.equal(victim.of('mix').length, 0)
      assert.equal(victim.of('refused').length, 3)
      const ports = { network: victim.network, clock: swarm.clock } as unknown as PeerPorts
      const [known] = peerStatus(victim.peer, ports, 0).peers
      assert.deepEqual([known!.muted, known!.causes], [true, { [cause]: 3 }])
      assert.ok(known!.trust < 0.2)
      await swarm.clock.run(600_000)
      await send(run.initial)
      assert.equal(victim.of('mix').length, 1)
      await end()
    })
  }
})

describe('codecs that send some coordinates', () => {
  for (const codec of ['subset:0.1', 'subset:0.25:int8', 'fragment:3:f16', 'int8']) {
    test(`a swarm on ${codec} stays together`, async () => {
      const distance = async (strategy: string) => {
        const swarm = new VirtualSwarm()
        const flags = { deterministic: true, seed: 3, codec, strategy, period: 10 }
        const a = await swarm.add({ flags, waitForPeers: 2, set: { minPeriodMs: 0 } })
        const others = []
        for (let i = 0; i < 2; i++) {
          others.push(await swarm.add({ join: a.network.addresses(), waitForPeers: 2, set: { minPeriodMs: 0 } }))
        }
        // They drift apart in bursts, so that one moment says little.
        let sum = 0
        for (let updates = 100; updates <= 900; updates += 100) {
          await swarm.until(() => a.peer.run.learner.progress().updates > updates, 120_000, 'it learns')
          const replicas = await Promise.all([a, ...others].map(async ({ peer }) => (await peer.run.learner.snapshot()).parameters.slice()))
          sum += Math.max(...replicas.map((replica) => squaredDistance(replica, replicas[0]!)))
        }
        for (const { events } of [a, ...others]) assert.ok(!events.some(({ event }) => event === 'refused'))
        for (const peer of [a, ...others]) await peer.leave()
        return sum
      }
      const together = await distance('broadcast')
      const alone = await distance('none')
      assert.ok(together < alone / 2, `${together} together, ${alone} alone`)
    })
  }
})
