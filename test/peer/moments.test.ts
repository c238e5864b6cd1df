/** What becomes of the optimiser's moments when two peers average: each policy, by hand. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { momentsOf } from '../../src/learn/hyperparameters.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

/** Of one peer: first and second moment (RMSprop has the second only) and the steps behind them. */
type Moments = readonly [mean: number, square: number, steps: number]

const FIRST: Moments = [2, 1, 100]
const SECOND: Moments = [-1, 9, 300]

/** Two peers that hold, make their rounds when told to, and have moments that are everywhere the same. */
async function pair(flags: Readonly<Record<string, unknown>>, optimiser: 'adam' | 'rmsprop') {
  const swarm = new VirtualSwarm()
  const ids: string[] = []
  const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
  const set = { optimiser, optimiserDecay: 0.999 }
  const peers = [await swarm.add({ ...options, flags: { algo: 'a2c', ...flags }, set })]
  peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
  const [a, b] = peers as [VirtualPeer, VirtualPeer]
  ids.push(a.network.id, b.network.id)
  ids.sort()
  for (const [{ peer }, [mean, square, steps]] of [
    [a, FIRST],
    [b, SECOND],
  ] as const) {
    const state = await peer.run.learner.saveState({ replay: false })
    const names = Object.keys(state).filter((name) => /^optimiser\/\d$/.test(name))
    const numbers = optimiser === 'adam' ? [mean, square] : [square]
    assert.equal(names.length, numbers.length)
    const filled = names.map((name, i) => [name, new Float32Array(peer.run.parameterCount).fill(numbers[i]!)])
    await peer.run.learner.restoreState({ ...state, ...Object.fromEntries(filled), 'optimiser/count': Float64Array.of(steps) })
  }
  const momentsNow = async ({ peer }: VirtualPeer) => {
    const state = await peer.run.learner.saveState({ replay: false })
    const names = Object.keys(state).filter((name) => /^optimiser\/\d$/.test(name))
    for (const name of names) assert.ok(state[name]!.every((value) => value === state[name]![0]))
    return [...names.map((name) => state[name]![0]!), state['optimiser/count']![0]!]
  }
  const end = async () => {
    for (const peer of peers) await peer.leave()
  }
  return { swarm, a, b, momentsNow, end }
}

describe('moments of two peers that average', () => {
  // 0.999^100 and 0.999^300 are 0.9048 and 0.7407; half of each is 0.999^195. RMSprop corrects nothing and keeps its count.
  const expected = {
    local: { adam: [FIRST, SECOND], rmsprop: [FIRST.slice(1), SECOND.slice(1)] },
    reset: {
      adam: [
        [0, 0, 0],
        [0, 0, 0],
      ],
      rmsprop: [
        [0, 0],
        [0, 0],
      ],
    },
    averaged: {
      adam: [
        [0.5, 5, 195],
        [0.5, 5, 195],
      ],
      rmsprop: [
        [5, 100],
        [5, 300],
      ],
    },
  } as const
  for (const moments of ['local', 'reset', 'averaged'] as const) {
    for (const optimiser of ['adam', 'rmsprop'] as const) {
      for (const codec of ['f32', 'int8']) {
        test(`${moments}, ${optimiser}, pairwise, ${codec}`, async () => {
          const { swarm, a, b, momentsNow, end } = await pair({ strategy: 'pairwise', moments, codec }, optimiser)
          await swarm.during(a.peer.round({ partner: b.network.id }))
          assert.deepEqual([await momentsNow(a), await momentsNow(b)], expected[moments][optimiser])
          await end()
        })
      }
    }
  }

  test('broadcast gives them the weight of the parameters, and they count as bytes', async () => {
    const bytesOf = async (moments: string) => {
      const { swarm, a, b, momentsNow, end } = await pair({ strategy: 'broadcast', moments }, 'adam')
      // What each publishes in the first round, the other mixes in the second.
      for (let i = 0; i < 2; i++) {
        await swarm.during(Promise.all([a.peer.round(), b.peer.round()]))
        await swarm.clock.run(100)
      }
      if (moments === 'averaged') assert.deepEqual([await momentsNow(a), await momentsNow(b)], expected.averaged.adam)
      const { parameterCount } = a.peer.run
      await end()
      return { parameterCount, bytes: a.of('mix')[0]!.bytes }
    }
    const local = await bytesOf('local')
    const averaged = await bytesOf('averaged')
    assert.equal(averaged.bytes - local.bytes, 8 + 2 * 4 * local.parameterCount)
  })

  test('push-sum averages them with the weights of what arrives', async () => {
    const { swarm, a, b, momentsNow, end } = await pair({ strategy: 'push-sum', moments: 'averaged' }, 'rmsprop')
    await swarm.during(a.peer.round({ partner: b.network.id }))
    await swarm.clock.run(1_000)
    await swarm.during(b.peer.round({ partner: a.network.id }))
    const [square] = await momentsNow(b)
    // Of the two weights of 1 each has sent a half: b mixes the half that a sent with the half that it kept.
    assert.equal(square, 5)
    await end()
  })
})

test('while both learn, averaged moments stay finite and squares never fall below zero', async () => {
  for (const [algo, optimiser] of [
    ['ppo', undefined],
    ['a2c', 'rmsprop'],
  ] as const) {
    const swarm = new VirtualSwarm()
    const flags = { algo, strategy: 'pairwise', moments: 'averaged', period: 2 }
    const founder = await swarm.add({ flags, ...(optimiser === undefined ? {} : { set: { optimiser } }) })
    const joiner = await swarm.add({ join: founder.network.addresses() })
    await swarm.until(() => [founder, joiner].every((each) => each.of('mix').length >= 10), 60_000, 'both mix')
    const { id, hyperparameters } = founder.peer.run.manifest.algorithm
    for (const { peer } of [founder, joiner]) {
      const { learner, parameterCount } = peer.run
      const kinds = learner.describe().moments!
      assert.deepEqual(kinds, momentsOf(id as 'ppo', hyperparameters))
      const { moments } = await swarm.during(learner.snapshot())
      assert.equal(moments!.values.length, kinds.length * parameterCount)
      assert.ok(moments!.values.every(Number.isFinite))
      assert.ok(moments!.values.subarray((kinds.length - 1) * parameterCount).every((value) => value >= 0))
      assert.equal(peer.counters().refused_bad_moments, undefined)
    }
    await joiner.leave()
    await founder.leave()
  }
})
