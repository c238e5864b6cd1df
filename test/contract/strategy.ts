/**
 * What every strategy keeps, whoever wrote it: one suite on virtual time, learning off, f32, four peers with different parameters.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exactConsensusDistance } from '../../src/average/distance.ts'
import type { RoundOptions } from '../../src/peer/strategies/strategy.ts'
import { type VirtualPeer, VirtualSwarm } from '../support/virtual-swarm.ts'

export interface StrategyCase {
  readonly name: string
  readonly flags?: Readonly<Record<string, unknown>>
  /** Rounds after which the distance is below a hundredth. */
  readonly rounds: number
  /** Does the plain mean of the replicas stay as it is? */
  readonly keepsMean: boolean
}

const PEERS = 4
const parametersOf = async ({ peer }: VirtualPeer) => (await peer.run.learner.snapshot()).parameters.slice()

export function strategyContract({ name, flags = {}, rounds, keepsMean }: StrategyCase): void {
  const start = async (count = PEERS) => {
    const swarm = new VirtualSwarm()
    const ids: string[] = []
    const options = { waitForPeers: 60, pace: 'driven', view: () => ids } as const
    const peers = [await swarm.add({ ...options, flags: { strategy: name, robust: 'none', ...flags } })]
    for (let i = 1; i < count; i++) peers.push(await swarm.add({ ...options, join: peers[0]!.network.addresses() }))
    for (const [i, one] of peers.entries()) {
      for (const other of peers.slice(i + 1)) {
        await swarm.during(one.network.dial(other.network.addresses()[0]!, new AbortController().signal))
      }
    }
    // Gossip needs to hear who is subscribed.
    await swarm.clock.run(5_000)
    ids.push(...peers.map(({ network }) => network.id).sort())
    const { initial } = peers[0]!.peer.run
    for (const [i, { peer }] of peers.entries()) await peer.run.learner.mix(initial.map((_, j) => Math.sin(1 + j + 31 * i)))
    const round = async () => {
      let publishing = peers.length
      const { promise, resolve } = Promise.withResolvers<void>()
      const options: RoundOptions = {
        delivered: () => {
          publishing--
          if (publishing === 0) swarm.clock.after(200, resolve)
          return promise
        },
      }
      // A peer of a strategy that does not publish never asks.
      const late = swarm.clock.after(400, resolve)
      await swarm.during(Promise.all(peers.map(({ peer }) => peer.round(options))))
      late()
    }
    const replicas = () => Promise.all(peers.map(parametersOf))
    const end = async () => {
      for (const peer of peers) await peer.leave()
    }
    return { swarm, peers, round, replicas, end }
  }

  describe(`strategy ${name} ${JSON.stringify(flags)}`, () => {
    test(`brings four replicas within a hundredth of their distance in ${rounds} rounds`, async () => {
      const { round, replicas, end } = await start()
      const before = exactConsensusDistance(await replicas())
      for (let i = 0; i < rounds; i++) await round()
      const after = exactConsensusDistance(await replicas())
      assert.ok(after.distance < 0.01 * before.distance, `${before.distance} became ${after.distance}`)
      await end()
    })

    if (keepsMean) {
      test('keeps the mean', async () => {
        const { round, replicas, end } = await start()
        const meanOf = async () => {
          const all = await replicas()
          return all[0]!.map((_, i) => all.reduce((sum, values) => sum + values[i]!, 0) / all.length)
        }
        const before = await meanOf()
        for (let i = 0; i < 5; i++) await round()
        const after = await meanOf()
        for (const [i, value] of after.entries()) assert.ok(Math.abs(value - before[i]!) < 1e-5, `${before[i]} became ${value}`)
        await end()
      })
    }

    test('tells of each mix with whom, by which strategy and how far, and nobody is refused', async () => {
      const { swarm, peers, round, end } = await start()
      await round()
      await round()
      const mixes = peers.flatMap((peer) => peer.of('mix').map((mix) => ({ by: peer.network.id, ...mix })))
      assert.ok(mixes.length > 0)
      for (const mix of mixes) {
        assert.equal(mix.strategy, name)
        assert.notEqual(mix.with, mix.by)
        assert.ok(peers.some(({ network }) => network.id === mix.with))
        assert.ok(mix.distance !== null && mix.distance > 0 && mix.bytes > 0)
      }
      for (const peer of peers) {
        const failed = peer.of('warning').filter(({ code }) => code === 'averaging_failed')
        assert.deepEqual([...peer.of('refused'), ...failed, ...peer.of('error')], [])
      }
      await swarm.clock.run(1_000)
      await end()
    })

    test('alone, a round does nothing', async () => {
      const { peers, round, replicas, end } = await start(1)
      const [before] = await replicas()
      await round()
      assert.deepEqual(await replicas(), [before])
      assert.equal(peers[0]!.of('mix').length, 0)
      await end()
    })

    test('while a peer learns, its own progress stays: what is mixed is a difference', async () => {
      const { peers, round, replicas, end } = await start(2)
      for (let i = 0; i < rounds; i++) await round()
      // Equal now: whatever one does on its own between two rounds, both have half of it in the end, or all.
      const [a] = peers
      await a!.peer.run.learner.mix(a!.peer.run.initial.map(() => 8))
      for (let i = 0; i < rounds; i++) await round()
      const [mine, theirs] = await replicas()
      const distance = exactConsensusDistance([mine!, theirs!])
      assert.ok(distance.distance < 0.5, `${distance.distance}`)
      await end()
    })
  })
}
